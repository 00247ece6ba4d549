import { Banner } from '@cloudflare/kumo/components/banner'
import { Link } from '@cloudflare/kumo/components/link'
import { WarningIcon } from '@phosphor-icons/react'
import type { ReactNode } from 'react'
import type { AccountDomainBody } from '#contract/account-domains.ts'
import type { DomainDeliverability } from '#contract/deliverability.ts'
import { zonePath } from '../api/ask.ts'
import { useAsk } from '../api/use-ask.ts'
import { explainProblem } from '../sending/deliverability-words.ts'
import { listedState } from '../sending/domain-state.tsx'
import { useAccountDomains } from '../sending/use-account-domains.ts'
import { useAccount } from '../shell/use-account.ts'
import { useSendingLimits } from './use-sending-limits.ts'

/** Domains that are named; the list has the others. */
const MOST_SHOWN = 5

/** What is wrong, or soon will be, each with the place where something can be done about it. */
export function Attention({ accountId }: { readonly accountId: string }) {
  const account = useAccount()
  const domains = useAccountDomains(accountId, { attention: true, perPage: MOST_SHOWN }).data
  const limits = useSendingLimits(accountId).data
  const base = `/${accountId}/sending/domains`
  const shown = domains?.result ?? []
  const more = (domains?.info?.total_count ?? 0) - shown.length
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
      {shown.map((entry) => (
        <DomainNotes key={entry.tag ?? entry.zone.id} entry={entry} base={base} />
      ))}
      {more > 0 && (
        <Note>
          {more === 1
            ? 'One more domain needs attention.'
            : `${more.toLocaleString()} more domains need attention.`}{' '}
          <Link href={`${base}?show=attention`}>See them all</Link>
        </Note>
      )}
    </div>
  )
}

interface OfEntry {
  readonly entry: AccountDomainBody
  readonly base: string
}

function DomainNotes({ entry, base }: OfEntry) {
  const { name, zone, tag, problems } = entry
  const state = listedState(entry)
  if (state === 'pending') {
    return (
      <Note>
        {name} is not proven to be yours yet.{' '}
        <Link href={`${base}/onboard?domain=${encodeURIComponent(name)}`}>Prove {name}</Link>
      </Note>
    )
  }
  const page = `${base}/${zone.id}/${tag}`
  return (
    <>
      {state === 'waiting' && (
        <Note>
          DNS does not have all records of {name}. <Link href={page}>See what is missing</Link>
        </Note>
      )}
      {state === 'attention' && (
        <Note>
          Records of {name} in DNS are not as they should be. <Link href={page}>See what is wrong</Link>
        </Note>
      )}
      {problems !== null && problems.length > 0 && <Rates entry={entry} base={base} />}
    </>
  )
}

/** What the rates should be is of the service, and comes with the figures. */
function Rates({ entry: { tag, zone }, base }: OfEntry) {
  const { data = [] } = useAsk<readonly DomainDeliverability[]>(
    zonePath(zone.id, 'email/sending/deliverability'),
  )
  return data
    .filter((domain) => domain.tag === tag)
    .flatMap((domain) =>
      domain.problems.map((problem) => (
        <Note key={problem}>
          <Link href={`${base}/${zone.id}/${tag}`}>{domain.name}</Link>: {explainProblem(problem, domain)}
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
