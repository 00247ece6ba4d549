import { Badge } from '@cloudflare/kumo/components/badge'
import type { AccountDomainBody } from '#contract/account-domains.ts'
import type { DomainStatusBody } from '#contract/onboarding-records.ts'

export type DomainState = 'verified' | 'waiting' | 'attention' | 'pending' | 'off'

const WORDS = {
  verified: { label: 'Verified', variant: 'success', explanation: 'All records are in DNS.' },
  waiting: {
    label: 'Waiting for DNS',
    variant: 'warning',
    explanation: 'Records are not in DNS yet.',
  },
  attention: {
    label: 'Needs attention',
    variant: 'error',
    explanation: 'Records in DNS are not as they should be.',
  },
  pending: {
    label: 'Pending proof',
    variant: 'warning',
    explanation: 'DNS has not proven yet whose domain it is.',
  },
  off: { label: 'Not onboarded', variant: 'neutral', explanation: 'Nothing is sent from it.' },
} as const satisfies Record<DomainState, object>

/** As DNS is now. */
export function stateOf({ errors, status }: DomainStatusBody): DomainState {
  const isReady = status === 'ready' || status === 'unlocked'
  return isReady ? 'verified' : lackOf(errors.map(({ code }) => code))
}

/** As of the last look. */
export function listedState({ tag, zone, status, errors }: AccountDomainBody): DomainState {
  if (zone.status === 'pending') return 'pending'
  if (tag === null) return 'off'
  return status === 'ready' ? 'verified' : lackOf(errors)
}

function lackOf(codes: AccountDomainBody['errors']): DomainState {
  return codes.every((code) => code.endsWith('.missing')) ? 'waiting' : 'attention'
}

export function explainState(state: DomainState): string {
  return WORDS[state].explanation
}

export function DomainStateBadge({ state }: { readonly state: DomainState }) {
  const { label, variant, explanation } = WORDS[state]
  return (
    <span title={explanation} className="inline-flex">
      <Badge variant={variant} appearance="dot">
        {label}
      </Badge>
    </span>
  )
}
