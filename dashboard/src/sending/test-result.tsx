import { Badge } from '@cloudflare/kumo/components/badge'
import { LinkButton } from '@cloudflare/kumo/components/button'
import { useQuery } from '@tanstack/react-query'
import { type ReactNode, useEffect, useRef } from 'react'
import type { DeliveryBody, MessageBody } from '#contract/messages.ts'
import type { SendResult } from '#contract/sending.ts'
import { accountPath, ask } from '../api/ask.ts'
import { useSession } from '../api/session.ts'
import { queryKey } from '../api/use-ask.ts'
import { Section } from '../parts/page.tsx'

const STATES = {
  waiting: { label: 'Waiting', variant: 'warning' },
  claimed: { label: 'Being delivered', variant: 'info' },
  held: { label: 'Held', variant: 'warning' },
  delivered: { label: 'Delivered', variant: 'success' },
  bounced: { label: 'Bounced', variant: 'error' },
  failed: { label: 'Failed', variant: 'error' },
  rejected: { label: 'Rejected', variant: 'error' },
  dropped: { label: 'Dropped', variant: 'neutral' },
} as const satisfies Record<DeliveryBody['state'], object>

const OPEN: ReadonlySet<DeliveryBody['state']> = new Set(['waiting', 'claimed', 'held'])

interface TestResultProps {
  readonly accountId: string
  readonly result: SendResult
}

/** What became of the message for each recipient, for as long as something is open. */
export function TestResult({ accountId, result }: TestResultProps) {
  const { service } = useSession()
  const id = result.message_id.replace(/^<|>$/g, '')
  const path = accountPath(accountId, 'email/sending/messages', id, 'deliveries')
  const { data } = useQuery({
    queryKey: queryKey(path),
    queryFn: ({ signal }) => ask<MessageBody>(path, { signal }),
    refetchInterval: ({ state }) =>
      state.data?.deliveries.some(({ state }) => OPEN.has(state)) === false ? false : 2000,
  })
  const recipients = data?.deliveries.map(ofDelivery) ?? ofAnswer(result)
  const shown = useRef<HTMLDivElement>(null)
  // It appears away from the button that was pressed.
  useEffect(() => {
    // Browsers begin to answer with a promise, which is no clean-up.
    shown.current?.scrollIntoView({ block: 'nearest' })
  }, [])
  return (
    <div ref={shown}>
      <Section
        title="Sent"
        actions={
          <>
            <LinkButton
              variant="primary"
              href={`/${accountId}/sending/activity?message_id=${encodeURIComponent(id)}`}
            >
              See it in the log
            </LinkButton>
            <LinkButton variant="secondary" href={`/${accountId}/messages/${encodeURIComponent(id)}`}>
              Open message
            </LinkButton>
            {service.inbox && (
              <LinkButton variant="secondary" href={`/inbox?query=${encodeURIComponent(`message-id:${id}`)}`}>
                Open inbox
              </LinkButton>
            )}
          </>
        }
      >
        <div role="status" aria-label="Result">
          <ul className="flex flex-col divide-y divide-kumo-hairline">
            {[...recipients, ...result.suppressed_recipients.map(suppressed)].map(({ to, badge, said }) => (
              <li key={to} className="py-2">
                <span className="flex items-start gap-3">
                  {badge}
                  <span className="min-w-0 break-all">{to}</span>
                </span>
                {said !== null && (
                  <span className="block font-mono text-sm break-words text-kumo-subtle">{said}</span>
                )}
              </li>
            ))}
          </ul>
        </div>
        <p className="mt-3 font-mono text-sm break-all text-kumo-subtle">{result.message_id}</p>
      </Section>
    </div>
  )
}

interface Recipient {
  readonly to: string
  readonly badge: ReactNode
  readonly said: string | null
}

function ofDelivery({ to, state, last_reply: said }: DeliveryBody): Recipient {
  const { label, variant } = STATES[state]
  return { to, badge: <Badge variant={variant}>{label}</Badge>, said }
}

/** Until the deliveries are known. */
function ofAnswer({ delivered, permanent_bounces: bounced, queued }: SendResult): readonly Recipient[] {
  const all = (addresses: readonly string[], state: keyof typeof STATES) =>
    addresses.map((to) => ({
      to,
      badge: <Badge variant={STATES[state].variant}>{STATES[state].label}</Badge>,
      said: null,
    }))
  return [...all(delivered, 'delivered'), ...all(bounced, 'bounced'), ...all(queued, 'waiting')]
}

function suppressed(to: string): Recipient {
  return { to, badge: <Badge variant="warning">Suppressed</Badge>, said: null }
}
