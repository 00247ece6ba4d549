import type { SuppressionBody } from '#contract/suppressions.ts'

export type SuppressionReason = SuppressionBody['reason']

/** Why an address may be on the list, and for how long: concept-suppressions.md, and what this service does. */
export const REASONS: Readonly<
  Record<SuppressionReason, { readonly label: string; readonly explanation: string }>
> = {
  manual: {
    label: 'Manual',
    explanation:
      'Somebody of this account added the address, by hand, from a file or over the API. It stays until its expiry, or for good.',
  },
  hard_bounce: {
    label: 'Hard bounce',
    explanation:
      'The recipient’s server refused for good. Where it said that there is no such mailbox or domain the entry stays until somebody deletes it; other refusals end after a week.',
  },
  soft_bounce: {
    label: 'Soft bounce',
    explanation:
      'Delivery failed repeatedly for a passing reason, such as a full mailbox. The entry ends after a day at first, and later each time that it happens soon again.',
  },
  complaint: {
    label: 'Spam complaint',
    explanation:
      'The recipient marked a message as spam. Write again only with new consent: ten such entries a day may be deleted.',
  },
  policy: {
    label: 'Policy',
    explanation: 'Whoever runs this service keeps the address from being mailed. No account can change it.',
  },
}

export function isReason(value: unknown): value is SuppressionReason {
  return typeof value === 'string' && Object.hasOwn(REASONS, value)
}
