import { Badge } from '@cloudflare/kumo/components/badge'
import { Button } from '@cloudflare/kumo/components/button'
import { KeyIcon } from '@phosphor-icons/react'
import { useState } from 'react'
import type { DkimKeyBody } from '#contract/onboarding-records.ts'
import type { ZoneBody } from '#contract/zones.ts'
import { ask } from '../api/ask.ts'
import { useAct, useAsk } from '../api/use-ask.ts'
import { Asked } from '../parts/asked.tsx'
import { FormDialog } from '../parts/form-dialog.tsx'
import { Moment } from '../parts/moment.tsx'
import { Section } from '../parts/page.tsx'
import { RowsSkeleton } from '../parts/rows-skeleton.tsx'
import { RecordList } from './record-list.tsx'

const STATES = {
  publishing: {
    label: 'Publishing',
    variant: 'info',
    explanation: 'Signs once its record is seen in DNS.',
  },
  active: { label: 'Active', variant: 'success', explanation: 'Signs now.' },
  retiring: {
    label: 'Retiring',
    variant: 'warning',
    explanation: 'Signs no more. Its record stays for the mail that it signed.',
  },
  retired: { label: 'Retired', variant: 'neutral', explanation: 'Its record is gone.' },
} as const satisfies Record<DkimKeyBody['state'], object>

const LOOK_AGAIN_MS = 5000

interface DkimKeysProps {
  /** What is signed with them. */
  readonly lead: string
  readonly domain: string
  readonly zone: Pick<ZoneBody, 'name' | 'dns'> | undefined
  /** Where they are asked for, and where a new one is. */
  readonly path: string
  readonly rotatePath: string
  /** What tells of the keys too. */
  readonly stale: string
}

/** The keys with which a domain signs, and the change to a new one. */
export function DkimKeys({ lead, domain, zone, path, rotatePath, stale }: DkimKeysProps) {
  const [isPublishing, setPublishing] = useState(true)
  const keys = useAsk<readonly DkimKeyBody[]>(path, { every: isPublishing && LOOK_AGAIN_MS })
  const hasNext = keys.data?.some(({ state }) => state === 'publishing') ?? true
  if (hasNext !== isPublishing) setPublishing(hasNext)
  const [open, setOpen] = useState(false)
  const rotate = useAct(() => ask(rotatePath, { method: 'POST', body: {} }), [stale])
  return (
    <Section
      title="DKIM keys"
      lead={lead}
      actions={
        // One at a time: while a key waits to be seen no other is made.
        <Button icon={<KeyIcon aria-hidden />} disabled={hasNext} onClick={() => setOpen(true)}>
          Rotate key
        </Button>
      }
    >
      <FormDialog
        open={open}
        onOpenChange={setOpen}
        title={`Make a new DKIM key for ${domain}?`}
        action="Rotate key"
        onSubmit={() => rotate.mutateAsync(undefined)}
      >
        <p>
          {zone?.dns === 'hosted'
            ? 'The new key is published at once, and signs as soon as it is seen in DNS.'
            : 'You publish the record of the new key; it signs as soon as it is seen in DNS.'}{' '}
          Until then the present one goes on. Its record then stays for two weeks, so that mail on its way
          still verifies.
        </p>
      </FormDialog>
      <Asked of={keys}>
        {(keys) =>
          zone ? (
            <ul className="flex flex-col gap-6">
              {keys.toReversed().map((key) => (
                <DkimKey key={key.selector} dkim={key} zone={zone.name} />
              ))}
            </ul>
          ) : (
            <RowsSkeleton />
          )
        }
      </Asked>
    </Section>
  )
}

function DkimKey({ dkim, zone }: { readonly dkim: DkimKeyBody; readonly zone: string }) {
  const { label, variant, explanation } = STATES[dkim.state]
  return (
    <li>
      <div className="mb-2 flex flex-wrap items-center gap-x-3 gap-y-1">
        <h3 className="font-mono font-semibold">{dkim.selector}</h3>
        <Badge variant={variant}>{label}</Badge>
        <span className="text-kumo-subtle">
          {explanation} Since <Moment at={dkim.modified} />.
        </span>
      </div>
      {dkim.state !== 'retired' && (
        <RecordList label={`Record of ${dkim.selector}`} records={[dkim.record]} zone={zone} />
      )}
    </li>
  )
}
