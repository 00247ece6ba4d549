import type { ServiceNames } from '#model/service.ts'
import { type StsMode, type StsPolicy, stsPolicyId, writeStsRecord } from '#protocol/mta-sts.ts'
import { type Store, statement, type Write } from '#store/store.ts'
import type { MailDomain } from './mail-domain.ts'
import type { ExpectedRecord } from './onboarding-records.ts'

/** What a domain says of TLS to those who send to it. Times in milliseconds since 1970. */
export interface MtaSts {
  /** `off`: nothing is published. */
  readonly mode: 'off' | StsMode
  readonly maxAgeSeconds: number
  /** Until when somebody may hold an earlier policy that asked for TLS. */
  readonly heldUntil: number
  /** When a policy goes that was switched off; null while it is meant to stay. */
  readonly endsAt: number | null
  /** Null before it was ever set. It grows with every change. */
  readonly modifiedAt: number | null
}

/** The original's (config-mta-sts.md). */
export const DEFAULT_MAX_AGE_SECONDS = 86_400

const NEVER_SET: MtaSts = {
  mode: 'off',
  maxAgeSeconds: DEFAULT_MAX_AGE_SECONDS,
  heldUntil: 0,
  endsAt: null,
  modifiedAt: null,
}

interface MtaStsRow {
  readonly mode: string
  readonly max_age: number
  readonly held_until: number
  readonly ends_at: number | null
  readonly modified_at: number
}

const ofDomain = statement<MtaStsRow>(
  'mta-sts.of-domain',
  'select mode, max_age, held_until, ends_at, modified_at from mta_sts where domain_id = $1 and account_id = $2',
)

// Of two first settings one conflicts.
const insertSetting = statement(
  'mta-sts.insert',
  `insert into mta_sts (domain_id, account_id, mode, max_age, held_until, ends_at, modified_at)
   values ($1, $2, $3, $4, $5, $6, $7) on conflict (domain_id) do nothing`,
)

const updateSetting = statement(
  'mta-sts.update',
  `update mta_sts set mode = $3, max_age = $4, held_until = $5, ends_at = $6, modified_at = $7
   where domain_id = $1 and account_id = $2 and modified_at = $8`,
)

export async function mtaStsOf(store: Store, domain: Pick<MailDomain, 'id' | 'accountId'>): Promise<MtaSts> {
  const row = await store.get(ofDomain, [domain.id, domain.accountId])
  if (!row) return NEVER_SET
  return {
    mode: stsMode(row.mode) ?? 'off',
    maxAgeSeconds: row.max_age,
    heldUntil: row.held_until,
    endsAt: row.ends_at,
    modifiedAt: row.modified_at,
  }
}

export function stsMode(text: string): StsMode | undefined {
  return text === 'none' || text === 'testing' || text === 'enforce' ? text : undefined
}

/** Conflicts where the setting is no longer as `before` says. */
export function mtaStsWrite(
  domain: Pick<MailDomain, 'id' | 'accountId'>,
  before: MtaSts,
  after: MtaSts & { readonly modifiedAt: number },
): Write {
  const { mode, maxAgeSeconds, heldUntil, endsAt, modifiedAt } = after
  const params = [domain.id, domain.accountId, mode, maxAgeSeconds, heldUntil, endsAt, modifiedAt]
  return before.modifiedAt === null
    ? { statement: insertSetting, params, rows: 1 }
    : { statement: updateSetting, params: [...params, before.modifiedAt], rows: 1 }
}

// What this process and others hold of the policy in memory is served a little longer.
const SERVED_LATE_MS = 60_000

/** The setting once `wish` came true at `at`. What is switched off says `none` first, and only goes when nobody can hold
 *  a policy any more that asked for TLS (RFC 8461 §8.3). */
export function mtaStsAfter(
  before: MtaSts,
  wish: { readonly mode: MtaSts['mode']; readonly maxAgeSeconds?: number | undefined },
  at: number,
): MtaSts & { readonly modifiedAt: number } {
  const asksForTls = before.mode === 'testing' || before.mode === 'enforce'
  const heldUntil = asksForTls
    ? Math.max(before.heldUntil, at + before.maxAgeSeconds * 1000 + SERVED_LATE_MS)
    : before.heldUntil
  const modifiedAt = Math.max(at, (before.modifiedAt ?? 0) + 1)
  if (wish.mode !== 'off') {
    const maxAgeSeconds = wish.maxAgeSeconds ?? before.maxAgeSeconds
    return { mode: wish.mode, maxAgeSeconds, heldUntil, endsAt: null, modifiedAt }
  }
  const isHeld = before.mode !== 'off' && heldUntil > at
  return {
    mode: isHeld ? 'none' : 'off',
    maxAgeSeconds: DEFAULT_MAX_AGE_SECONDS,
    heldUntil,
    endsAt: isHeld ? heldUntil : null,
    modifiedAt,
  }
}

/** Whether `wish` is what is. */
export function isAsWished(
  now: MtaSts,
  wish: { readonly mode: MtaSts['mode']; readonly maxAgeSeconds?: number | undefined },
): boolean {
  if (wish.mode === 'off') return now.mode === 'off' || now.endsAt !== null
  const sameAge = wish.maxAgeSeconds === undefined || wish.maxAgeSeconds === now.maxAgeSeconds
  return now.mode === wish.mode && sameAge && now.endsAt === null
}

/** The hosts that take mail for every domain here (reference-postmaster.md). */
function exchanges(service: ServiceNames): string {
  return service.routes[0].replace(/^[^.]+/, '*')
}

/** The policy that a domain of its own setting has; undefined while that is off. */
export function policyOf(
  service: ServiceNames,
  { mode, maxAgeSeconds }: Pick<MtaSts, 'mode' | 'maxAgeSeconds'>,
): StsPolicy | undefined {
  return mode === 'off' ? undefined : { mode, mx: [exchanges(service)], maxAgeSeconds }
}

/** The service's own, which customers may point to (DECISIONS, Domains). */
export function servicePolicy(service: ServiceNames): StsPolicy {
  return { mode: 'enforce', mx: [exchanges(service)], maxAgeSeconds: DEFAULT_MAX_AGE_SECONDS }
}

export function servicePolicyId(service: ServiceNames): string {
  return stsPolicyId(service.domain, servicePolicy(service))
}

/** Where senders look for the policy of a domain (RFC 8461 §3.3). */
export function policyHost(domain: string): string {
  return `mta-sts.${domain}`
}

/** The records that the domain's setting needs: none while it is off. */
export async function stsRecordsOf(
  store: Store,
  domain: Pick<MailDomain, 'id' | 'accountId' | 'name'>,
  service: ServiceNames,
): Promise<ExpectedRecord[]> {
  const policy = policyOf(service, await mtaStsOf(store, domain))
  return policy ? stsRecords(domain.name, service, policy) : []
}

/** What announces the policy of a domain (RFC 8461 §3.1), and what leads to it. */
export function stsRecords(domain: string, service: ServiceNames, policy: StsPolicy): ExpectedRecord[] {
  return [
    {
      role: 'sts',
      name: `_mta-sts.${domain}`,
      type: 'TXT',
      content: writeStsRecord(stsPolicyId(domain, policy)),
      priority: null,
      locked: true,
      instead: { alias: service.mtaSts, id: servicePolicyId(service) },
    },
    {
      role: 'sts-host',
      name: policyHost(domain),
      type: 'CNAME',
      content: service.mtaStsPolicy,
      priority: null,
      locked: true,
    },
  ]
}
