import { Button } from '@cloudflare/kumo/components/button'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { SmarthostBody, SmarthostTestBody } from '#contract/smarthost.ts'
import { accountPath, ask, withQuery } from '../api/ask.ts'
import { Problem, problemText } from '../api/problem.ts'
import { queryKey, useAct } from '../api/use-ask.ts'
import { Asked } from '../parts/asked.tsx'
import { ConfirmDialog } from '../parts/confirm-dialog.tsx'
import { Section } from '../parts/page.tsx'
import { ProblemNote } from '../parts/problem-note.tsx'
import { SmarthostForm } from './smarthost-form.tsx'
import { SmarthostTest } from './smarthost-test.tsx'

interface SmarthostSectionProps {
  readonly accountId: string
  /** Absent: of the account. */
  readonly domain?: string
  readonly title: string
  readonly lead: string
}

const TLS = {
  implicit: 'TLS from the first byte',
  starttls: 'STARTTLS, required',
  none: 'No encryption',
} as const satisfies Record<SmarthostBody['tls'], string>

export function SmarthostSection({ accountId, domain, title, lead }: SmarthostSectionProps) {
  const base = accountPath(accountId, 'email/sending/smarthost')
  const path = withQuery(base, { domain })
  const [isEditing, setEditing] = useState(false)
  const [isRemoving, setRemoving] = useState(false)
  const smarthost = useQuery({
    queryKey: queryKey(path),
    queryFn: ({ signal }) => findSmarthost(path, signal),
  })
  const test = useAct(
    () => ask<SmarthostTestBody>(withQuery(`${base}/test`, { domain }), { method: 'POST', body: {} }),
    [],
  )
  const remove = useAct(() => ask(path, { method: 'DELETE' }), [base])
  return (
    <Section title={title} lead={lead}>
      <Asked of={smarthost}>
        {(set) =>
          set === null ? (
            <>
              <p className="mb-4 text-kumo-subtle">None is set.</p>
              <Button onClick={() => setEditing(true)}>Set smarthost</Button>
            </>
          ) : (
            <>
              <dl className="mb-4 grid grid-cols-[auto_1fr] gap-x-6 gap-y-1">
                <dt className="text-kumo-subtle">Host</dt>
                <dd className="font-mono">{`${set.host}:${set.port}`}</dd>
                <dt className="text-kumo-subtle">TLS</dt>
                <dd>{TLS[set.tls]}</dd>
                <dt className="text-kumo-subtle">User name</dt>
                <dd>{set.username ?? 'Does not log in'}</dd>
              </dl>
              <div className="flex flex-wrap gap-2">
                <Button onClick={() => setEditing(true)}>Change smarthost</Button>
                <Button loading={test.isPending} onClick={() => test.mutate(undefined)}>
                  Test connection
                </Button>
                <Button variant="secondary-destructive" onClick={() => setRemoving(true)}>
                  Remove smarthost
                </Button>
              </div>
              {test.data && <SmarthostTest test={test.data} />}
              {test.error && <ProblemNote className="mt-4">{problemText(test.error)}</ProblemNote>}
            </>
          )
        }
      </Asked>
      {isEditing && (
        <SmarthostForm
          base={base}
          path={path}
          title={title}
          present={smarthost.data ?? undefined}
          onOpenChange={(open) => {
            test.reset()
            setEditing(open)
          }}
        />
      )}
      <ConfirmDialog
        open={isRemoving}
        onOpenChange={setRemoving}
        title={`Remove the ${title.charAt(0).toLowerCase()}${title.slice(1)}?`}
        action="Remove smarthost"
        onConfirm={() => remove.mutateAsync(undefined)}
      >
        Mail then goes straight to its recipients again, unless another smarthost applies. Its password is
        forgotten.
      </ConfirmDialog>
    </Section>
  )
}

/** None is no failure. */
async function findSmarthost(path: string, signal: AbortSignal): Promise<SmarthostBody | null> {
  try {
    return await ask<SmarthostBody>(path, { signal })
  } catch (error) {
    if (error instanceof Problem && error.status === 404) return null
    throw error
  }
}
