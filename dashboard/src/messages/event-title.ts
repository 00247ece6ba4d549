import type { TimelineEvent } from '#contract/messages.ts'

/** What happened, as a sentence begins. */
export function eventTitle({ type, terminal, recipients, routing, worker }: TimelineEvent): string {
  switch (type) {
    case 'accepted':
      return acceptedTitle(recipients?.length ?? 1, { routing, worker })
    case 'deferred':
      return 'Put off: it will be tried again'
    case 'held':
      return 'Put on hold'
    case 'released':
      return 'Released'
    case 'delivered':
      return routing ? 'Forwarded' : 'Delivered'
    case 'bounced':
      return terminal ? 'Delivery failed' : 'Delivery failed: it came back after it was delivered'
    case 'failed':
      return routing ? 'Error: it could not be processed' : 'Failed'
    case 'rejected':
      return 'Rejected'
    case 'dropped':
      return routing ? 'Dropped' : 'Cancelled'
    case 'handled':
      return 'Handled by a Worker'
    case 'complained':
      return 'The recipient complained'
    default:
      return type
  }
}

function acceptedTitle(
  count: number,
  { routing, worker }: Pick<TimelineEvent, 'routing' | 'worker'>,
): string {
  if (routing) return 'Accepted, and on its way to the destination'
  const whom = count === 1 ? 'one recipient' : `${count} recipients`
  const by = worker ? ` from the Worker ${worker.script_name}` : ''
  return `Accepted${by} for ${whom}`
}

export type EventTone = 'good' | 'bad' | 'care' | 'plain'

const TONES: Readonly<Record<string, EventTone>> = {
  ...{ delivered: 'good', handled: 'good', bounced: 'bad', failed: 'bad', rejected: 'bad' },
  ...{ deferred: 'care', held: 'care', complained: 'care' },
}

export function eventTone({ type }: TimelineEvent): EventTone {
  return TONES[type] ?? 'plain'
}
