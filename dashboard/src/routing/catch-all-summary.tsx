import { LinkButton } from '@cloudflare/kumo/components/button'
import type { AddressResult } from '#contract/addresses.ts'
import type { CatchAllResult } from '#contract/rules.ts'
import { Section } from '../parts/page.tsx'
import { useAccount } from '../shell/use-account.ts'
import { ActionText } from './action-text.tsx'
import { type RuleState, stateOf } from './read-rule.ts'
import { useCatchAlls } from './use-catch-alls.ts'

interface CatchAllSummaryProps {
  readonly zoneId: string
  readonly domains: readonly string[]
  readonly addresses: readonly AddressResult[]
}

/** What becomes of mail that none of the rules above is for, and the way to where that is set. */
export function CatchAllSummary({ zoneId, domains, addresses }: CatchAllSummaryProps) {
  const { id } = useAccount()
  const catchAlls = useCatchAlls(zoneId, domains)
  if (catchAlls.size === 0) return null
  return (
    <Section title="Catch-all rule" lead="What becomes of mail for addresses that no rule is for.">
      <ul aria-label="Catch-all rules" className="divide-y divide-kumo-hairline">
        {[...catchAlls].map(([domain, rule]) => (
          <li
            key={domain}
            className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2 py-3 first:pt-0 last:pb-0"
          >
            <span className="min-w-0">
              <span className="font-mono text-sm [overflow-wrap:anywhere]">*@{domain}</span>{' '}
              <span className="block text-kumo-subtle">
                <Said rule={rule} state={stateOf(rule, addresses)} />
              </span>
            </span>
            <LinkButton
              size="sm"
              variant="secondary"
              href={`/${id}/routing/domains/${zoneId}?tab=catch-all&domain=${encodeURIComponent(domain)}`}
              {...(domains.length > 1 && {
                'aria-label': `${stateOf(rule, addresses) === 'disabled' ? 'Enable' : 'Edit'} Catch-all rule of ${domain}`,
              })}
            >
              {stateOf(rule, addresses) === 'disabled' ? 'Enable Catch-all rule' : 'Edit Catch-all rule'}
            </LinkButton>
          </li>
        ))}
      </ul>
    </Section>
  )
}

function Said({ rule, state }: { readonly rule: CatchAllResult; readonly state: RuleState }) {
  if (state === 'disabled') return <>Disabled: such mail is rejected.</>
  return (
    <>
      <ActionText rule={rule} />
      {state === 'unverified' && ' (waiting for verification)'}
    </>
  )
}
