import { Input } from '@cloudflare/kumo/components/input'
import { Radio } from '@cloudflare/kumo/components/radio'
import { useKumoToastManager } from '@cloudflare/kumo/components/toast'
import { useState } from 'react'
import { ask } from '../api/ask.ts'
import { useAct } from '../api/use-ask.ts'
import { FormDialog } from '../parts/form-dialog.tsx'

interface ReplayFormProps {
  readonly open: boolean
  readonly onOpenChange: (open: boolean) => void
  /** Of the webhook. */
  readonly path: string
}

const STATUSES = { failed: 'What did not arrive', all: 'Everything' } as const

/** Sends once more what happened in a range of time. */
export function ReplayForm({ open, onOpenChange, path }: ReplayFormProps) {
  const [status, setStatus] = useState<string>('failed')
  const toasts = useKumoToastManager()
  const replay = useAct(
    (body: unknown) =>
      ask<{ readonly replayed: number; readonly more: boolean }>(`${path}/replay`, { method: 'POST', body }),
    [path],
  )

  async function submit(form: FormData) {
    const before = moment(form.get('before'))
    const { replayed, more } = await replay.mutateAsync({
      since: moment(form.get('since')),
      ...(before !== undefined && { before }),
      status,
    })
    toasts.add({
      title: `${replayed} ${replayed === 1 ? 'event is' : 'events are'} sent again`,
      ...(more && { description: 'There are more: replay once more.' }),
      variant: 'success',
    })
  }

  return (
    <FormDialog
      open={open}
      onOpenChange={onOpenChange}
      title="Replay events"
      lead="They are sent again with the same ids, 10,000 at most; the log goes back a week."
      action="Replay"
      onSubmit={submit}
    >
      <Input label="From" name="since" type="datetime-local" required />
      <Input label="Until" name="before" type="datetime-local" description="Empty: until now." />
      <Radio.Group legend="Which" value={status} onValueChange={(status) => setStatus(status)}>
        {Object.entries(STATUSES).map(([value, label]) => (
          <Radio.Item key={value} value={value} label={label} />
        ))}
      </Radio.Group>
    </FormDialog>
  )
}

/** What the viewer wrote, in their zone. */
function moment(value: FormDataEntryValue | null): string | undefined {
  return typeof value === 'string' && value !== '' ? new Date(value).toISOString() : undefined
}
