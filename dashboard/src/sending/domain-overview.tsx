import { DnsRecords } from './dns-records.tsx'
import { DomainFigures } from './domain-figures.tsx'
import type { OfDomain } from './domain-page.tsx'
import { ZoneDomains } from './zone-domains.tsx'

export function DomainOverview(of: OfDomain) {
  return (
    <>
      <DnsRecords {...of} />
      <DomainFigures {...of} />
      <ZoneDomains {...of} />
    </>
  )
}
