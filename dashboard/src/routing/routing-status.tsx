import { Badge } from '@cloudflare/kumo/components/badge'
import type { DomainStatusBody } from '#contract/onboarding-records.ts'
import type { RoutingSettingsBody } from '#contract/routing-settings.ts'
import { zonePath } from '../api/ask.ts'
import { useAsk } from '../api/use-ask.ts'
import type { ZoneDetail } from '../domains/zone-detail.ts'
import { isFine, useRoutingRecords } from './use-routing-records.ts'

const WORDS = {
  off: ['neutral', 'Not onboarded'],
  pending: ['warning', 'Pending proof'],
  ready: ['success', 'Ready'],
  unlocked: ['success', 'Ready, unlocked'],
  waiting: ['warning', 'Waiting for DNS'],
  misconfigured: ['error', 'Misconfigured'],
  unknown: ['neutral', 'Looking at DNS'],
} as const satisfies Record<string, readonly ['neutral' | 'success' | 'warning' | 'error', string]>

type State = keyof typeof WORDS

interface RoutingStatusProps {
  readonly zoneId: string
  readonly settings: RoutingSettingsBody
  /** Nobody has proven the zone yet. */
  readonly isPending?: boolean
}

/** Whether a domain takes mail; of one that does not yet, as DNS has it at each moment. */
export function RoutingStatus({ zoneId, settings, isPending = false }: RoutingStatusProps) {
  if (isPending) return <StateBadge state="pending" />
  if (!settings.enabled) return <StateBadge state="off" />
  return <SeenStatus zoneId={zoneId} settings={settings} />
}

function SeenStatus({ zoneId, settings }: Pick<RoutingStatusProps, 'zoneId' | 'settings'>) {
  const { status, name } = settings
  // The page may have looked at the records meanwhile; they are watched as long as they are not as they should be.
  const { data: answer } = useRoutingRecords(zoneId, name, { enabled: false })
  const isWatched = !isFine(settings) || (answer !== undefined && !isFine(answer))
  useRoutingRecords(zoneId, name, { enabled: isWatched })
  const { data: zone } = useAsk<ZoneDetail>(zonePath(zoneId), { enabled: isWatched })
  if (!isWatched)
    return <StateBadge state={(answer?.status ?? status) === 'unlocked' ? 'unlocked' : 'ready'} />
  return <StateBadge state={zone && answer ? stateOf(zone, answer) : 'unknown'} />
}

/** What DNS lacks comes from whoever copies it, or with the delegation; what was deleted here does not come by itself.
 *  That the owner's SPF record lets us send is theirs to copy, too. */
function stateOf({ dns }: ZoneDetail, answer: DomainStatusBody): State {
  if (isFine(answer)) return answer.status === 'unlocked' ? 'unlocked' : 'ready'
  const isOnItsWay = answer.errors.every(({ code }) => code.endsWith('.missing') || code === 'spf.foreign')
  const isWritten = dns === 'manual' || answer.status === 'misconfigured/locked'
  return isOnItsWay && isWritten ? 'waiting' : 'misconfigured'
}

function StateBadge({ state }: { readonly state: State }) {
  const [variant, label] = WORDS[state]
  return (
    <Badge variant={variant} appearance="dot">
      {label}
    </Badge>
  )
}
