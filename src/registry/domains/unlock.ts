import type { Store } from '#store/store.ts'
import type { DnsProvider, ZoneRecordRow } from './dns-provider.ts'
import { type RecordChange, resourceOf } from './domain-change.ts'
import type { MailDomain } from './mail-domain.ts'
import type { Zone } from './zones.ts'

const RACES = 10

/** Lets the owner of a domain change its routing records (config-domains.md, Locked DNS records). Those of sending never
 *  unlock. Doing it again changes nothing. */
export async function unlockRouting(
  world: {
    readonly store: Store
    readonly clock: () => number
    readonly dnsProvider: (zone: Zone) => DnsProvider
  },
  { zone, domain, record }: { zone: Zone; domain: MailDomain; record: RecordChange },
): Promise<void> {
  const provider = world.dnsProvider(zone)
  // A record that went away meanwhile is a conflict, and then there is one less to unlock.
  for (let race = 0; race < RACES; race++) {
    const rows = await provider.records(zone)
    const locked = rows.filter((row) => row.locked && isRoutingOf(row, domain.name))
    if (locked.length === 0) return
    const at = world.clock()
    const committed = await world.store.commit([
      ...provider.lock(
        zone,
        locked.map(({ id }) => id),
        false,
        at,
      ),
      ...record({
        accountId: zone.accountId,
        action: 'routing.unlock',
        ...resourceOf('routing', zone, domain),
        zone: zone.name,
        before: { name: domain.name, locked: true },
        after: { name: domain.name, locked: false },
        at,
      }),
    ])
    if (committed.ok) return
  }
  throw new Error(`unlocking ${domain.name} lost ${RACES} races in a row`)
}

/** The records that routing put there for this domain and no other. */
export function isRoutingOf(row: Pick<ZoneRecordRow, 'name' | 'purpose'>, domain: string): boolean {
  if (row.purpose !== 'routing') return false
  return row.name === domain || row.name.replace(/^[^.]+\._domainkey\./, '') === domain
}
