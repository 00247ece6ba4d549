import type { Resolver } from '#net/resolver.ts'
import { type Store, statement, type Write } from '#store/store.ts'
import type { Vault } from '#vault/vault.ts'
import { type DkimKeyPair, type DomainKey, generateDkimKey, keysOf, keyWrite } from './dkim-key.ts'
import type { DnsProvider } from './dns-provider.ts'
import { type DomainChange, type RecordChange, resourceOf } from './domain-change.ts'
import { findMailDomain, type MailDomain } from './mail-domain.ts'
import { isSetUp } from './offboard.ts'
import { dkimKeyIn, dkimName, dkimText, type MailService, SELECTOR } from './onboarding-records.ts'
import type { Zone } from './zones.ts'

/** The life of a DKIM key: published, seen in DNS, signing in the place of the one before, kept in DNS for the verifiers
 *  of what it signed, taken out. Nobody has to wait for anybody: until a new key was seen, the old one signs. */
export interface RotationWorld {
  readonly store: Store
  readonly vault: Vault
  readonly clock: () => number
  readonly dnsProvider: (zone: Zone) => DnsProvider
  /** DNS itself, without a memory of its own. */
  readonly resolver: Pick<Resolver, 'txt'>
  readonly changed: (domain: MailDomain) => void
}

export type Rotation =
  /** `begun` anew, or found `under-way`; then this process may have taken it a step further. */
  | { readonly kind: 'begun' | 'under-way' | 'not-set-up' }
  /** So many old keys are still in DNS for what they signed. */
  | { readonly kind: 'too-many-keys'; readonly limit: number }

/** How long an old key stays in DNS: mail waits in queues for five days (RFC 5321 §4.5.4.1), and is read later still. */
export const KEEP_KEY_MS = 14 * 24 * 60 * 60 * 1000

/** Old keys in DNS at a time: each is a record that every change of the zone carries along. */
const RETIRING_KEYS = 10
const RACES = 10

const moveKey = statement(
  'dkim-key.move',
  `update dkim_key set state = $4, state_at = $5
   where id = $1 and account_id = $2 and state = $3`,
)

const retireKey = statement(
  'dkim-key.retire',
  `update dkim_key set state = 'retired', state_at = $3, private_key = ''
   where id = $1 and account_id = $2 and state = 'retiring'`,
)

export interface KeyOf {
  readonly zone: Zone
  readonly domain: MailDomain
  readonly mail: MailService
  readonly record: RecordChange
}

/** Makes the next key and publishes it. One at a time: while a key waits to be seen there is no other. */
export async function beginRotation(world: RotationWorld, of: KeyOf): Promise<Rotation> {
  const { zone, domain, mail } = of
  let pair: DkimKeyPair | undefined
  for (let race = 0; race < RACES; race++) {
    const scope = { accountId: zone.accountId, zoneId: zone.id }
    const now = await findMailDomain(world.store, scope, domain.id)
    const keys = await keysOf(world.store, { accountId: domain.accountId, domainId: domain.id, mail })
    const signing = keys.find(({ state }) => state === 'active')
    if (!now || !isSetUp(now[mail]) || !signing) return { kind: 'not-set-up' }
    if (keys.some(({ state }) => state === 'publishing')) return { kind: 'under-way' }
    if (keys.filter(({ state }) => state === 'retiring').length >= RETIRING_KEYS)
      return { kind: 'too-many-keys', limit: RETIRING_KEYS }
    pair ??= await generateDkimKey()
    const provider = world.dnsProvider(zone)
    const rows = await provider.records(zone)
    const taken = new Set(rows.map(({ name }) => name))
    const selector = nextSelector(mail, keys, (wanted) => taken.has(dkimName(wanted, domain.name)))
    const at = world.clock()
    const name = dkimName(selector, domain.name)
    const owner = {
      domainId: domain.id,
      accountId: domain.accountId,
      domainName: domain.name,
      selector,
      mail,
    }
    const put = { name, type: 'TXT', content: dkimText(pair.publicKey), priority: null, locked: true }
    const committed = await world.store.commit([
      keyWrite(owner, pair, { vault: world.vault, at, state: 'publishing' }),
      ...(provider.publishes(zone, name) ? provider.put(zone, [put], { purpose: mail, at }) : []),
      ...of.record(keyChange(of, 'dkim.rotate', { before: signing.selector, after: selector, at })),
    ])
    if (!committed.ok) continue
    world.changed(domain)
    return { kind: 'begun' }
  }
  throw new Error(`rotating the ${mail} key of ${domain.name} lost ${RACES} races in a row`)
}

/** The first selector as the specification names it, then numbered; none that was used before or is in use. */
export function nextSelector(
  mail: MailService,
  keys: readonly { readonly selector: string }[],
  isTaken: (selector: string) => boolean,
): string {
  const stem = mail === 'sending' ? SELECTOR.sending : SELECTOR.routing.replace(/-\d+$/, '')
  for (let number = 2; ; number++) {
    const selector = `${stem}-${number}`
    if (!keys.some((key) => key.selector === selector) && !isTaken(selector)) return selector
  }
}

/** Takes the keys of a domain as far as they may go now: a published one signs once DNS shows it, and one that stopped
 *  signing long enough ago goes. */
export async function advanceKeys(world: RotationWorld, of: KeyOf): Promise<void> {
  const { domain, mail } = of
  const keys = await keysOf(world.store, { accountId: domain.accountId, domainId: domain.id, mail })
  const next = keys.find(({ state }) => state === 'publishing')
  const signing = keys.find(({ state }) => state === 'active')
  if (next && signing && (await isSeen(world, domain, next))) await switchKeys(world, of, { signing, next })
  const now = world.clock()
  for (const key of keys)
    if (key.state === 'retiring' && key.state_at + KEEP_KEY_MS <= now) await retire(world, of, key)
}

async function isSeen(world: RotationWorld, domain: MailDomain, key: DomainKey): Promise<boolean> {
  const answer = await world.resolver.txt(dkimName(key.selector, domain.name))
  return (
    answer.kind === 'found' &&
    answer.records.length === 1 &&
    answer.records.every((text) => dkimKeyIn(text) === key.public_key)
  )
}

async function switchKeys(
  world: RotationWorld,
  of: KeyOf,
  { signing, next }: { readonly signing: DomainKey; readonly next: DomainKey },
): Promise<void> {
  const { domain } = of
  const at = world.clock()
  const move = (key: DomainKey, to: 'retiring' | 'active'): Write => ({
    statement: moveKey,
    params: [key.id, domain.accountId, key.state, to, at],
    rows: 1,
  })
  // A domain has one key that signs, so the old one makes room first.
  const committed = await world.store.commit([
    move(signing, 'retiring'),
    move(next, 'active'),
    ...of.record(keyChange(of, 'dkim.switch', { before: signing.selector, after: next.selector, at })),
  ])
  if (committed.ok) world.changed(domain)
}

async function retire(world: RotationWorld, of: KeyOf, key: DomainKey): Promise<void> {
  const { zone, domain } = of
  const provider = world.dnsProvider(zone)
  const name = dkimName(key.selector, domain.name)
  const rows = await provider.records(zone, name, 'TXT')
  const ours = rows.filter(({ content }) => dkimKeyIn(content) === key.public_key)
  const at = world.clock()
  const committed = await world.store.commit([
    { statement: retireKey, params: [key.id, domain.accountId, at], rows: 1 },
    ...provider.remove(
      zone,
      ours.map(({ id }) => id),
      at,
    ),
    ...of.record(keyChange(of, 'dkim.retire', { before: key.selector, at })),
  ])
  if (committed.ok) world.changed(domain)
}

function keyChange(
  { zone, domain, mail }: KeyOf,
  action: 'dkim.rotate' | 'dkim.switch' | 'dkim.retire',
  { before, after, at }: { readonly before: string; readonly after?: string; readonly at: number },
): DomainChange {
  const shown = (selector: string) => ({ name: domain.name, service: mail, selector })
  return {
    accountId: domain.accountId,
    action,
    ...resourceOf(mail, zone, domain),
    zone: zone.name,
    before: shown(before),
    ...(after !== undefined && { after: shown(after) }),
    at,
  }
}
