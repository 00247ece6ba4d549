import { LinkButton } from '@cloudflare/kumo/components/button'
import { Link } from '@cloudflare/kumo/components/link'
import { Asked } from '../parts/asked.tsx'
import { Section } from '../parts/page.tsx'
import { ListedStateBadge } from '../sending/listed-state-badge.tsx'
import { isSendingDomain } from '../sending/use-account-domains.ts'
import { useFirstDomains } from './use-first-domains.ts'

export function DomainsSection({ accountId }: { readonly accountId: string }) {
  const domains = useFirstDomains(accountId)
  const base = `/${accountId}/sending/domains`
  return (
    <Section
      title="Domains"
      actions={
        <>
          <LinkButton variant="secondary" href={base}>
            All domains
          </LinkButton>
          <LinkButton variant="primary" href={`${base}/onboard`}>
            Onboard Domain
          </LinkButton>
        </>
      }
    >
      <Asked of={domains}>
        {({ result, info }) => {
          const more = (info?.total_count ?? 0) - result.length
          return (
            <>
              {result.length === 0 && <p className="text-kumo-subtle">No domain sends yet.</p>}
              <ul className="flex flex-col gap-2">
                {result.filter(isSendingDomain).map((entry) => (
                  <li key={entry.tag} className="flex flex-wrap items-center justify-between gap-2">
                    <Link href={`${base}/${entry.zone.id}/${entry.tag}`}>{entry.name}</Link>
                    <ListedStateBadge entry={entry} />
                  </li>
                ))}
              </ul>
              {more > 0 && (
                <p className="mt-2 text-kumo-subtle">
                  And <Link href={`${base}?show=sending`}>{more.toLocaleString()} more</Link>.
                </p>
              )}
            </>
          )
        }}
      </Asked>
    </Section>
  )
}
