import { newId } from '#store/id.ts'
import { statement, type Write } from '#store/store.ts'
import { workerId } from './worker-row.ts'
import type { RecordPlaces, WorkersWorld } from './workers.ts'

/** A pattern of a zone, and the Worker that it leads to: null for none, though another pattern would. */
export interface WorkerRoute {
  readonly id: string
  readonly zoneId: string
  readonly pattern: string
  readonly script: string | null
}

export type PlaceFault =
  /** Another Worker's. */
  | { readonly kind: 'place-taken'; readonly place: string }
  | { readonly kind: 'too-many-places'; readonly limit: number }
  | { readonly kind: 'unknown-worker' }
  | { readonly kind: 'unknown-place' }

const PER_ZONE = 1000

interface RouteRow {
  readonly id: string
  readonly zone_id: string
  readonly pattern: string
  readonly script: string | null
}

const SELECT_ROUTES = `select route.id, route.zone_id, route.pattern, worker.name as script
  from worker_route route left join worker on worker.id = route.worker_id`

const routesOfZone = statement<RouteRow>(
  'worker-route.of-zone',
  `${SELECT_ROUTES} where route.zone_id = $1 order by route.pattern`,
)

const routesOfWorker = statement<RouteRow>(
  'worker-route.of-worker',
  `${SELECT_ROUTES} where route.worker_id = $1 order by route.pattern`,
)

const routeById = statement<RouteRow>(
  'worker-route.by-id',
  `${SELECT_ROUTES} where route.id = $1 and route.zone_id = $2 and route.account_id = $3`,
)

const insertRoute = statement(
  'worker-route.insert',
  `insert into worker_route (id, account_id, zone_id, worker_id, pattern, created_at)
   select $1, $2, $3, cast($4 as text), $5, cast($6 as bigint)
   where (select count(*) from worker_route where zone_id = $3) < ${PER_ZONE}
   on conflict (zone_id, pattern) do nothing`,
)

const updateRoute = statement(
  'worker-route.update',
  `update worker_route set pattern = $4, worker_id = $5
   where id = $1 and zone_id = $2 and account_id = $3
     and not exists (select 1 from worker_route other
       where other.zone_id = $2 and other.pattern = $4 and other.id <> $1)`,
)

const deleteRoute = statement(
  'worker-route.delete',
  'delete from worker_route where id = $1 and zone_id = $2 and account_id = $3',
)

const dropRoutes = statement('worker-route.drop-of-worker', 'delete from worker_route where worker_id = $1')

/** Which requests of a zone are a Worker's. */
export function openWorkerRoutes(
  { store, clock }: WorkersWorld,
  /** After the routes of a zone were changed. */
  changed: (zoneId: string) => void,
) {
  async function route(scope: ZoneOf, id: string): Promise<WorkerRoute | undefined> {
    const row = await store.get(routeById, [id, scope.zoneId, scope.accountId])
    return row && routeOf(row)
  }

  return {
    route,
    async routes(zoneId: string): Promise<WorkerRoute[]> {
      return (await store.all(routesOfZone, [zoneId])).map(routeOf)
    },

    async addRoute(
      scope: ZoneOf,
      { pattern, script }: Pick<WorkerRoute, 'pattern' | 'script'>,
      record: RecordPlaces<WorkerRoute>,
    ): Promise<WorkerRoute | PlaceFault> {
      const worker = await workerId(store, scope.accountId, script)
      if (worker === undefined) return { kind: 'unknown-worker' }
      const after = { id: newId(), zoneId: scope.zoneId, pattern, script }
      const committed = await store.commit([
        insert(scope, after, { worker, at: clock() }),
        ...record({ after: [after] }),
      ])
      changed(scope.zoneId)
      if (committed.ok) return after
      const taken = (await store.all(routesOfZone, [scope.zoneId])).some((row) => row.pattern === pattern)
      return taken ? { kind: 'place-taken', place: pattern } : { kind: 'too-many-places', limit: PER_ZONE }
    },

    async changeRoute(
      scope: ZoneOf,
      { id, pattern, script }: Pick<WorkerRoute, 'id' | 'pattern' | 'script'>,
      record: RecordPlaces<WorkerRoute>,
    ): Promise<WorkerRoute | PlaceFault> {
      const before = await route(scope, id)
      if (!before) return { kind: 'unknown-place' }
      const worker = await workerId(store, scope.accountId, script)
      if (worker === undefined) return { kind: 'unknown-worker' }
      const after = { ...before, pattern, script }
      const committed = await store.commit([
        {
          statement: updateRoute,
          params: [id, scope.zoneId, scope.accountId, pattern, worker],
          rows: 1,
        },
        ...record({ before: [before], after: [after] }),
      ])
      changed(scope.zoneId)
      return committed.ok ? after : { kind: 'place-taken', place: pattern }
    },

    async removeRoute(
      scope: ZoneOf,
      id: string,
      record: RecordPlaces<WorkerRoute>,
    ): Promise<WorkerRoute | PlaceFault> {
      const before = await route(scope, id)
      if (!before) return { kind: 'unknown-place' }
      const committed = await store.commit([
        { statement: deleteRoute, params: [id, scope.zoneId, scope.accountId], rows: 1 },
        ...record({ before: [before] }),
      ])
      changed(scope.zoneId)
      return committed.ok ? before : { kind: 'unknown-place' }
    },

    /** All routes of one Worker, in place of those that it had. */
    async setRoutes(
      { accountId, script }: { readonly accountId: string; readonly script: string },
      wanted: readonly Pick<WorkerRoute, 'zoneId' | 'pattern'>[],
      record: RecordPlaces<WorkerRoute>,
    ): Promise<readonly WorkerRoute[] | PlaceFault> {
      const worker = await workerId(store, accountId, script)
      if (worker == null) return { kind: 'unknown-worker' }
      const before = (await store.all(routesOfWorker, [worker])).map(routeOf)
      const once = new Map(wanted.map((route) => [`${route.zoneId} ${route.pattern}`, route]))
      const after = [...once.values()].map(({ zoneId, pattern }) => {
        const had = before.find((route) => route.zoneId === zoneId && route.pattern === pattern)
        return { id: had?.id ?? newId(), zoneId, pattern, script }
      })
      const at = clock()
      const committed = await store.commit([
        { statement: dropRoutes, params: [worker] },
        ...after.map((route) => insert({ accountId, zoneId: route.zoneId }, route, { worker, at })),
        ...record({ before, after }),
      ])
      for (const { zoneId } of [...before, ...after]) changed(zoneId)
      if (committed.ok) return after
      for (const { zoneId, pattern } of after) {
        const rows = await store.all(routesOfZone, [zoneId])
        if (rows.some((row) => row.pattern === pattern && row.script !== script))
          return { kind: 'place-taken', place: pattern }
      }
      return { kind: 'too-many-places', limit: PER_ZONE }
    },
  }
}

export type WorkerRoutes = ReturnType<typeof openWorkerRoutes>

export interface ZoneOf {
  readonly accountId: string
  readonly zoneId: string
}

function insert(
  { accountId, zoneId }: ZoneOf,
  { id, pattern }: WorkerRoute,
  { worker, at }: { readonly worker: string | null; readonly at: number },
): Write {
  return { statement: insertRoute, params: [id, accountId, zoneId, worker, pattern, at], rows: 1 }
}

function routeOf({ id, zone_id: zoneId, pattern, script }: RouteRow): WorkerRoute {
  return { id, zoneId, pattern, script }
}
