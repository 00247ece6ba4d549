import { Button } from '@cloudflare/kumo/components/button'
import { Input } from '@cloudflare/kumo/components/input'
import { Link } from '@cloudflare/kumo/components/link'
import type { FormEvent } from 'react'
import { Asked } from '../parts/asked.tsx'
import { Section } from '../parts/page.tsx'
import type { OfDomain } from './domain-page.tsx'
import { ListedStateBadge } from './listed-state-badge.tsx'
import { domainRoute } from './routes.ts'
import { isSendingDomain, useAccountDomains } from './use-account-domains.ts'

/** Every one of a zone, with room for zones whose names end in its. */
const MOST = 1000

/** The other domains of the zone: each sends by itself, with records of its own (config-subdomains.md). */
export function ZoneDomains({ accountId, zone, domain }: OfDomain) {
  const domains = useAccountDomains(accountId, { name: zone.name, sending: true, perPage: MOST })
  const navigate = domainRoute.useNavigate()
  function onboard(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const label = new FormData(event.currentTarget).get('label')
    if (typeof label !== 'string' || label.trim() === '') return
    const name = `${label.trim().replace(/\.$/, '')}.${zone.name}`
    void navigate({
      to: '/$accountId/sending/domains/onboard',
      params: { accountId },
      search: { domain: name },
    })
  }
  return (
    <Section
      title="Subdomains"
      lead="A subdomain is a sending domain of its own: kinds of mail that differ do well to come from different ones."
    >
      <Asked of={domains}>
        {({ result }) => {
          const others = result
            .filter(isSendingDomain)
            .filter((entry) => entry.zone.id === zone.id && entry.tag !== domain.tag)
          if (others.length === 0) {
            return <p className="mb-4 text-kumo-subtle">No other domain of {zone.name} sends.</p>
          }
          return (
            <ul className="mb-4 flex flex-col gap-2">
              {others.map((entry) => (
                <li key={entry.tag} className="flex flex-wrap items-center gap-x-3 gap-y-1">
                  <Link href={`/${accountId}/sending/domains/${zone.id}/${entry.tag}`}>{entry.name}</Link>
                  <ListedStateBadge entry={entry} />
                </li>
              ))}
            </ul>
          )
        }}
      </Asked>
      <form className="flex flex-wrap items-end gap-3" onSubmit={onboard}>
        <Input
          label="Subdomain"
          name="label"
          placeholder="mail"
          description={`.${zone.name}`}
          autoComplete="off"
          autoCapitalize="none"
          required
        />
        <Button type="submit">Onboard subdomain</Button>
      </form>
    </Section>
  )
}
