import { Badge } from '@cloudflare/kumo/components/badge'
import { Input } from '@cloudflare/kumo/components/input'
import { useState } from 'react'
import type { RoutingSettingsBody } from '#contract/routing-settings.ts'
import type { RuleResult } from '#contract/rules.ts'
import { Section } from '../parts/page.tsx'
import { ActionText } from './action-text.tsx'
import { type Match, matchAddress } from './match-address.ts'
import { addressOf } from './read-rule.ts'
import { useCatchAlls } from './use-catch-alls.ts'

interface AddressTestProps {
  readonly zoneId: string
  readonly zone: RoutingSettingsBody
  readonly domains: readonly string[]
  readonly rules: readonly RuleResult[]
}

/** Which rule decides about an address, before any mail is sent. */
export function AddressTest({ zoneId, zone, domains, rules }: AddressTestProps) {
  const [address, setAddress] = useState('')
  const catchAlls = useCatchAlls(zoneId, domains)
  const isAddress = /^\S+@\S+$/.test(address.trim())
  const match = matchAddress(address, { rules, catchAlls, domains, subaddressing: zone.support_subaddress })
  return (
    <Section title="Try an address" lead="See what becomes of mail for an address, as the rules are now.">
      <div className="max-w-md">
        <Input
          label="Address"
          placeholder={`someone@${domains[0] ?? zone.name}`}
          value={address}
          autoComplete="off"
          spellCheck={false}
          onChange={(event) => setAddress(event.target.value)}
        />
      </div>
      <p role="status" className="mt-3 min-h-6">
        {isAddress && <Said match={match} />}
      </p>
    </Section>
  )
}

function Said({ match }: { readonly match: Match }) {
  switch (match.kind) {
    case 'rule':
      return (
        <>
          <Badge variant="success">Rule</Badge> The rule for{' '}
          <span className="font-mono text-sm">{addressOf(match.rule)}</span>
          {match.subaddress && ' (subaddressing)'}: <ActionText rule={match.rule} />
        </>
      )
    case 'catch-all':
      return (
        <>
          <Badge variant="success">Catch-all</Badge> No rule is for it, so the catch-all decides:{' '}
          <ActionText rule={match.rule} />
        </>
      )
    case 'refused':
      return (
        <>
          <Badge variant="error">Refused</Badge> No active rule is for it, and there is no active catch-all:
          the sender is told that the address does not exist.
        </>
      )
    case 'elsewhere':
      return (
        <>
          <Badge variant="secondary">Elsewhere</Badge> Mail for this domain does not come here.
        </>
      )
  }
}
