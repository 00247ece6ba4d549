import type { RoutingSettingsBody } from '#contract/routing-settings.ts'

/** What each tab of a zone is given. */
export interface DomainTabProps {
  readonly zoneId: string
  readonly zone: RoutingSettingsBody
  /** Those that take mail or did, the zone's own at the front if it is one. */
  readonly domains: readonly RoutingSettingsBody[]
  /** The one that the address of the page names. */
  readonly domain: string | undefined
  readonly onDomain: (domain?: string) => void
}
