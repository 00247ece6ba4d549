import type { OfDomain } from './domain-page.tsx'
import { SmarthostSection } from './smarthost-section.tsx'

/** A relay for the domain, or for everything that the account sends. */
export function DomainSmarthosts({ accountId, domain }: OfDomain) {
  return (
    <>
      <SmarthostSection
        accountId={accountId}
        domain={domain.name}
        title={`Smarthost of ${domain.name}`}
        lead="A relay that takes this domain’s mail, in place of the recipients’ own servers. It goes before the account’s."
      />
      <SmarthostSection
        accountId={accountId}
        title="Smarthost of the account"
        lead="Takes the mail of every domain that has none of its own."
      />
    </>
  )
}
