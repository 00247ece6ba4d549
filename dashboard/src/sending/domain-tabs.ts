/** Of a sending domain's page; the first is where one comes in. */
export const DOMAIN_TABS = [
  { value: 'overview', label: 'Overview' },
  { value: 'dkim', label: 'DKIM keys' },
  { value: 'smarthost', label: 'Smarthost' },
  { value: 'settings', label: 'Settings' },
] as const

export type DomainTab = (typeof DOMAIN_TABS)[number]['value']

export function isDomainTab(value: unknown): value is DomainTab {
  return DOMAIN_TABS.some((tab) => tab.value === value)
}
