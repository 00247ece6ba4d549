import { Badge } from '@cloudflare/kumo/components/badge'
import { LockSimpleIcon, LockSimpleOpenIcon } from '@phosphor-icons/react'
import type { DomainStatusBody } from '#contract/onboarding-records.ts'

export type CheckedRecord = DomainStatusBody['records'][number]

const WORDS = {
  ready: { label: 'Found', variant: 'success', why: 'DNS has it as it should be.' },
  missing: { label: 'Missing', variant: 'warning', why: 'DNS has no such record yet.' },
  foreign: { label: 'Wrong', variant: 'error', why: 'Another record stands in its place.' },
  conflicting: { label: 'Wrong', variant: 'error', why: 'Another record competes with it.' },
  multiple_spf: {
    label: 'Wrong',
    variant: 'error',
    why: 'There is more than one SPF record, which counts as none.',
  },
  unanswered: { label: 'No answer', variant: 'neutral', why: 'DNS did not answer.' },
} as const satisfies Record<CheckedRecord['state'], object>

/** What the last look at DNS found of a record. */
export function RecordStateBadge({ record }: { readonly record: CheckedRecord }) {
  const { label, variant, why } = WORDS[record.state]
  return (
    <span title={why} className="inline-flex">
      <Badge variant={variant} appearance="dot">
        {label}
      </Badge>
    </span>
  )
}

/** Both words mean that it is configured; the lock says whether the service manages it (config-domains.md). */
export function RecordLockBadge({ locked }: { readonly locked: boolean }) {
  return (
    <span title={locked ? 'Managed by Email Service' : 'Yours to change'} className="inline-flex">
      <Badge variant="outline" icon={locked ? <LockSimpleIcon /> : <LockSimpleOpenIcon />}>
        {locked ? 'Locked' : 'Unlocked'}
      </Badge>
    </span>
  )
}
