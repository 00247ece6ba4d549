import type { ServiceNames } from '#model/service.ts'
import type { Resolver } from '#net/resolver.ts'
import { type Store, statement, type Write } from '#store/store.ts'
import type { DnsProvider } from './dns-provider.ts'
import { type DomainChange, type RecordChange, resourceOf } from './domain-change.ts'
import { isForeign } from './judge-records.ts'
import type { MailDomain } from './mail-domain.ts'
import {
  isAsWished,
  type MtaSts,
  mtaStsAfter,
  mtaStsOf,
  mtaStsWrite,
  policyOf,
  stsRecords,
} from './mta-sts.ts'
import type { OnboardingRefused } from './onboard.ts'
import { expectedRecords } from './onboarding-records.ts'
import { planSts } from './plan-sts.ts'
import { presentRecords } from './present-records.ts'
import { lookUpRecords } from './seen-records.ts'
import type { Zone } from './zones.ts'

export interface StsWish {
  readonly mode: MtaSts['mode']
  /** As it was unless given. */
  readonly maxAgeSeconds?: number | undefined
}

export type StsChange =
  | { readonly kind: 'changed'; readonly now: MtaSts }
  /** The domain takes no mail here, so it has nothing to say of it. */
  | { readonly kind: 'not-set-up' }
  /** Records of others are where ours belong; or another provider's MX is, which no policy of ours may rule out. */
  | Extract<OnboardingRefused, { readonly kind: 'conflicting-records' | 'unanswered' }>

export interface StsWorld {
  readonly store: Store
  readonly service: ServiceNames
  readonly clock: () => number
  readonly dnsProvider: (zone: Zone) => DnsProvider
  readonly resolver: Resolver
}

interface OfDomain {
  readonly zone: Zone
  readonly domain: MailDomain
  readonly record: RecordChange
}

const RACES = 10

// Changes nothing, and conflicts where the domain left meanwhile.
const stillRouting = statement(
  'mta-sts.still-routing',
  `update domain set routing = routing where id = $1 and account_id = $2 and routing in ('pending', 'active')`,
)

/** Sets what the domain says, with its records and the line in the audit log in one commit. */
export async function changeMtaSts(
  world: StsWorld,
  of: OfDomain & { readonly wish: StsWish },
): Promise<StsChange> {
  const { store, service, clock } = world
  const { domain, wish } = of
  for (let race = 0; race < RACES; race++) {
    const before = await mtaStsOf(store, domain)
    if (isAsWished(before, wish)) return { kind: 'changed', now: before }
    const after = mtaStsAfter(before, wish, clock())
    // Switching off is for those who have left, too.
    const stays = wish.mode !== 'off'
    if (stays && domain.routing !== 'pending' && domain.routing !== 'active') return { kind: 'not-set-up' }
    const refused = wish.mode === 'enforce' ? await refuseForeignHosts(world, domain) : undefined
    if (refused) return refused
    const policy = policyOf(service, after)
    const records = policy
      ? await announce(world, of, stsRecords(domain.name, service, policy))
      : await withdraw(world, of.zone, domain.name)
    if ('kind' in records) return records
    const committed = await store.commit([
      ...(stays ? [{ statement: stillRouting, params: [domain.id, domain.accountId], rows: 1 }] : []),
      mtaStsWrite(domain, before, after),
      ...records,
      ...of.record(changeOf(of, 'mta_sts.update', before, after)),
    ])
    if (committed.ok) return { kind: 'changed', now: after }
    if (committed.conflict === stillRouting.name) return { kind: 'not-set-up' }
  }
  throw new Error(`changing MTA-STS of ${domain.name} lost ${RACES} races in a row`)
}

/** Takes a policy away whose time has come; nothing where it was set anew meanwhile. */
export async function endMtaSts(world: StsWorld, of: OfDomain): Promise<void> {
  const { store, clock } = world
  for (let race = 0; race < RACES; race++) {
    const before = await mtaStsOf(store, of.domain)
    const at = clock()
    if (before.endsAt === null || before.endsAt > at) return
    const after = mtaStsAfter(before, { mode: 'off' }, at)
    const committed = await store.commit([
      mtaStsWrite(of.domain, before, after),
      ...(await withdraw(world, of.zone, of.domain.name)),
      ...of.record(changeOf(of, 'mta_sts.end', before, after)),
    ])
    if (committed.ok) return
  }
  throw new Error(`ending MTA-STS of ${of.domain.name} lost ${RACES} races in a row`)
}

/** For the commit in which a domain stops taking mail here: its mail goes to other hosts, which a policy of ours does
 *  not name, so it says `none` from now on for as long as anybody may hold an earlier one. */
export async function stopMtaSts(
  world: Omit<StsWorld, 'resolver'>,
  of: OfDomain & { readonly at: number },
): Promise<Write[]> {
  const { store, service, dnsProvider } = world
  const { zone, domain, at } = of
  const before = await mtaStsOf(store, domain)
  if (isAsWished(before, { mode: 'off' })) return []
  const after = mtaStsAfter(before, { mode: 'off' }, at)
  const policy = policyOf(service, after)
  const provider = dnsProvider(zone)
  const expected = policy ? stsRecords(domain.name, service, policy) : []
  const rows = await provider.records(zone)
  const present = rows.map((row) => {
    const { name, type, content, priority } = row
    return { name, type, content, priority, row }
  })
  const plan = planSts(expected, present)
  return [
    mtaStsWrite(domain, before, after),
    ...(policy
      ? swap(provider, zone, { ...plan, at })
      : await withdraw({ ...world, clock: () => at }, zone, domain.name)),
    ...of.record(changeOf(of, 'mta_sts.update', before, after)),
  ]
}

async function announce(
  { dnsProvider, resolver, clock }: StsWorld,
  { zone }: OfDomain,
  expected: ReturnType<typeof stsRecords>,
): Promise<Write[] | Extract<StsChange, { kind: 'conflicting-records' | 'unanswered' }>> {
  const provider = dnsProvider(zone)
  const present = await presentRecords(zone, expected, { provider, resolver })
  if (present.unanswered.length > 0) return { kind: 'unanswered', names: present.unanswered }
  const plan = planSts(expected, present.records)
  return plan.conflicts.length > 0
    ? conflicting(plan.conflicts)
    : swap(provider, zone, { ...plan, at: clock() })
}

function swap(
  provider: DnsProvider,
  zone: Zone,
  { stale, put, at }: Pick<ReturnType<typeof planSts>, 'stale' | 'put'> & { readonly at: number },
): Write[] {
  return [
    ...provider.remove(
      zone,
      stale.flatMap(({ row }) => row?.id ?? []),
      at,
    ),
    ...provider.put(
      zone,
      put.filter(({ name }) => provider.publishes(zone, name)),
      { purpose: 'routing', at },
    ),
  ]
}

/** What we put there, and its owner has not made theirs. */
async function withdraw(
  { dnsProvider, clock }: Pick<StsWorld, 'dnsProvider' | 'clock'>,
  zone: Zone,
  domain: string,
): Promise<Write[]> {
  const provider = dnsProvider(zone)
  const rows = await provider.records(zone)
  const ours = rows.filter((row) => row.purpose === 'routing' && row.locked && isStsName(row.name, domain))
  return provider.remove(
    zone,
    ours.map(({ id }) => id),
    clock(),
  )
}

function isStsName(name: string, domain: string): boolean {
  return name === `_mta-sts.${domain}` || name === `mta-sts.${domain}`
}

/** Who unlocked a domain's records may have another provider's MX beside ours (config-domains.md), and senders that hold
 *  to the policy would not deliver there. */
async function refuseForeignHosts({ service, resolver }: StsWorld, { name }: MailDomain) {
  const expected = expectedRecords('routing', name, { service, keys: [] }).filter(({ role }) => role === 'mx')
  const seen = await lookUpRecords(expected, resolver)
  if (seen.unanswered.length > 0) return { kind: 'unanswered', names: seen.unanswered } as const
  const foreign = seen.records.filter((record) => isForeign(record, expected))
  return foreign.length > 0 ? conflicting(foreign) : undefined
}

function conflicting(
  records: readonly { readonly type: string; readonly name: string; readonly content: string }[],
) {
  const texts = records.map(({ type, name, content }) => `${type} ${name} ${content}`)
  return { kind: 'conflicting-records', records: texts } as const
}

function changeOf(
  { zone, domain }: OfDomain,
  action: 'mta_sts.update' | 'mta_sts.end',
  before: MtaSts,
  after: MtaSts & { readonly modifiedAt: number },
): DomainChange {
  const shown = ({ mode, maxAgeSeconds, endsAt }: MtaSts) => ({
    ...{ name: domain.name, mode, max_age: maxAgeSeconds },
    ...(endsAt !== null && { ends: new Date(endsAt).toISOString() }),
  })
  return {
    accountId: domain.accountId,
    action,
    ...resourceOf('routing', zone, domain),
    zone: zone.name,
    before: shown(before),
    after: shown(after),
    at: after.modifiedAt,
  }
}
