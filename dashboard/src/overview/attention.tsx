import { Banner } from '@cloudflare/kumo/components/banner'
import { Link } from '@cloudflare/kumo/components/link'
import { WarningIcon } from '@phosphor-icons/react'
import type { ReactNode } from 'react'
import type { DomainDeliverability } from '#contract/deliverability.ts'
import { zonePath } from '../api/ask.ts'
import { useAsk } from '../api/use-ask.ts'
import { useZones } from '../parts/use-zones.ts'
import { explainProblem } from '../sending/deliverability-words.ts'
import { useSendingDomains } from '../sending/use-sending-domains.ts'
import { useAccount } from '../shell/use-account.ts'
import { useSendingLimits } from './use-sending-limits.ts'

/** Zones whose rates are asked for; each is a request. */
const MOST_ZONES = 20

/** What is wrong, or soon will be, each with the place where something can be done about it. */
export function Attention({ accountId }: { readonly accountId: string }) {
  const account = useAccount()
  const zones = useZones(accountId).data ?? []
  const domains = useSendingDomains(accountId).data ?? []
  const limits = useSendingLimits(accountId).data
  const base = `/${accountId}/sending/domains`
  const zoneIds = [...new Set(domains.map(({ zoneId }) => zoneId))].slice(0, MOST_ZONES)
  const used = limits?.quota ? (limits.usage?.sent ?? 0) / limits.quota.value : 0
  return (
    <div className="flex flex-col gap-3 not-empty:mb-6">
      {!account.sending_enabled && (
        <Note>Sending is switched off for this account. Whoever runs this service can switch it on.</Note>
      )}
      {used >= 0.8 && (
        <Note>
          {used >= 1
            ? 'The daily quota is used up: further messages are refused until it counts anew.'
            : 'More than four fifths of the daily quota are used.'}{' '}
          <Link href={`/${accountId}/account/usage`}>Usage and limits</Link>
        </Note>
      )}
      {(limits?.reason.code === 'hard-bounces' || limits?.reason.code === 'complaints') && (
        <Note>{limits.reason.detail}</Note>
      )}
      {zones
        .filter(({ status }) => status === 'pending')
        .map(({ id, name }) => (
          <Note key={id}>
            {name} is not proven to be yours yet.{' '}
            <Link href={`${base}/onboard?domain=${encodeURIComponent(name)}`}>Prove {name}</Link>
          </Note>
        ))}
      {domains
        .filter(({ isVerified }) => !isVerified)
        .map(({ zoneId, tag, name }) => (
          <Note key={tag}>
            DNS does not have all records of {name}.{' '}
            <Link href={`${base}/${zoneId}/${tag}`}>See what is missing</Link>
          </Note>
        ))}
      {zoneIds.map((zoneId) => (
        <ZoneRates key={zoneId} zoneId={zoneId} base={base} />
      ))}
    </div>
  )
}

function ZoneRates({ zoneId, base }: { readonly zoneId: string; readonly base: string }) {
  const { data = [] } = useAsk<readonly DomainDeliverability[]>(
    zonePath(zoneId, 'email/sending/deliverability'),
  )
  return data.flatMap((domain) =>
    domain.problems.map((problem) => (
      <Note key={`${domain.tag} ${problem}`}>
        <Link href={`${base}/${zoneId}/${domain.tag}`}>{domain.name}</Link>: {explainProblem(problem, domain)}
      </Note>
    )),
  )
}

function Note({ children }: { readonly children: ReactNode }) {
  return (
    <Banner variant="alert" icon={<WarningIcon weight="fill" aria-hidden />}>
      <span className="break-words">{children}</span>
    </Banner>
  )
}
