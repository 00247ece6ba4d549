import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { serviceNames } from '#model/service.ts'
import type { Lookup, Resolver } from '#net/resolver.ts'
import { openAccounts } from '#registry/accounts/accounts.ts'
import { auditWrite } from '#registry/accounts/audit.ts'
import { authorityResolver } from '#registry/domains/authority-resolver.ts'
import type { DomainChange, RecordChange } from '#registry/domains/domain-change.ts'
import { openDomains } from '#registry/domains/domains.ts'
import { type MailSetupWorld, openMailSetup } from '#registry/domains/mail-setup.ts'
import { LOOPBACK_ADDRESSES } from '#registry/domains/service-zone.ts'
import type { Zone, ZoneOptions } from '#registry/domains/zones.ts'
import type { OpenStore } from '#test/stores.ts'
import { openVault } from '#vault/vault.ts'

const service = serviceNames('posthorn.test')
const addresses = { ...LOOPBACK_ADDRESSES, policies: true }

/** An account that sets domains up, over real parts. DNS is what our own zones say, `published` adds to it (names that
 *  we do not host) or stands in its place, and `broken` names do not answer. */
export async function openSetupWorld(
  open: OpenStore,
  options: Partial<Pick<MailSetupWorld, 'activeAtOnce' | 'rotateAfterMs'>> = {},
) {
  const { store } = open
  let now = 1_800_000_000_000
  const clock = () => now
  const vault = openVault(randomBytes(32))
  const accounts = openAccounts({ store, clock })
  const accountId = (await accounts.createAccount('A')).id
  const domains = openDomains({ store, vault, service, addresses, clock })
  const published = new Map<string, readonly string[]>()
  const broken = new Set<string>()
  const changes: DomainChange[] = []
  const record: RecordChange = (change) => {
    changes.push(change)
    return [auditWrite({ ...change, actor: 'system' })]
  }
  const mailSetup = openMailSetup({
    ...{ store, vault, service, clock, domains, activeAtOnce: true, ...options },
    resolver: overlaid(authorityResolver(domains.authority, { kind: 'no-such-name' }), published, broken),
    recordBySystem: record,
  })

  async function zone(name = 'yourdomain.com', zoneOptions: ZoneOptions = { active: true }): Promise<Zone> {
    const created = await domains.createZone(accountId, name, zoneOptions)
    assert.ok(created.kind === 'created', created.kind)
    return created.zone
  }

  async function publish(of: Zone, type: string, name: string, content: string): Promise<void> {
    const priority = type === 'MX' ? 10 : null
    const put = domains
      .dnsProvider(of)
      .put(of, [{ name, type, content, priority }], { purpose: 'owner', at: now })
    assert.ok((await store.commit(put)).ok)
    domains.recordsChanged(of.id)
  }

  async function rows(of: Zone): Promise<string[]> {
    const all = await domains.dnsProvider(of).records(of)
    return all.map(
      ({ type, name, content, purpose, locked }) =>
        `${type} ${name} ${content.replace(/p=.{20,}/, 'p=…')} ${purpose}${locked ? ' locked' : ''}`,
    )
  }

  /** Takes records of a zone away, as a hand in the database would. */
  async function vanish(of: Zone, name: string): Promise<void> {
    const provider = domains.dnsProvider(of)
    const gone = await provider.records(of, name)
    const ids = gone.map(({ id }) => id)
    assert.ok((await store.commit(provider.remove(of, ids, now))).ok)
    domains.recordsChanged(of.id)
  }

  return {
    ...{ accountId, accounts, domains, mailSetup, published, broken, changes, record, service, store },
    ...{ zone, publish, rows, vanish },
    pass: (ms: number) => (now += ms),
    actions: () => changes.splice(0).map(({ action }) => action),
  }
}

/** Keys are `MX name`, `TXT name` and `A name`; an MX is `10 host`. */
function overlaid(
  own: Resolver,
  published: ReadonlyMap<string, readonly string[]>,
  broken: ReadonlySet<string>,
): Resolver {
  async function ask<T>(
    key: string,
    name: string,
    read: (text: string) => T,
    otherwise: () => Promise<Lookup<T>>,
  ): Promise<Lookup<T>> {
    if (broken.has(name)) return { kind: 'temporary-failure', detail: 'ESERVFAIL' }
    const texts = published.get(key)
    if (!texts) return otherwise()
    return texts.length > 0 ? { kind: 'found', records: texts.map(read) } : { kind: 'no-data' }
  }
  return {
    mx: (name) =>
      ask(
        `MX ${name}`,
        name,
        (text) => {
          const [preference, exchange = ''] = text.split(' ')
          return { preference: Number(preference), exchange }
        },
        () => own.mx(name),
      ),
    addresses: (name) =>
      ask(
        `A ${name}`,
        name,
        (address) => ({ address, family: 4 }),
        () => own.addresses(name),
      ),
    txt: (name) =>
      ask(
        `TXT ${name}`,
        name,
        (text) => text,
        () => own.txt(name),
      ),
  }
}
