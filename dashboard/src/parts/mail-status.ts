import type { ActivityBody } from '#contract/activity.ts'

export type MailStatus = NonNullable<ActivityBody['status']>
export type MailDirection = NonNullable<ActivityBody['direction']>

interface StatusWords {
  readonly label: string
  readonly about: string
  readonly tone: 'success' | 'info' | 'warning' | 'error' | 'neutral'
}

const DELIVERY_FAILED = { label: 'Delivery failed', tone: 'error' } as const

/** What each status is called and what it says, in the order of their weight, by the way of the mail. */
export const MAIL_STATUSES = {
  sending: {
    delivered: { label: 'Delivered', about: 'The recipient’s mail server took it', tone: 'success' },
    sent: { label: 'Sent', about: 'Accepted and queued for delivery', tone: 'info' },
    deliveryFailed: { ...DELIVERY_FAILED, about: 'It bounced, or its retries ran out' },
    rejected: { label: 'Rejected', about: 'The recipient is on the suppression list', tone: 'warning' },
    failed: { label: 'Failed', about: 'It could not be sent, or was cancelled', tone: 'error' },
  },
  routing: {
    forwarded: {
      label: 'Forwarded',
      about: 'The destination address’s mail server took it',
      tone: 'success',
    },
    handled: { label: 'Handled', about: 'An Email Worker processed it', tone: 'success' },
    dropped: { label: 'Dropped', about: 'A rule says so, or none takes it', tone: 'neutral' },
    rejected: { label: 'Rejected', about: 'Refused to who sent it', tone: 'warning' },
    deliveryFailed: { ...DELIVERY_FAILED, about: 'The destination address did not take it' },
    error: { label: 'Error', about: 'Something went wrong inside', tone: 'error' },
  },
} as const satisfies Record<MailDirection, Partial<Record<MailStatus, StatusWords>>>

export function statusesOf(
  direction: MailDirection,
): readonly (StatusWords & { readonly status: MailStatus })[] {
  const words: Partial<Record<MailStatus, StatusWords>> = MAIL_STATUSES[direction]
  return Object.entries(words).map(([status, words]) => ({ status: status as MailStatus, ...words }))
}

export function statusWords(status: string, direction: MailDirection | null): StatusWords {
  const all: Readonly<Record<string, StatusWords>> = {
    ...MAIL_STATUSES[direction === 'routing' ? 'sending' : 'routing'],
    ...MAIL_STATUSES[direction ?? 'sending'],
  }
  return all[status] ?? { label: status, about: '', tone: 'neutral' }
}
