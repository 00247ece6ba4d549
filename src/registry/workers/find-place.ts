import { LRUCache } from 'lru-cache'
import { type Store, statement } from '#store/store.ts'
import {
  byPrecedence,
  isRoutePattern,
  matchesRoute,
  parseRoutePattern,
  type RoutePattern,
} from './route-pattern.ts'

/** Which Worker a request is for. */
export interface Place {
  readonly accountId: string
  readonly scriptName: string
}

const zoneNamed = statement<{ readonly id: string; readonly account_id: string }>(
  'worker-place.zone',
  `select id, account_id from zone where name = $1 and status = 'active'`,
)

const domainAt = statement<{ readonly script: string }>(
  'worker-place.domain',
  `select worker.name as script from worker_domain domain join worker on worker.id = domain.worker_id
   where domain.zone_id = $1 and domain.hostname = $2`,
)

const routesOfZone = statement<{ readonly pattern: string; readonly script: string | null }>(
  'worker-place.routes',
  `select route.pattern, worker.name as script from worker_route route
   left join worker on worker.id = route.worker_id where route.zone_id = $1`,
)

const accountOfSubdomain = statement<{ readonly account_id: string }>(
  'worker-place.subdomain',
  'select account_id from worker_subdomain where name = $1',
)

const onSubdomain = statement<{ readonly id: string }>(
  'worker-place.on-subdomain',
  'select id from worker where account_id = $1 and name = $2 and on_subdomain = 1',
)

const LIFE_MS = 5000
const ZONES_KEPT = 1000
const LONGEST_HOST = 253

interface Route {
  readonly pattern: RoutePattern
  readonly script: string | null
}

/** Routes come before custom domains, as with the original; those of a zone are kept for 5 s at most. A zone that is not
 *  proven leads nowhere (promise 6). */
export function openFindPlace({
  store,
  clock,
  host: own,
}: {
  readonly store: Store
  readonly clock: () => number
  readonly host: string
}) {
  const routes = new LRUCache<string, Promise<readonly Route[]>>({
    ...{ max: ZONES_KEPT, ttl: LIFE_MS, ttlResolution: 0, perf: { now: clock } },
  })

  function routesOf(zoneId: string): Promise<readonly Route[]> {
    const known = routes.get(zoneId)
    if (known) return known
    const read = readRoutes(store, zoneId)
    routes.set(zoneId, read)
    read.catch(() => routes.delete(zoneId))
    return read
  }

  async function below(host: string): Promise<Place | undefined> {
    const [script = '', subdomain = '', ...more] = host.slice(0, -own.length - 1).split('.')
    if (more.length > 0) return undefined
    const named = await store.get(accountOfSubdomain, [subdomain])
    const accountId = named?.account_id ?? (await defaultOf(subdomain))
    if (accountId === undefined || !(await store.get(onSubdomain, [accountId, script]))) return undefined
    return { accountId, scriptName: script }
  }

  /** An account that chose no name has its id as one. */
  async function defaultOf(subdomain: string): Promise<string | undefined> {
    if (!/^[0-9a-f]{32}$/.test(subdomain)) return undefined
    return (await store.get(chosenBy, [subdomain])) ? undefined : subdomain
  }

  return {
    forget: (zoneId: string) => void routes.delete(zoneId),

    async at(asked: string, path: string): Promise<Place | undefined> {
      const host = asked.toLowerCase().replace(/\.$/, '')
      if (host.length > LONGEST_HOST || !host.isWellFormed() || host.includes('\0')) return undefined
      if (host.endsWith(`.${own}`)) return below(host)
      const labels = host.split('.')
      for (let from = 0; from < labels.length - 1; from++) {
        const zone = await store.get(zoneNamed, [labels.slice(from).join('.')])
        if (!zone) continue
        const { id, account_id: accountId } = zone
        const route = (await routesOf(id)).find(({ pattern }) => matchesRoute(pattern, host, path))
        if (route) return route.script === null ? undefined : { accountId, scriptName: route.script }
        const domain = await store.get(domainAt, [id, host])
        if (domain) return { accountId, scriptName: domain.script }
      }
      return undefined
    },
  }
}

const chosenBy = statement<{ readonly name: string }>(
  'worker-place.chosen-subdomain',
  'select name from worker_subdomain where account_id = $1',
)

async function readRoutes(store: Store, zoneId: string): Promise<readonly Route[]> {
  const rows = await store.all(routesOfZone, [zoneId])
  const routes = rows.flatMap(({ pattern: text, script }): Route[] => {
    const pattern = parseRoutePattern(text)
    return isRoutePattern(pattern) ? [{ pattern, script }] : []
  })
  return routes.sort((a, b) => byPrecedence(a.pattern, b.pattern))
}
