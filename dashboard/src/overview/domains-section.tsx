import { LinkButton } from '@cloudflare/kumo/components/button'
import { Link } from '@cloudflare/kumo/components/link'
import { Asked } from '../parts/asked.tsx'
import { Section } from '../parts/page.tsx'
import { DomainStateBadge } from '../sending/domain-state.tsx'
import { useSendingDomains } from '../sending/use-sending-domains.ts'

const MOST_SHOWN = 6

export function DomainsSection({ accountId }: { readonly accountId: string }) {
  const domains = useSendingDomains(accountId)
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
        {(all) => (
          <>
            {all.length === 0 && <p className="text-kumo-subtle">No domain sends yet.</p>}
            <ul className="flex flex-col gap-2">
              {all.slice(0, MOST_SHOWN).map(({ zoneId, tag, name, isVerified }) => (
                <li key={tag} className="flex flex-wrap items-center justify-between gap-2">
                  <Link href={`${base}/${zoneId}/${tag}`}>{name}</Link>
                  <DomainStateBadge state={isVerified ? 'verified' : 'waiting'} />
                </li>
              ))}
            </ul>
            {all.length > MOST_SHOWN && (
              <p className="mt-2 text-kumo-subtle">And {all.length - MOST_SHOWN} more.</p>
            )}
          </>
        )}
      </Asked>
    </Section>
  )
}
