import type { FastifyInstance } from 'fastify'
import {
  type DomainBody,
  deleteDomain,
  getDomain,
  listDomains,
  planDomains,
  putDomains,
} from '#contract/workers-places.ts'
import { parseDomainName } from '#protocol/domain-name.ts'
import type { WorkerDomain } from '#registry/workers/worker-domains.ts'
import { type Call, type Fault, serveOperation } from './serve-operation.ts'
import { notePlaces, noZone, zoneOf, zonesFor } from './worker-zones.ts'
import { explainPlaceFault, NO_SCRIPT, unfit } from './workers-faults.ts'
import { findScript, scriptName, type WorkersWorld } from './workers-world.ts'

type Wanted = Pick<WorkerDomain, 'zoneId' | 'zoneName' | 'hostname'>
type Origins = readonly {
  hostname: string
  zone_id?: string | undefined
  zone_name?: string | undefined
}[]

/** Host names that are a Worker's as a whole. */
export function workerDomainRoutes(api: FastifyInstance, world: WorkersWorld): void {
  const { now } = world
  const { domains } = world.workers

  serveOperation(api, { operation: planDomains, world }, async (call) => {
    const worker = await findScript(world, call)
    if (!worker) return NO_SCRIPT
    const wanted = await readOrigins(call, call.body, { pointer: '', permission: 'Workers:Read' })
    if ('status' in wanted) return wanted
    const known = await domains.domains(call.accountId)
    const isIn = (all: readonly Wanted[]) => (one: Wanted) =>
      all.some(({ zoneId, hostname }) => zoneId === one.zoneId && hostname === one.hostname)
    const isWanted = isIn(wanted)
    const isKnown = isIn(known)
    return {
      result: {
        added: wanted
          .filter((each) => !isKnown(each))
          .map(({ zoneId, zoneName, hostname }) => ({
            ...{ hostname, zone_id: zoneId, zone_name: zoneName },
            ...{ service: worker.name, environment: 'production' as const },
          })),
        removed: known.filter((each) => each.script === worker.name && !isWanted(each)).map(domainBody),
        updated: known
          .filter(isWanted)
          .map((each) => ({ ...domainBody(each), modified: each.script !== worker.name })),
        conflicting: [],
      },
    }
  })

  serveOperation(api, { operation: putDomains, world }, async (call) => {
    const { accountId, body } = call
    if (!(await findScript(world, call))) return NO_SCRIPT
    const reading = { pointer: '/origins', permission: 'Workers:Edit' } as const
    const wanted = await readOrigins(call, body.origins, reading)
    if ('status' in wanted) return wanted
    const set = await domains.setDomains(
      { accountId, script: scriptName(call) },
      { wanted, whole: body.override_scope, override: body.override_existing_origin },
      notePlaces(call, { type: 'worker_domain', at: now() }),
    )
    if ('kind' in set) return explainPlaceFault(set)
    for (const { id } of await world.domains.zones(accountId)) world.domains.recordsChanged(id)
    return { result: set.map(domainBody) }
  })

  serveOperation(api, { operation: listDomains, world }, async ({ accountId }) => ({
    result: (await domains.domains(accountId)).map(domainBody),
  }))

  serveOperation(api, { operation: getDomain, world }, async (call) => {
    const found = await domains.domain(call.accountId, domainId(call))
    return found ? { result: domainBody(found) } : explainPlaceFault({ kind: 'unknown-place' })
  })

  serveOperation(api, { operation: deleteDomain, world }, async (call) => {
    const note = notePlaces<WorkerDomain>(call, { type: 'worker_domain', at: now() })
    const removed = await domains.removeDomain(call.accountId, domainId(call), note)
    if ('kind' in removed) return explainPlaceFault(removed)
    world.domains.recordsChanged(removed.zoneId)
    return { result: { id: removed.id } }
  })

  async function readOrigins(
    call: Call<unknown, unknown>,
    origins: Origins,
    {
      pointer,
      permission,
    }: { readonly pointer: string; readonly permission: 'Workers:Read' | 'Workers:Edit' },
  ): Promise<readonly Wanted[] | Fault> {
    const zones = await zonesFor(world, call, permission)
    const read: Wanted[] = []
    for (const [index, { hostname: text, ...named }] of origins.entries()) {
      const at = `${pointer}/${index}`
      const hostname = parseDomainName(text)
      if (typeof hostname !== 'string') return unfit(hostname.detail, `${at}/hostname`)
      const zone = zoneOf(zones, hostname, named)
      if (!zone) return noZone(hostname, at)
      read.push({ hostname, zoneId: zone.id, zoneName: zone.name })
    }
    return read
  }
}

function domainId({ params }: Call<unknown, unknown>): string {
  return params['domain_id']?.toLowerCase() ?? ''
}

function domainBody({ id, hostname, zoneId, zoneName, script }: WorkerDomain): DomainBody {
  return {
    ...{ id, hostname, zone_id: zoneId, zone_name: zoneName },
    ...{ service: script, environment: 'production' },
  }
}
