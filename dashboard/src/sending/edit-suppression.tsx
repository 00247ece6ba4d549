import { Button } from '@cloudflare/kumo/components/button'
import { Dialog } from '@cloudflare/kumo/components/dialog'
import { InputArea } from '@cloudflare/kumo/components/input'
import { type FormEvent, useRef, useState } from 'react'
import type { EditSuppression as Change, SuppressionBody, SuppressionDetail } from '#contract/suppressions.ts'
import { ask } from '../api/ask.ts'
import { Problem, problemText } from '../api/problem.ts'
import { useAct, useAsk } from '../api/use-ask.ts'
import { Asked } from '../parts/asked.tsx'
import { Moment } from '../parts/moment.tsx'
import { ProblemNote } from '../parts/problem-note.tsx'
import { RowsSkeleton } from '../parts/rows-skeleton.tsx'
import { ExpiryField, expiryOf, expiryTime } from './expiry-field.tsx'
import { REASONS } from './suppression-reasons.ts'
import { useFocusRefused } from './use-focus-refused.ts'

interface EditSuppressionProps {
  readonly path: string
  readonly entry: SuppressionBody
  readonly onClose: () => void
}

/** One entry: why it is there, until when, and what somebody noted about it. */
export function EditSuppression({ path, entry, onClose }: EditSuppressionProps) {
  const detail = useAsk<SuppressionDetail>(`${path}/${entry.id}`)
  return (
    <Dialog.Root
      open
      onOpenChange={(open) => {
        if (!open) onClose()
      }}
    >
      <Dialog size="lg" className="max-h-dvh overflow-y-auto p-6">
        <Dialog.Title className="mb-4 text-xl font-semibold break-all">{entry.email}</Dialog.Title>
        <dl className="mb-4 grid grid-cols-[auto_minmax(0,1fr)] gap-x-6 gap-y-2">
          <dt className="text-kumo-subtle">Reason</dt>
          <dd>
            {REASONS[entry.reason].label}
            <p className="text-sm text-kumo-subtle">{REASONS[entry.reason].explanation}</p>
          </dd>
          <dt className="text-kumo-subtle">Scope</dt>
          <dd>{entry.scope.type === 'account' ? 'Whole account' : entry.scope.value}</dd>
          <dt className="text-kumo-subtle">Added</dt>
          <dd>
            <Moment at={entry.created_at} />
          </dd>
        </dl>
        <Asked of={detail} skeleton={<RowsSkeleton rows={2} />}>
          {(detail) => <DetailForm path={path} detail={detail} onClose={onClose} />}
        </Asked>
      </Dialog>
    </Dialog.Root>
  )
}

interface DetailFormProps {
  readonly path: string
  readonly detail: SuppressionDetail
  readonly onClose: () => void
}

function DetailForm({ path, detail, onClose }: DetailFormProps) {
  const [expiry, setExpiry] = useState(() => expiryOf(detail.expires_at))
  const [note, setNote] = useState(detail.note ?? '')
  const save = useAct((body: Change) => ask(`${path}/${detail.id}`, { method: 'PATCH', body }), [path])
  const wrong = save.error instanceof Problem ? save.error.at('/expires_at') : undefined
  const form = useRef<HTMLFormElement>(null)
  useFocusRefused(form, save.error)
  if (detail.read_only) {
    return <p className="text-kumo-subtle">{detail.note ?? 'Nothing is noted about it.'}</p>
  }
  async function submit(event: FormEvent) {
    event.preventDefault()
    const text = note.trim()
    await save.mutateAsync({ expires_at: expiryTime(expiry), note: text === '' ? null : text })
    onClose()
  }
  return (
    <form
      ref={form}
      className="flex flex-col gap-4"
      // What was refused is shown by the form.
      onSubmit={(event) => void submit(event).catch(() => {})}
    >
      <ExpiryField value={expiry} onChange={setExpiry} problem={wrong} />
      <InputArea
        label="Note"
        value={note}
        maxLength={1000}
        onChange={({ target }) => setNote(target.value)}
      />
      {save.error && wrong === undefined && <ProblemNote>{problemText(save.error)}</ProblemNote>}
      <div className="flex flex-wrap justify-end gap-2">
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" variant="primary" loading={save.isPending}>
          Save changes
        </Button>
      </div>
    </form>
  )
}
