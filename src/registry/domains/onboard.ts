import type { ServiceNames } from '#model/service.ts'
import { newId } from '#store/id.ts'
import { type Store, statement, type Write } from '#store/store.ts'
import type { Vault } from '#vault/vault.ts'
import { type DkimKeyPair, findDomainKey, generateDkimKey, keyWrite } from './dkim-key.ts'
import {
  dmarcName,
  type ExpectedRecord,
  expectedRecords,
  isDmarc,
  isSpf,
  type MailService,
  SELECTOR,
} from './onboarding-records.ts'
import { inside } from './zone-contents.ts'
import { AUTOMATIC_TTL } from './zone-record.ts'
import { findZone } from './zones.ts'

/** Off, set up and not seen in DNS yet, in use, switched off by its owner. */
export type MailStatus = 'none' | 'pending' | 'active' | 'disabled'

export type Onboarding =
  | { readonly kind: 'onboarded'; readonly domainId: string; readonly status: 'pending' | 'active' }
  /** No such zone in this account. */
  | { readonly kind: 'unknown-zone' }
  /** Nobody has proven yet whose zone it is (promise 6). */
  | { readonly kind: 'pending-zone' }
  | { readonly kind: 'outside-zone'; readonly zone: string }
  /** platform-limits.md: domains per zone, both services together, the apex included. */
  | { readonly kind: 'too-many-domains'; readonly limit: number }
  /** Records that would compete with ours: a foreign MX for routing, a second SPF record (RFC 7208 §4.5). */
  | { readonly kind: 'conflicting-records'; readonly records: readonly string[] }

export interface OnboardWorld {
  readonly store: Store
  readonly vault: Vault
  readonly service: ServiceNames
  readonly clock: () => number
}

export interface OnboardRequest {
  readonly accountId: string
  readonly zoneId: string
  /** As `parseDomainName` gives it. */
  readonly name: string
  readonly mail: MailService
  /** Whether the domain works at once, or after its records were seen in DNS. */
  readonly active: boolean
}

export const DOMAINS_PER_ZONE = 30
// Each lost race means that somebody else made progress.
const RACES = 10

interface DomainRow {
  readonly id: string
  readonly sending: string
  readonly routing: string
  readonly modified_at: number
}

interface RecordRow {
  readonly name: string
  readonly type: string
  readonly content: string
}

const domainOfZone = statement<DomainRow>(
  'domain.of-zone',
  'select id, sending, routing, modified_at from domain where zone_id = $1 and account_id = $2 and name = $3',
)

const countDomains = statement<{ readonly domains: number }>(
  'domain.count',
  'select count(*) as domains from domain where zone_id = $1 and account_id = $2',
)

const recordsOfZone = statement<RecordRow>(
  'dns-record.of-zone',
  'select name, type, content from dns_record where zone_id = $1 and account_id = $2',
)

const insertDomain = statement(
  'domain.insert',
  `insert into domain (id, zone_id, account_id, name, sending, routing, preview_enabled, drop_suppressed_recipients,
     created_at, modified_at)
   select $1, $2, $3, $4, $5, $6, 1, 0, cast($7 as bigint), cast($7 as bigint)
   where (select count(*) from domain where zone_id = $2 and account_id = $3) < ${DOMAINS_PER_ZONE}
   on conflict (zone_id, name) do nothing`,
)

// The time last seen makes this a compare-and-set: of two onboardings that read the same row, one begins again.
const updateDomain = statement(
  'domain.update-status',
  `update domain set sending = $4, routing = $5, modified_at = $6
   where id = $1 and account_id = $2 and modified_at = $3`,
)

const insertRecord = statement(
  'dns-record.insert',
  `insert into dns_record (id, zone_id, account_id, name, type, content, priority, ttl, locked, purpose, created_at)
   values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
)

/** Sets a domain up for one service, in one write set: its row, its key and its DNS records. Doing it again changes
 *  nothing, and what was switched off comes back with the key it had. */
export async function onboard(world: OnboardWorld, request: OnboardRequest): Promise<Onboarding> {
  let pair: DkimKeyPair | undefined
  for (let race = 0; race < RACES; race++) {
    const before = await look(world.store, request)
    if ('kind' in before) return before
    pair ??= before.publicKey === undefined ? await generateDkimKey() : undefined
    const plan = planWrites(world, { request, before, pair })
    if ('kind' in plan) return plan
    if (plan.set.length === 0) return plan.result
    const committed = await world.store.commit(plan.set)
    if (committed.ok) return plan.result
  }
  throw new Error(`onboarding ${request.name} lost ${RACES} races in a row`)
}

interface Before {
  readonly domain: DomainRow | undefined
  readonly publicKey: string | undefined
  readonly records: readonly RecordRow[]
}

async function look(store: Store, request: OnboardRequest): Promise<Before | Onboarding> {
  const { accountId, zoneId, name, mail } = request
  const zone = await findZone(store, accountId, zoneId)
  if (!zone) return { kind: 'unknown-zone' }
  if (zone.status !== 'active') return { kind: 'pending-zone' }
  if (!inside(name, zone.name)) return { kind: 'outside-zone', zone: zone.name }
  const domain = await store.get(domainOfZone, [zoneId, accountId, name])
  if (!domain) {
    const count = await store.get(countDomains, [zoneId, accountId])
    if (count && count.domains >= DOMAINS_PER_ZONE)
      return { kind: 'too-many-domains', limit: DOMAINS_PER_ZONE }
  }
  const key =
    domain &&
    (await findDomainKey(store, {
      accountId,
      domainId: domain.id,
      domainName: name,
      selector: SELECTOR[mail],
    }))
  return { domain, publicKey: key?.public_key, records: await store.all(recordsOfZone, [zoneId, accountId]) }
}

interface Plan {
  readonly set: readonly Write[]
  readonly result: Extract<Onboarding, { kind: 'onboarded' }>
}

function planWrites(
  { vault, service, clock }: OnboardWorld,
  { request, before, pair }: { request: OnboardRequest; before: Before; pair: DkimKeyPair | undefined },
): Plan | Onboarding {
  const { accountId, zoneId, name, mail } = request
  const { domain } = before
  const publicKey = before.publicKey ?? pair?.publicKey
  if (publicKey === undefined) throw new Error('a domain without a key gets a new pair')
  const expected = expectedRecords(mail, name, { service, publicKey })
  const conflicts = conflictingRecords(mail, expected, before.records)
  if (conflicts.length > 0) return { kind: 'conflicting-records', records: conflicts }
  const missing = missingRecords(name, expected, before.records)

  const at = Math.max(clock(), (domain?.modified_at ?? 0) + 1)
  const status = domain?.[mail] === 'active' || request.active ? 'active' : 'pending'
  const domainId = domain?.id ?? newId()
  const result = { kind: 'onboarded', domainId, status } as const
  if (domain?.[mail] === status && before.publicKey !== undefined && missing.length === 0)
    return { set: [], result }

  const keyOwner = { domainId, accountId, domainName: name, selector: SELECTOR[mail] }
  const set: Write[] = [
    domainWrite(request, { domain, domainId, status, at }),
    ...(pair && before.publicKey === undefined ? [keyWrite(keyOwner, pair, { vault, at })] : []),
    ...missing.map(
      (record): Write => ({
        statement: insertRecord,
        params: [
          newId(),
          zoneId,
          accountId,
          record.name,
          record.type,
          record.content,
          record.priority,
          AUTOMATIC_TTL,
          record.locked ? 1 : 0,
          mail,
          at,
        ],
        rows: 1,
      }),
    ),
  ]
  return { set, result }
}

function domainWrite(
  { accountId, zoneId, name, mail }: OnboardRequest,
  change: { domain: DomainRow | undefined; domainId: string; status: MailStatus; at: number },
): Write {
  const { domain, domainId, status, at } = change
  const statuses = { sending: domain?.sending ?? 'none', routing: domain?.routing ?? 'none', [mail]: status }
  const { sending, routing } = statuses
  return domain
    ? {
        statement: updateDomain,
        params: [domainId, accountId, domain.modified_at, sending, routing, at],
        rows: 1,
      }
    : {
        statement: insertDomain,
        params: [domainId, zoneId, accountId, name, sending, routing, at],
        rows: 1,
      }
}

function missingRecords(
  domain: string,
  expected: readonly ExpectedRecord[],
  present: readonly RecordRow[],
): ExpectedRecord[] {
  const ownDmarc = present.some((record) => record.name === dmarcName(domain) && isDmarc(record))
  return expected.filter(
    (record) =>
      !(ownDmarc && isDmarc(record)) &&
      !present.some(
        ({ name, type, content }) =>
          name === record.name && type === record.type && content === record.content,
      ),
  )
}

function conflictingRecords(
  mail: MailService,
  expected: readonly ExpectedRecord[],
  present: readonly RecordRow[],
): string[] {
  const foreign = present.filter(
    (record) =>
      expected.some(({ name }) => name === record.name) &&
      !expected.some(({ name, content }) => name === record.name && content === record.content),
  )
  return foreign
    .filter(
      (record) => (mail === 'routing' && record.type === 'MX') || isSpf(record) || record.type === 'CNAME',
    )
    .map(({ name, type, content }) => `${type} ${name} ${content}`)
}
