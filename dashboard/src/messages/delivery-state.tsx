import { Badge } from '@cloudflare/kumo/components/badge'

const WORDS = {
  accepted: ['Accepted', 'info'],
  waiting: ['Waiting', 'info'],
  claimed: ['Being delivered', 'info'],
  deferred: ['Will be tried again', 'warning'],
  held: ['On hold', 'warning'],
  released: ['Released', 'info'],
  delivered: ['Delivered', 'success'],
  handled: ['Handled', 'success'],
  bounced: ['Delivery failed', 'error'],
  failed: ['Failed', 'error'],
  rejected: ['Rejected', 'warning'],
  dropped: ['Dropped', 'secondary'],
  complained: ['Complaint', 'warning'],
} as const

/** As the activity log of Email Routing has them. */
const ROUTED: ReadonlyMap<string, string> = new Map([
  ['delivered', 'Forwarded'],
  ['failed', 'Error'],
])

interface DeliveryStateProps {
  /** Of a delivery, or the type of an event. */
  readonly state: string
  /** Of mail that came in. */
  readonly isRouted: boolean
}

/** How far a delivery has come, in a word. */
export function DeliveryState({ state, isRouted }: DeliveryStateProps) {
  const [word, variant] = Object.hasOwn(WORDS, state)
    ? WORDS[state as keyof typeof WORDS]
    : ([state, 'secondary'] as const)
  const shown = (isRouted && ROUTED.get(state)) || word
  return (
    <Badge
      variant={variant}
      className={variant === 'warning' ? 'whitespace-nowrap text-kumo-default' : 'whitespace-nowrap'}
    >
      {!isRouted && state === 'dropped' ? 'Cancelled' : shown}
    </Badge>
  )
}
