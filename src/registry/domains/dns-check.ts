import type { ServiceNames } from '#model/service.ts'
import type { Resolver } from '#net/resolver.ts'
import { isSpfText, SPF_LOOKUPS } from '#protocol/spf-record.ts'
import { type Store, statement, type Write } from '#store/store.ts'
import { countSpfLookups } from './count-spf-lookups.ts'
import { keysOf } from './dkim-key.ts'
import type { DnsProvider } from './dns-provider.ts'
import { type RecordChange, resourceOf } from './domain-change.ts'
import {
  type JudgedRecord,
  type Judgement,
  judgeRecords,
  type RecordProblem,
  type StatusWord,
  statusWord,
} from './judge-records.ts'
import { findMailDomain, type MailDomain, statusWrite, withStatus } from './mail-domain.ts'
import { stsRecordsOf } from './mta-sts.ts'
import { isSetUp } from './offboard.ts'
import { type ExpectedRecord, expectedRecords, type MailService, spfInclude } from './onboarding-records.ts'
import { withMergedSpf } from './preview-domain.ts'
import { lookUpRecords } from './seen-records.ts'
import { isRoutingOf } from './unlock.ts'
import type { Zone } from './zones.ts'

/** What a look at DNS found for one service of a domain. */
export interface DomainCheck {
  readonly status: StatusWord
  readonly records: readonly (JudgedRecord & { readonly locked: boolean })[]
  readonly problems: readonly RecordProblem[]
  /** Names that nobody answered for; the status is then the one of before. */
  readonly unanswered: readonly string[]
  /** Of the domain's SPF record, where it is more than our include. */
  readonly spfLookups: number | undefined
}

export interface CheckWorld {
  readonly store: Store
  readonly service: ServiceNames
  readonly clock: () => number
  readonly dnsProvider: (zone: Zone) => DnsProvider
  /** DNS itself, without a memory of its own: the question is what strangers see now. */
  readonly resolver: Resolver
  /** For the events and the audit log; its writes are part of the commit. */
  readonly record: RecordChange
  readonly changed: (domain: MailDomain) => void
}

/** How soon to look again. What is wrong is looked at often, since somebody may be mending it. */
const AGAIN_MS = { pending: 60_000, wrong: 5 * 60_000, ready: 60 * 60_000 } as const

/** A look that found the same as one a moment ago is not kept: whoever waits for DNS asks again and again. */
const SAME_MS = 30_000

interface CheckRow {
  readonly status: string
  readonly problems: string
  readonly checked_at: number
}

const lastCheck = statement<CheckRow>(
  'dns-check.last',
  'select status, problems, checked_at from dns_check where domain_id = $1 and mail = $2 and account_id = $3',
)

// Of two looks at once one is kept, and only that one is told of.
const keepCheck = statement(
  'dns-check.keep',
  `insert into dns_check (domain_id, mail, account_id, status, problems, checked_at, due_at)
   values ($1, $2, $3, $4, $5, $6, $7)
   on conflict (domain_id, mail) do update set status = excluded.status, problems = excluded.problems,
     checked_at = excluded.checked_at, due_at = excluded.due_at
   where dns_check.checked_at = $8`,
)

/** Looks at DNS, keeps what it found, puts a waiting domain into use once its records are there, and tells of drift
 *  and of its end. */
export async function checkDomain(
  world: CheckWorld,
  { zone, domain, mail }: { zone: Zone; domain: MailDomain; mail: MailService },
): Promise<DomainCheck> {
  const found = await lookAtDns(world, { zone, domain, mail })
  if (!isSetUp(domain[mail])) return { ...found, status: 'unconfigured' }
  const { store } = world
  const last = await store.get(lastCheck, [domain.id, mail, domain.accountId])
  const before = last && readWord(last.status)
  const status = found.unanswered.length > 0 ? (before ?? 'misconfigured') : found.status
  const at = Math.max(world.clock(), (last?.checked_at ?? 0) + 1)
  const activates = domain[mail] === 'pending' && isUsable(mail, found.records)
  const result = { ...found, status }
  if (!activates && last && isSame(last, result, at)) return result
  const committed = await store.commit([
    keepWrite({ domain, mail, last, found: result, at, activates }),
    ...(activates ? activation(world, { zone, domain, mail, at }) : []),
    ...drift(world, { zone, domain, mail, before, now: result, at }),
  ])
  if (committed.ok && activates) world.changed(domain)
  return result
}

function isSame({ status, problems, checked_at }: CheckRow, now: DomainCheck, at: number): boolean {
  return status === now.status && problems === JSON.stringify(codesOf(now)) && at - checked_at < SAME_MS
}

/** What DNS says, without consequences. */
export async function lookAtDns(
  { store, service, resolver, dnsProvider }: Omit<CheckWorld, 'record' | 'changed' | 'clock'>,
  { zone, domain, mail }: { zone: Zone; domain: MailDomain; mail: MailService },
): Promise<DomainCheck & { readonly status: Exclude<StatusWord, 'unconfigured'> }> {
  const plain = await recordsOf(store, { domain, mail, service })
  const seen = await lookUpRecords(plain, resolver)
  // What is to be in DNS beside an SPF record of the domain's own is that one, with our include in it.
  const there = seen.records.map((record) => ({ ...record, row: undefined }))
  const expected = withMergedSpf(plain, there, service)
  const judged = judgeRecords(expected, seen, service.spf)
  const rows = await dnsProvider(zone).records(zone)
  const spf = expected.find(({ role }) => role === 'spf')
  const published = seen.records.find(({ name, content }) => name === spf?.name && isSpfText(content))
  const lookups =
    published && published.content !== spfInclude(service)
      ? await countSpfLookups(published.content, (name) => resolver.txt(name))
      : undefined
  const problems: RecordProblem[] = [
    ...judged.problems,
    ...(published && lookups && lookups.lookups > SPF_LOOKUPS
      ? [{ code: 'spf.too_many_lookups' as const, existing: published }]
      : []),
  ]
  const isLocked = ({ name, type, content }: ExpectedRecord) =>
    rows.some((row) => row.locked && row.name === name && row.type === type && row.content === content)
  return {
    ...judged,
    records: judged.records.map((record) => ({ ...record, locked: isLocked(record.expected) })),
    problems,
    status: statusWord(problems, locksOf(mail, rows, domain)),
    spfLookups: lookups?.lookups,
  }
}

/** Records that a domain needs for a service: those of the key that signs, and of the one that will. */
export async function recordsOf(
  store: Store,
  { domain, mail, service }: { domain: MailDomain; mail: MailService; service: ServiceNames },
): Promise<ExpectedRecord[]> {
  const keys = await keysOf(store, { accountId: domain.accountId, domainId: domain.id, mail })
  const records = expectedRecords(mail, domain.name, {
    service,
    keys: keys
      .filter(({ state }) => state === 'active' || state === 'publishing')
      .map(({ selector, public_key, state }) => ({
        selector,
        publicKey: public_key,
        next: state === 'publishing',
      })),
  })
  return mail === 'routing' ? [...records, ...(await stsRecordsOf(store, domain, service))] : records
}

function locksOf(
  mail: MailService,
  rows: readonly { readonly name: string; readonly purpose: string; readonly locked: boolean }[],
  domain: MailDomain,
): 'locked' | 'unlocked' | 'none' {
  // The records of sending never unlock, and their status has no word for it (clients.md §4).
  if (mail === 'sending') return 'none'
  const ours = rows.filter((row) => isRoutingOf(row, domain.name))
  if (ours.length === 0) return 'none'
  return ours.every(({ locked }) => locked) ? 'locked' : 'unlocked'
}

/** What a domain waits for before it works (DECISIONS, Who may send): sending for a signature and an envelope sender
 *  that pass, routing for mail that comes here. */
function isUsable(mail: MailService, records: Judgement['records']): boolean {
  const needed = mail === 'sending' ? ['spf', 'dkim'] : ['mx']
  return records.every(
    ({ expected, state }) => expected.next || state === 'ready' || !needed.includes(expected.role),
  )
}

interface Checked {
  readonly zone: Zone
  readonly domain: MailDomain
  readonly mail: MailService
  readonly at: number
}

function keepWrite(kept: {
  readonly domain: MailDomain
  readonly mail: MailService
  readonly last: CheckRow | undefined
  readonly found: DomainCheck
  readonly at: number
  readonly activates: boolean
}): Write {
  const { domain, mail, last, found, at, activates } = kept
  const waits = domain[mail] === 'pending' && !activates
  const fine = found.status === 'ready' || found.status === 'unlocked'
  const again = AGAIN_MS[waits ? 'pending' : fine ? 'ready' : 'wrong']
  const params = [
    ...[domain.id, mail, domain.accountId, found.status, JSON.stringify(codesOf(found)), at, at + again],
    last?.checked_at ?? 0,
  ]
  return { statement: keepCheck, params, rows: 1 }
}

function activation(world: CheckWorld, { zone, domain, mail, at }: Checked): Write[] {
  return [
    statusWrite(domain, withStatus(domain, mail, 'active'), Math.max(at, domain.modifiedAt + 1)),
    ...world.record({
      accountId: domain.accountId,
      action: mail === 'sending' ? 'sending_domain.verified' : 'routing.verified',
      ...resourceOf(mail, zone, domain),
      zone: zone.name,
      before: { name: domain.name, status: 'pending' },
      after: { name: domain.name, status: 'active' },
      at,
    }),
  ]
}

function drift(
  world: CheckWorld,
  {
    zone,
    domain,
    mail,
    before,
    now,
    at,
  }: Checked & { readonly before: StatusWord | undefined; readonly now: DomainCheck },
): readonly Write[] {
  if (before === undefined || isFine(before) === isFine(now.status)) return []
  return world.record({
    accountId: domain.accountId,
    action: isFine(now.status) ? 'dns.restored' : 'dns.drifted',
    ...resourceOf(mail, zone, domain),
    zone: zone.name,
    before: { name: domain.name, status: before },
    after: { name: domain.name, status: now.status, problems: codesOf(now) },
    at,
  })
}

function isFine(status: StatusWord): boolean {
  return status === 'ready' || status === 'unlocked'
}

function codesOf({ problems }: DomainCheck): string[] {
  return [...new Set(problems.map(({ code }) => code))]
}

const WORDS = ['ready', 'unconfigured', 'misconfigured', 'misconfigured/locked', 'unlocked'] as const

function readWord(text: string): StatusWord | undefined {
  return WORDS.find((word) => word === text)
}

/** The status of the last look, where there was one. */
export async function lastStatus(
  store: Store,
  domain: MailDomain,
  mail: MailService,
): Promise<StatusWord | undefined> {
  const row = await store.get(lastCheck, [domain.id, mail, domain.accountId])
  return row && readWord(row.status)
}

/** For a look that has to follow a change: the domain as it is now. */
export async function checkAgain(
  world: CheckWorld,
  { zone, domainId, mail }: { zone: Zone; domainId: string; mail: MailService },
): Promise<DomainCheck | undefined> {
  const scope = { accountId: zone.accountId, zoneId: zone.id }
  const domain = await findMailDomain(world.store, scope, domainId)
  return domain && checkDomain(world, { zone, domain, mail })
}
