/** Which of an account’s domains the list has. */
export const DOMAINS_SHOWN = {
  all: { label: 'All domains', wish: {} },
  attention: { label: 'Needs attention', wish: { attention: true } },
  sending: { label: 'Sending', wish: { sending: true } },
  off: { label: 'Not onboarded', wish: { sending: false } },
} as const

export type DomainsShown = Exclude<keyof typeof DOMAINS_SHOWN, 'all'>

export function isDomainsShown(value: unknown): value is DomainsShown {
  return typeof value === 'string' && value !== 'all' && Object.hasOwn(DOMAINS_SHOWN, value)
}
