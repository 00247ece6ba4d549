import { z } from 'zod'
import { dkimKey, domainPreview, domainStatus, expectedRecord, recordError } from './onboarding-records.ts'
import { operation } from './operation.ts'

/** `/zones/{zone_id}/email/routing`: whether a zone takes mail, and the records it needs for that. */

export const routingSettings = z
  .object({
    /** The zone's id; for a subdomain its own. */
    id: z.string(),
    /** Deprecated: the same. */
    tag: z.string(),
    name: z.string(),
    enabled: z.boolean(),
    created: z.string(),
    modified: z.string(),
    skip_wizard: z.boolean(),
    status: z.enum(['ready', 'unconfigured', 'misconfigured', 'misconfigured/locked', 'unlocked']),
    support_subaddress: z.boolean(),
  })
  .meta({ id: 'RoutingSettings' })

export type RoutingSettingsBody = z.output<typeof routingSettings>

const base = '/zones/{zone_id}/email/routing'
const zone = { scope: 'zone' } as const
const reads = { ...zone, permission: 'Email Routing Rules:Read' } as const
const edits = { ...zone, permission: 'Email Routing Rules:Edit' } as const

/** Clients send back what they were given: what cannot be changed here is passed over, `enabled` too, for which there
 *  are `enable` and `disable`. */
const change = z
  .object({
    enabled: z.boolean().optional(),
    skip_wizard: z.boolean().optional(),
    support_subaddress: z.boolean().optional(),
  })
  .meta({ examples: [{ support_subaddress: true }] })

const name = z.object({ name: z.string().max(1000).optional() })
const named = { body: name.meta({ examples: [{ name: 'yourdomain.com' }] }), bodyMayBeMissing: true } as const
const subdomain = z.object({ subdomain: z.string().max(1000).optional() })

export const getRoutingSettings = operation({
  id: 'routing.get',
  method: 'GET',
  path: base,
  summary: 'The routing settings of a zone.',
  ...reads,
  result: routingSettings,
})

export const listRoutingSubdomains = operation({
  id: 'routing.subdomains',
  method: 'GET',
  path: `${base}/subdomains`,
  summary:
    'The domains of a zone that were set up for routing, each with its settings, the shortest name first.',
  ...reads,
  result: z.array(routingSettings),
  paging: 'single',
})

export const updateRoutingSettings = operation({
  id: 'routing.update',
  method: 'PUT',
  path: base,
  summary: 'Changes the routing settings; what is left out stays.',
  ...edits,
  body: change,
  result: routingSettings,
})

export const editRoutingSettings = operation({
  id: 'routing.edit',
  method: 'PATCH',
  path: base,
  summary: 'Changes the routing settings; what is left out stays.',
  ...edits,
  body: change,
  result: routingSettings,
})

export const enableRouting = operation({
  id: 'routing.enable',
  method: 'POST',
  path: `${base}/enable`,
  summary: 'Has the zone take mail, and adds and locks the records it needs.',
  ...edits,
  result: routingSettings,
})

export const disableRouting = operation({
  id: 'routing.disable',
  method: 'POST',
  path: `${base}/disable`,
  summary: 'Has the zone take no mail, and removes the records that were added; its rules are kept.',
  ...edits,
  result: routingSettings,
})

export const unlockRouting = operation({
  id: 'routing.unlock',
  method: 'POST',
  path: `${base}/unlock`,
  summary: "Unlocks the zone's own routing records (deprecated: PATCH …/routing/dns).",
  ...edits,
  ...named,
  result: routingSettings,
})

/** With `subdomain` the records come with what is wrong about them; without it as a plain list. */
export const getRoutingDns = operation({
  id: 'routing.dns.get',
  method: 'GET',
  path: `${base}/dns`,
  summary: 'The records that the zone needs for routing, or one of its subdomains.',
  ...reads,
  query: subdomain,
  result: z.union([
    z.array(expectedRecord),
    z.object({ record: z.array(expectedRecord), errors: z.array(recordError) }),
  ]),
})

export const createRoutingDns = operation({
  id: 'routing.dns.create',
  method: 'POST',
  path: `${base}/dns`,
  summary: 'Has the zone, or a subdomain, take mail, and adds and locks the records it needs.',
  ...edits,
  ...named,
  result: routingSettings,
})

export const editRoutingDns = operation({
  id: 'routing.dns.edit',
  method: 'PATCH',
  path: `${base}/dns`,
  summary: "Unlocks the zone's own routing records.",
  ...edits,
  ...named,
  result: routingSettings,
})

export const deleteRoutingDns = operation({
  id: 'routing.dns.delete',
  method: 'DELETE',
  path: `${base}/dns`,
  summary: 'Has the zone, or a subdomain, take no mail, and removes the records that were added.',
  ...edits,
  query: subdomain,
  result: routingSettings,
})

export const previewRouting = operation({
  id: 'routing.dns.preview',
  method: 'POST',
  path: `${base}/dns/preview`,
  summary: 'The records that the zone or a subdomain would get for routing; nothing is written.',
  ...reads,
  ...named,
  result: domainPreview,
})

export const getRoutingDnsStatus = operation({
  id: 'routing.dns.status',
  method: 'GET',
  path: `${base}/dns/status`,
  summary: 'Looks at DNS now: how each routing record stands, and what is wrong.',
  ...reads,
  query: subdomain,
  result: domainStatus,
})

export const listRoutingKeys = operation({
  id: 'routing.dkim.list',
  method: 'GET',
  path: `${base}/dkim`,
  summary: 'The DKIM keys with which routing signs for the zone or a subdomain, oldest first.',
  ...reads,
  query: subdomain,
  result: z.array(dkimKey),
})

export const rotateRoutingKey = operation({
  id: 'routing.dkim.rotate',
  method: 'POST',
  path: `${base}/dkim/rotate`,
  summary: 'Makes and publishes a new DKIM key, which signs once it was seen in DNS.',
  ...edits,
  query: subdomain,
  result: z.array(dkimKey),
})

export const routingSettingsOperations = [
  getRoutingSettings,
  listRoutingSubdomains,
  updateRoutingSettings,
  editRoutingSettings,
  enableRouting,
  disableRouting,
  unlockRouting,
  getRoutingDns,
  createRoutingDns,
  editRoutingDns,
  deleteRoutingDns,
  previewRouting,
  getRoutingDnsStatus,
  listRoutingKeys,
  rotateRoutingKey,
]
