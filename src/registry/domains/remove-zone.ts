import { type Store, statement, type Write } from '#store/store.ts'
import type { Zone } from './zones.ts'

const ofItsDomains = 'domain_id in (select id from domain where zone_id = $1 and account_id = $2)'

// What points at a zone's domains and at the zone goes before them; what other rooms keep of it goes by itself.
const REMOVAL = [
  statement('zone.remove-smarthosts', `delete from smarthost where ${ofItsDomains}`),
  statement('zone.remove-keys', `delete from dkim_key where ${ofItsDomains}`),
  statement('zone.remove-records', 'delete from dns_record where zone_id = $1 and account_id = $2'),
  statement('zone.remove-domains', 'delete from domain where zone_id = $1 and account_id = $2'),
]

const removeRow = statement('zone.remove', 'delete from zone where id = $1 and account_id = $2')

const namesOfDomains = statement<{ readonly name: string }>(
  'zone.domain-names',
  'select name from domain where zone_id = $1 and account_id = $2',
)

/** Takes a zone away with its domains, their keys and records. What was promised to be sent goes on: it is signed. False
 *  where it was gone already. */
export async function removeZone(store: Store, zone: Zone, also: readonly Write[]): Promise<boolean> {
  const params = [zone.id, zone.accountId]
  const set: Write[] = [
    ...REMOVAL.map((one): Write => ({ statement: one, params })),
    { statement: removeRow, params, rows: 1 },
    ...also,
  ]
  return (await store.commit(set)).ok
}

/** The names that were onboarded in the zone. */
export async function domainNames(store: Store, zone: Zone): Promise<string[]> {
  const rows = await store.all(namesOfDomains, [zone.id, zone.accountId])
  return rows.map(({ name }) => name)
}
