import { auditWrite } from '#registry/accounts/audit.ts'
import { permissionsIn } from '#registry/accounts/policy.ts'
import type { Zone } from '#registry/domains/zones.ts'
import type { RecordPlaces } from '#registry/workers/workers.ts'
import type { Call, Fault } from './serve-operation.ts'
import type { WorkersWorld } from './workers-world.ts'

/** Those of the account in which the token may do this. */
export async function zonesFor(
  { domains }: WorkersWorld,
  { accountId, by }: Call<unknown, unknown>,
  permission: 'Workers:Read' | 'Workers:Edit',
): Promise<readonly Zone[]> {
  const zones = await domains.zones(accountId)
  return zones.filter(({ id }) => permissionsIn(by.principal, id).has(permission))
}

/** The zone that is named, or the one that the host is in: of several the nearest. */
export function zoneOf(
  zones: readonly Zone[],
  host: string,
  { zone_id: id, zone_name: name }: { zone_id?: string | undefined; zone_name?: string | undefined },
): Zone | undefined {
  return zones
    .filter((zone) => host === zone.name || host.endsWith(`.${zone.name}`))
    .filter((zone) => id === undefined || zone.id === id.toLowerCase())
    .filter((zone) => name === undefined || zone.name === name.toLowerCase())
    .toSorted((a, b) => b.name.length - a.name.length)[0]
}

export function noZone(host: string, pointer: string): Fault {
  const message = `'${host}' is in no zone of this account, or not in the zone that is named.`
  return { status: 400, code: 10082, message, pointer }
}

/** The audit log's lines about routes or host names: one for each that changed. */
export function notePlaces<P extends { readonly id: string }>(
  { by, accountId }: Call<unknown, unknown>,
  { type, at }: { readonly type: 'worker_route' | 'worker_domain'; readonly at: number },
): RecordPlaces<P> {
  return ({ before = [], after = [] }) => {
    const ids = new Set([...before, ...after].map(({ id }) => id))
    return [...ids].flatMap((id) => {
      const was = before.find((each) => each.id === id)
      const is = after.find((each) => each.id === id)
      if (JSON.stringify(was) === JSON.stringify(is)) return []
      const action = `${type}.${was ? (is ? 'update' : 'delete') : 'create'}`
      const line = { accountId, actor: by.audit, action, resource: { type, id }, at }
      return [auditWrite({ ...line, before: was, after: is })]
    })
  }
}
