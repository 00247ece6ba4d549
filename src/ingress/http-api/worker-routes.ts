import type { FastifyInstance } from 'fastify'
import {
  createRoute,
  deleteRoute,
  getRoute,
  listRoutes,
  putRoutes,
  type RouteBody,
  updateRoute,
} from '#contract/workers-places.ts'
import { isRoutePattern, parseRoutePattern } from '#registry/workers/route-pattern.ts'
import type { PlaceFault, WorkerRoute } from '#registry/workers/worker-routes.ts'
import { zoneScope } from './rules.ts'
import { type Answer, type Call, type Fault, serveOperation } from './serve-operation.ts'
import { notePlaces, noZone, zoneOf, zonesFor } from './worker-zones.ts'
import { explainPlaceFault, NO_SCRIPT, unfit } from './workers-faults.ts'
import { findScript, type WorkersWorld } from './workers-world.ts'

/** Which requests of a zone are a Worker's. */
export function workerRouteRoutes(api: FastifyInstance, world: WorkersWorld): void {
  const { routes } = world.workers
  const note = (call: Call<unknown, unknown>) =>
    notePlaces<WorkerRoute>(call, { type: 'worker_route', at: world.now() })

  serveOperation(api, { operation: listRoutes, world }, async (call) => ({
    result: (await routes.routes(zoneScope(call).zoneId)).map(routeBody),
  }))

  serveOperation(api, { operation: createRoute, world }, async (call) => {
    const wish = readRoute(call.body)
    return 'status' in wish ? wish : answer(await routes.addRoute(zoneScope(call), wish, note(call)))
  })

  serveOperation(api, { operation: getRoute, world }, async (call) =>
    answer((await routes.route(zoneScope(call), routeId(call))) ?? { kind: 'unknown-place' }),
  )

  serveOperation(api, { operation: updateRoute, world }, async (call) => {
    const wish = readRoute(call.body)
    if ('status' in wish) return wish
    return answer(await routes.changeRoute(zoneScope(call), { ...wish, id: routeId(call) }, note(call)))
  })

  serveOperation(api, { operation: deleteRoute, world }, async (call) => {
    const removed = await routes.removeRoute(zoneScope(call), routeId(call), note(call))
    return 'kind' in removed ? explainPlaceFault(removed) : { result: { id: removed.id } }
  })

  serveOperation(api, { operation: putRoutes, world }, async (call) => {
    const { accountId, body, by } = call
    const worker = await findScript(world, call)
    if (!worker) return NO_SCRIPT
    if (by.principal.zones) return NOT_EVERYWHERE
    const wanted: (Pick<WorkerRoute, 'zoneId' | 'pattern'> & { readonly zoneName: string })[] = []
    const zones = await zonesFor(world, call, 'Workers:Edit')
    for (const [index, { pattern, ...named }] of body.entries()) {
      const parsed = parseRoutePattern(pattern)
      if (!isRoutePattern(parsed)) return unfit(parsed.detail, `/${index}/pattern`)
      const zone = zoneOf(zones, parsed.host, named)
      if (!zone) return noZone(parsed.host, `/${index}`)
      wanted.push({ zoneId: zone.id, zoneName: zone.name, pattern })
    }
    const set = await routes.setRoutes({ accountId, script: worker.name }, wanted, note(call))
    if ('kind' in set) return explainPlaceFault(set)
    const nameOf = (id: string) => wanted.find(({ zoneId }) => zoneId === id)?.zoneName ?? ''
    return {
      result: set.map(({ id, pattern, zoneId }) => ({ id, pattern, zone_name: nameOf(zoneId) })),
    }
  })
}

/** At this code wrangler goes on zone by zone. */
const NOT_EVERYWHERE: Fault = {
  status: 403,
  code: 10000,
  message: 'Authentication error',
  detail: 'The token may not do the same in all zones: set the routes of each zone by themselves.',
}

function routeId({ params }: Call<unknown, unknown>): string {
  return params['route_id']?.toLowerCase() ?? ''
}

function readRoute(body: {
  pattern: string
  script?: string | null | undefined
}): Pick<WorkerRoute, 'pattern' | 'script'> | Fault {
  const parsed = parseRoutePattern(body.pattern)
  if (!isRoutePattern(parsed)) return unfit(parsed.detail, '/pattern')
  return { pattern: body.pattern, script: body.script ?? null }
}

function answer(outcome: WorkerRoute | PlaceFault): Answer<RouteBody> {
  return 'kind' in outcome ? explainPlaceFault(outcome) : { result: routeBody(outcome) }
}

function routeBody({ id, pattern, script }: WorkerRoute): RouteBody {
  return { id, pattern, ...(script !== null && { script }) }
}
