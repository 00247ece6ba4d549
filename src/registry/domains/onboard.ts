import type { ServiceNames } from '#model/service.ts'
import type { Resolver } from '#net/resolver.ts'
import { SPF_LOOKUPS } from '#protocol/spf-record.ts'
import { newId } from '#store/id.ts'
import { type Store, statement, type Write } from '#store/store.ts'
import type { Vault } from '#vault/vault.ts'
import { countSpfLookups } from './count-spf-lookups.ts'
import { type DkimKeyPair, type DomainKey, generateDkimKey, keysOf, keyWrite } from './dkim-key.ts'
import type { DnsProvider } from './dns-provider.ts'
import { type RecordChange, resourceOf } from './domain-change.ts'
import {
  countMailDomains,
  DOMAINS_PER_ZONE,
  findDomainNamed,
  insertDomainWrite,
  isInUse,
  type MailDomain,
  otherZoneOf,
  statusWrite,
  withStatus,
} from './mail-domain.ts'
import { stsRecordsOf } from './mta-sts.ts'
import { type ExpectedRecord, expectedRecords, type MailService, SELECTOR } from './onboarding-records.ts'
import { planRecords, type RecordPlan } from './plan-records.ts'
import { presentRecords } from './present-records.ts'
import { inside } from './zone-contents.ts'
import { findZone, type Zone } from './zones.ts'

export type Onboarding =
  | { readonly kind: 'onboarded'; readonly domainId: string; readonly status: 'pending' | 'active' }
  /** No such zone in this account. */
  | { readonly kind: 'unknown-zone' }
  /** Nobody has proven yet whose zone it is (promise 6). */
  | { readonly kind: 'pending-zone' }
  | { readonly kind: 'outside-zone'; readonly zone: string }
  /** `cf-bounce.…` is where return paths are. */
  | { readonly kind: 'reserved-name' }
  /** So long that the names of its records would not be names (RFC 1035 §2.3.4). */
  | { readonly kind: 'name-too-long'; readonly limit: number }
  /** The name is set up in another zone of this account. */
  | { readonly kind: 'in-other-zone'; readonly zone: string }
  | { readonly kind: 'too-many-domains'; readonly limit: number }
  /** Records that would compete with ours: a foreign MX, several SPF records (RFC 7208 §4.5), another key. */
  | { readonly kind: 'conflicting-records'; readonly records: readonly string[] }
  /** Our include in the domain's own SPF record would take it past what verifiers ask (RFC 7208 §4.6.4). */
  | {
      readonly kind: 'spf-too-many-lookups'
      readonly lookups: number
      readonly limit: number
      readonly merged: string
    }
  /** DNS did not say what stands at these names; a later try may do. */
  | { readonly kind: 'unanswered'; readonly names: readonly string[] }

export type OnboardingRefused = Exclude<Onboarding, { readonly kind: 'onboarded' }>

export interface OnboardWorld {
  readonly store: Store
  readonly vault: Vault
  readonly service: ServiceNames
  readonly clock: () => number
  readonly dnsProvider: (zone: Zone) => DnsProvider
  readonly resolver: Resolver
}

export interface OnboardRequest {
  readonly accountId: string
  readonly zoneId: string
  /** As `parseDomainName` gives it. */
  readonly name: string
  readonly mail: MailService
  /** Whether the domain works at once, or after its records were seen in DNS. */
  readonly active: boolean
  /** Nothing where it was set up before, whatever became of it. */
  readonly once?: boolean
  readonly record?: RecordChange
}

// RFC 1035 §2.3.4 allows 253 octets, and `cf-bounce-9999._domainkey.` stands before the name.
const LONGEST_NAME = 253 - 'cf-bounce-9999._domainkey.'.length
// Each lost race means that somebody else made progress.
const RACES = 10

// Changes nothing, and conflicts where the record is no longer what was merged.
const sameContent = statement(
  'onboard.same-content',
  'update dns_record set content = content where id = $1 and zone_id = $2 and content = $3',
)

/** Sets a domain up for one service, in one write set: its row, its key and its DNS records. Doing it again mends what
 *  is missing and changes nothing else, and what was switched off comes back with the key it had. */
export async function onboard(world: OnboardWorld, request: OnboardRequest): Promise<Onboarding> {
  let pair: DkimKeyPair | undefined
  for (let race = 0; race < RACES; race++) {
    const before = await look(world.store, request)
    if ('kind' in before) return before
    if (request.once && before.domain && before.signing)
      return { kind: 'onboarded', domainId: before.domain.id, status: 'active' }
    pair ??= before.signing ? undefined : await generateDkimKey()
    const plan = await planOnboarding(world, { request, before, pair })
    if ('kind' in plan) return plan
    if (plan.set.length === 0) return plan.result
    const committed = await world.store.commit(plan.set)
    if (committed.ok) return plan.result
  }
  throw new Error(`onboarding ${request.name} lost ${RACES} races in a row`)
}

interface Before {
  readonly zone: Zone
  readonly domain: MailDomain | undefined
  /** The key that signs, or will once the domain is in use. */
  readonly signing: DomainKey | undefined
  /** A key that is on its way to sign. */
  readonly next: DomainKey | undefined
}

async function look(store: Store, request: OnboardRequest): Promise<Before | Onboarding> {
  const { accountId, zoneId, name, mail } = request
  const zone = await findZone(store, accountId, zoneId)
  if (!zone) return { kind: 'unknown-zone' }
  if (zone.status !== 'active') return { kind: 'pending-zone' }
  const fault = nameFault(zone, name)
  if (fault) return fault
  const domain = await findDomainNamed(store, request, name)
  const other = domain ? undefined : await otherZoneOf(store, request, name)
  if (other !== undefined) return { kind: 'in-other-zone', zone: other }
  if (!(domain && isInUse(domain)) && (await countMailDomains(store, request)) >= DOMAINS_PER_ZONE)
    return { kind: 'too-many-domains', limit: DOMAINS_PER_ZONE }
  const keys = domain ? await keysOf(store, { accountId, domainId: domain.id, mail }) : []
  return {
    zone,
    domain,
    signing: keys.find(({ state }) => state === 'active'),
    next: keys.find(({ state }) => state === 'publishing'),
  }
}

/** Why a name can be no domain of the zone. */
export function nameFault(zone: Zone, name: string): OnboardingRefused | undefined {
  if (!inside(name, zone.name)) return { kind: 'outside-zone', zone: zone.name }
  if (name.startsWith('cf-bounce.')) return { kind: 'reserved-name' }
  return name.length > LONGEST_NAME ? { kind: 'name-too-long', limit: LONGEST_NAME } : undefined
}

interface Step {
  readonly request: OnboardRequest
  readonly before: Before
  readonly pair: DkimKeyPair | undefined
}

interface Plan {
  readonly set: readonly Write[]
  readonly result: Extract<Onboarding, { kind: 'onboarded' }>
}

async function planOnboarding(world: OnboardWorld, step: Step): Promise<Plan | Onboarding> {
  const { service, resolver } = world
  const { zone, domain } = step.before
  const { mail, name } = step.request
  const expected = [
    ...expectedRecords(mail, name, { service, keys: keysToPublish(step) }),
    ...(domain && mail === 'routing' ? await stsRecordsOf(world.store, domain, service) : []),
  ]
  const present = await presentRecords(zone, expected, { provider: world.dnsProvider(zone), resolver })
  if (present.unanswered.length > 0) return { kind: 'unanswered', names: present.unanswered }
  const records = planRecords(mail, expected, { present: present.records, spfHost: service.spf })
  if (records.conflicts.length > 0)
    return {
      kind: 'conflicting-records',
      records: records.conflicts.map(({ name: at, type, content }) => `${type} ${at} ${content}`),
    }
  if (records.merge) {
    const merged = records.merge.content
    const { lookups } = await countSpfLookups(merged, (host) => resolver.txt(host))
    if (lookups > SPF_LOOKUPS) return { kind: 'spf-too-many-lookups', lookups, limit: SPF_LOOKUPS, merged }
  }
  return planWrites(world, step, records)
}

function keysToPublish({ request, before, pair }: Step) {
  const { signing, next } = before
  const first = signing
    ? { selector: signing.selector, publicKey: signing.public_key }
    : { selector: SELECTOR[request.mail], publicKey: pair?.publicKey }
  return next ? [first, { selector: next.selector, publicKey: next.public_key, next: true }] : [first]
}

function planWrites(world: OnboardWorld, { request, before, pair }: Step, records: RecordPlan): Plan {
  const { accountId, name, mail } = request
  const { zone, domain } = before
  const at = Math.max(world.clock(), (domain?.modifiedAt ?? 0) + 1)
  const status = domain?.[mail] === 'active' || request.active ? 'active' : 'pending'
  const domainId = domain?.id ?? newId()
  const result = { kind: 'onboarded', domainId, status } as const
  const publish = recordWrites(zone, { world, mail, at }, records)
  if (domain?.[mail] === status && before.signing && publish.length === 0) return { set: [], result }

  const statuses = withStatus(domain, mail, status)
  const owner = { domainId, accountId, domainName: name, selector: SELECTOR[mail], mail }
  const set: Write[] = [
    domain
      ? statusWrite(domain, statuses, at)
      : insertDomainWrite(request, { id: domainId, name, ...statuses, at }),
    ...(pair && !before.signing ? [keyWrite(owner, pair, { vault: world.vault, at })] : []),
    ...publish,
    ...(request.record?.({
      accountId,
      action: mail === 'sending' ? 'sending_domain.onboard' : 'routing.enable',
      ...resourceOf(mail, zone, { id: domainId, name }),
      zone: zone.name,
      ...(domain && { before: { name, status: domain[mail] } }),
      after: { name, status, ...(records.merge && { spf: records.merge.content }) },
      at,
    }) ?? []),
  ]
  return { set, result }
}

function recordWrites(
  zone: Zone,
  { world, mail, at }: { readonly world: OnboardWorld; readonly mail: MailService; readonly at: number },
  { put, merge, stale, lock }: RecordPlan,
): Write[] {
  const provider = world.dnsProvider(zone)
  const published = (record: ExpectedRecord) => provider.publishes(zone, record.name)
  const merged = merge?.existing.row
  const removed = [...stale.flatMap(({ row }) => row ?? []), ...(merged ? [merged] : [])]
  return [
    ...(merged ? [{ statement: sameContent, params: [merged.id, zone.id, merged.content], rows: 1 }] : []),
    ...provider.remove(
      zone,
      removed.map(({ id }) => id),
      at,
    ),
    ...provider.put(zone, put.filter(published), { purpose: mail, at }),
    // It stays its owner's: not locked, and not deleted when the domain leaves.
    ...(merge && merged
      ? provider.put(zone, [{ ...merged, content: merge.content }], { purpose: 'owner', at })
      : []),
    ...provider.lock(
      zone,
      lock.flatMap(({ row }) => row?.id ?? []),
      true,
      at,
    ),
  ]
}
