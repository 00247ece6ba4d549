import { Badge } from '@cloudflare/kumo/components/badge'
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

export function stateOf({ records, status }: DomainStatusBody): DomainState {
  if (status === 'ready' || status === 'unlocked') return 'verified'
  const isWrong = records.some(({ state }) => state !== 'ready' && state !== 'missing')
  return isWrong ? 'attention' : 'waiting'
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
