import { z } from 'zod'
import { operation } from './operation.ts'
import { pageQuery } from './paging.ts'
import { EDIT, READ, SCRIPT, WORKERS } from './workers.ts'

/** Where Workers are reached and when they run by themselves: host names, routes, custom domains, crons; and what else
 *  wrangler asks on its way. */
const subdomain = z.object({ subdomain: z.string() })

export const getSubdomain = operation({
  ...READ,
  id: 'workers.subdomain.get',
  method: 'GET',
  path: `${WORKERS}/subdomain`,
  summary: 'Shows the label below which an account’s Workers have host names.',
  result: subdomain,
})

export const putSubdomain = operation({
  ...EDIT,
  id: 'workers.subdomain.update',
  method: 'PUT',
  path: `${WORKERS}/subdomain`,
  summary: 'Chooses the label below which an account’s Workers have host names.',
  refusals: [409],
  body: z
    .object({
      subdomain: z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, 'a label of a host name'),
    })
    .meta({ examples: [{ subdomain: 'our-company' }] }),
  result: subdomain,
})

const place = z.object({
  enabled: z.boolean(),
  previews_enabled: z.boolean(),
})

export const getWorker = operation({
  ...READ,
  id: 'workers.get',
  method: 'GET',
  path: `${WORKERS}/workers/{script_name}`,
  summary: 'Shows a Worker and its host name.',
  result: z.object({
    id: z.string(),
    name: z.string(),
    created_on: z.string(),
    updated_on: z.string(),
    tags: z.array(z.string()),
    logpush: z.boolean(),
    observability: z.record(z.string(), z.unknown()),
    subdomain: place.extend({ url: z.string() }),
    tail_consumers: z.array(z.unknown()),
    references: z.object({}),
  }),
})

export const getWorkerSubdomain = operation({
  ...READ,
  id: 'workers.scripts.subdomain.get',
  method: 'GET',
  path: `${SCRIPT}/subdomain`,
  summary: 'Shows whether a Worker is reached at its own host name.',
  result: place,
})

export const setWorkerSubdomain = operation({
  ...EDIT,
  id: 'workers.scripts.subdomain.create',
  method: 'POST',
  path: `${SCRIPT}/subdomain`,
  summary: 'Says whether a Worker is reached at its own host name. Versions have no previews here.',
  body: z
    .object({ enabled: z.boolean(), previews_enabled: z.boolean().optional() })
    .meta({ examples: [{ enabled: true }] }),
  result: place,
})

const schedule = z.object({ cron: z.string(), created_on: z.string(), modified_on: z.string() })
const schedules = z.object({ schedules: z.array(schedule) })
export type SchedulesBody = z.output<typeof schedules>

const MOST_CRONS = 30

export const getSchedules = operation({
  ...READ,
  id: 'workers.schedules.get',
  method: 'GET',
  path: `${SCRIPT}/schedules`,
  summary: 'Lists the crons of a Worker.',
  result: schedules,
})

export const putSchedules = operation({
  ...EDIT,
  id: 'workers.schedules.update',
  method: 'PUT',
  path: `${SCRIPT}/schedules`,
  summary: 'Sets when a Worker’s scheduled() runs, in UTC, in place of what was set.',
  body: z
    .array(z.object({ cron: z.string() }))
    .max(MOST_CRONS, `${MOST_CRONS} crons at most`)
    .meta({ examples: [[{ cron: '*/5 * * * *' }]] }),
  result: schedules,
})

const ownRoute = z.object({
  pattern: z.string(),
  zone_id: z.string().optional(),
  zone_name: z.string().optional(),
})

export const putRoutes = operation({
  ...EDIT,
  id: 'workers.scripts.routes.update',
  method: 'PUT',
  path: `${SCRIPT}/routes`,
  summary: 'Sets the routes of a Worker, in place of those that it has, in every zone.',
  refusals: [409],
  body: z
    .array(ownRoute)
    .max(1000)
    .meta({ examples: [[{ pattern: 'yourdomain.com/api/*' }]] }),
  result: z.array(z.object({ id: z.string(), pattern: z.string(), zone_name: z.string() })),
})

const route = z
  .object({ id: z.string(), pattern: z.string(), script: z.string().optional() })
  .meta({ id: 'WorkerRoute' })
export type RouteBody = z.output<typeof route>

const ROUTES = '/zones/{zone_id}/workers/routes'
const EDIT_ZONE = { permission: 'Workers:Edit', scope: 'zone' } as const
const READ_ZONE = { permission: 'Workers:Read', scope: 'zone' } as const

const routeWish = z.object({
  pattern: z.string(),
  /** Absent: no Worker, though another pattern would lead to one. */
  script: z.string().nullish(),
})
const ROUTE = { examples: [{ pattern: 'yourdomain.com/none/*' }] }

export const listRoutes = operation({
  ...READ_ZONE,
  id: 'workers.routes.list',
  method: 'GET',
  path: ROUTES,
  summary: 'Lists the routes of a zone.',
  result: z.array(route),
})

export const createRoute = operation({
  ...EDIT_ZONE,
  id: 'workers.routes.create',
  method: 'POST',
  path: ROUTES,
  summary: 'Leads the requests of a pattern to a Worker, or past all of them.',
  refusals: [409],
  body: routeWish.meta(ROUTE),
  result: route,
})

export const getRoute = operation({
  ...READ_ZONE,
  id: 'workers.routes.get',
  method: 'GET',
  path: `${ROUTES}/{route_id}`,
  summary: 'Shows a route.',
  result: route,
})

export const updateRoute = operation({
  ...EDIT_ZONE,
  id: 'workers.routes.update',
  method: 'PUT',
  path: `${ROUTES}/{route_id}`,
  summary: 'Replaces a route.',
  refusals: [409],
  body: routeWish.meta({ examples: [{ pattern: 'yourdomain.com/other/*' }] }),
  result: route,
})

export const deleteRoute = operation({
  ...EDIT_ZONE,
  id: 'workers.routes.delete',
  method: 'DELETE',
  path: `${ROUTES}/{route_id}`,
  summary: 'Deletes a route.',
  result: z.object({ id: z.string() }),
})

const domain = z
  .object({
    id: z.string(),
    hostname: z.string(),
    zone_id: z.string(),
    zone_name: z.string(),
    service: z.string(),
    environment: z.literal('production'),
  })
  .meta({ id: 'WorkerDomain' })
export type DomainBody = z.output<typeof domain>

const origin = z.object({
  hostname: z.string(),
  zone_id: z.string().optional(),
  zone_name: z.string().optional(),
})
const origins = z.array(origin).max(100, '100 host names at most')
const ORIGIN = { hostname: 'api.yourdomain.com' }

export const planDomains = operation({
  ...READ,
  id: 'workers.scripts.domains.changeset',
  method: 'POST',
  path: `${SCRIPT}/domains/changeset`,
  summary: 'Says what would change for a Worker to have exactly these host names; changes nothing.',
  query: z.object({ replace_state: z.string().optional() }),
  body: origins.meta({ examples: [[ORIGIN]] }),
  result: z.object({
    added: z.array(domain.omit({ id: true })),
    removed: z.array(domain),
    updated: z.array(domain.extend({ modified: z.boolean() })),
    conflicting: z.array(domain),
  }),
})

export const putDomains = operation({
  ...EDIT,
  id: 'workers.scripts.domains.update',
  method: 'PUT',
  path: `${SCRIPT}/domains/records`,
  summary: 'Sets the host names that are a Worker’s as a whole.',
  refusals: [409],
  body: z
    .object({
      origins,
      /** The host names that it had besides are given up. */
      override_scope: z.boolean().default(false),
      /** They are taken from other Workers. */
      override_existing_origin: z.boolean().default(false),
      override_existing_dns_record: z.boolean().optional(),
    })
    .meta({ examples: [{ origins: [ORIGIN] }] }),
  result: z.array(domain),
})

export const listDomains = operation({
  ...READ,
  id: 'workers.domains.list',
  method: 'GET',
  path: `${WORKERS}/domains`,
  summary: 'Lists the host names that are Workers’ as a whole.',
  result: z.array(domain),
})

export const getDomain = operation({
  ...READ,
  id: 'workers.domains.get',
  method: 'GET',
  path: `${WORKERS}/domains/records/{domain_id}`,
  summary: 'Shows such a host name.',
  result: domain,
})

export const deleteDomain = operation({
  ...EDIT,
  id: 'workers.domains.delete',
  method: 'DELETE',
  path: `${WORKERS}/domains/{domain_id}`,
  summary: 'Takes a host name from its Worker.',
  result: z.object({ id: z.string() }),
})

export const getReferences = operation({
  ...READ,
  id: 'workers.references.get',
  method: 'GET',
  path: `${SCRIPT}/references`,
  summary: 'Lists the Workers that call this one.',
  result: z.object({
    services: z.object({
      incoming: z.array(z.object({ name: z.string(), service: z.string(), environment: z.string() })),
      outgoing: z.array(z.unknown()),
    }),
    durable_objects: z.array(z.unknown()),
    dispatch_outbounds: z.array(z.unknown()),
  }),
})

export const listTailProducers = operation({
  ...READ,
  id: 'workers.tails.by_consumer',
  method: 'GET',
  path: `${WORKERS}/tails/by-consumer/{script_name}`,
  summary: 'Lists the Workers whose logs this one reads: none, since there are no tail Workers here.',
  result: z.array(z.unknown()),
})

export const listDurableObjects = operation({
  ...READ,
  id: 'workers.durable_objects.list',
  method: 'GET',
  path: `${WORKERS}/durable_objects/namespaces`,
  summary: 'Lists nothing: there are no Durable Objects here.',
  query: pageQuery,
  result: z.array(z.unknown()),
  paging: 'pages',
})

export const workerPlaceOperations = [
  ...[getSubdomain, putSubdomain, getWorker, getWorkerSubdomain, setWorkerSubdomain],
  ...[getSchedules, putSchedules, putRoutes, listRoutes, createRoute, getRoute, updateRoute, deleteRoute],
  ...[planDomains, putDomains, listDomains, getDomain, deleteDomain],
  ...[getReferences, listTailProducers, listDurableObjects],
]
