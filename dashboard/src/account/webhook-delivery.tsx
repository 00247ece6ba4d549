import { Button } from '@cloudflare/kumo/components/button'
import { Dialog } from '@cloudflare/kumo/components/dialog'
import type { WholeWebhookDeliveryBody } from '#contract/webhooks.ts'
import { ask } from '../api/ask.ts'
import { problemText } from '../api/problem.ts'
import { useAct, useAsk } from '../api/use-ask.ts'
import { Asked } from '../parts/asked.tsx'
import { CodeText } from '../parts/code-text.tsx'
import { Moment } from '../parts/moment.tsx'
import { ProblemNote } from '../parts/problem-note.tsx'

interface WebhookDeliveryProps {
  /** Of the webhook. */
  readonly path: string
  readonly id: string
  readonly onClose: () => void
}

/** One event as it was told: what was sent, and what was answered each time. */
export function WebhookDelivery({ path, id, onClose }: WebhookDeliveryProps) {
  const delivery = useAsk<WholeWebhookDeliveryBody>(`${path}/deliveries/${id}`, { every: 2000 })
  const replay = useAct(() => ask(`${path}/deliveries/${id}/replay`, { method: 'POST', body: {} }), [path])
  return (
    <Dialog.Root open onOpenChange={onClose}>
      <Dialog size="xl" className="max-h-dvh overflow-y-auto p-6">
        <Dialog.Title className="mb-4 text-xl font-semibold">{delivery.data?.type ?? 'Event'}</Dialog.Title>
        <Asked of={delivery}>
          {({ log, payload, next_attempt_at, status }) => (
            <div className="flex flex-col gap-4">
              {status === 'pending' && next_attempt_at !== null && (
                <p>
                  The next attempt is at <Moment at={next_attempt_at} />.
                </p>
              )}
              <section aria-label="Attempts">
                <h3 className="mb-2 font-semibold">Attempts</h3>
                {log.length === 0 && <p className="text-kumo-subtle">None yet.</p>}
                <ol className="flex flex-col gap-2">
                  {log.map(({ at, status, duration_ms, error, detail, response }) => (
                    <li key={at} className="rounded-lg border border-kumo-hairline p-3">
                      <Moment at={at} />: {status === null ? (error ?? 'no answer') : `HTTP ${status}`} after{' '}
                      {duration_ms} ms
                      {detail !== null && <span className="block text-kumo-subtle">{detail}</span>}
                      {response !== null && response !== '' && (
                        <code className="mt-1 block font-mono text-sm break-all">{response}</code>
                      )}
                    </li>
                  ))}
                </ol>
              </section>
              <section aria-label="What is sent">
                <h3 className="mb-2 font-semibold">What is sent</h3>
                <CodeText text={JSON.stringify(payload, null, 2)} what="the payload" />
              </section>
            </div>
          )}
        </Asked>
        {replay.error && <ProblemNote className="mt-4">{problemText(replay.error)}</ProblemNote>}
        <div className="mt-6 flex justify-end gap-2">
          <Button onClick={onClose}>Close</Button>
          <Button variant="primary" loading={replay.isPending} onClick={() => replay.mutate(undefined)}>
            Send again
          </Button>
        </div>
      </Dialog>
    </Dialog.Root>
  )
}
