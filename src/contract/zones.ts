import { z } from 'zod'
import { EXAMPLE_ACCOUNT } from './example-ids.ts'
import { operation } from './operation.ts'
import { pageQuery } from './paging.ts'

/** `/zones`: the domains of an account, proven or not. */

const recordToPublish = z.object({ type: z.literal('TXT'), name: z.string(), content: z.string() })

/** Those fields of the original's that mean nothing here say so: nothing is paused, proxied or paid for. */
export const zoneBody = z
  .object({
    id: z.string(),
    name: z.string(),
    status: z.enum(['pending', 'active']),
    paused: z.literal(false),
    /** `full`: to be delegated to `name_servers`. `partial`: it stays with another DNS provider. */
    type: z.enum(['full', 'partial']),
    development_mode: z.literal(0),
    name_servers: z.array(z.string()),
    original_name_servers: z.null(),
    original_registrar: z.null(),
    original_dnshost: z.null(),
    created_on: z.string(),
    modified_on: z.string(),
    activated_on: z.string().nullable(),
    account: z.object({ id: z.string(), name: z.string() }),
    owner: z.object({ id: z.string(), name: z.string(), type: z.literal('organization') }),
    plan: z.object({ id: z.string(), name: z.string(), price: z.literal(0), is_subscribed: z.literal(true) }),
    meta: z.object({ step: z.number(), dns_only: z.literal(true), phishing_detected: z.literal(false) }),
    permissions: z.array(z.string()),
    /** The content of the TXT record that proves a pending zone. */
    verification_key: z.string(),
    /** Who publishes its records: we, or its owner by hand. Not the original's. */
    dns: z.enum(['hosted', 'manual']),
    /** What proves it: this record, or a delegation to `name_servers`. Not the original's. */
    verification: z.object({
      record: recordToPublish,
      checked_on: z.string().nullable(),
      /** What the last look at DNS missed. */
      problem: z.string().nullable(),
    }),
  })
  .meta({ id: 'Zone' })

export type ZoneBody = z.output<typeof zoneBody>

/** One zone also tells which of its names are to be delegated, where it stays elsewhere as a whole. */
export const zoneDetail = zoneBody.extend({ delegated_names: z.array(z.string()) }).meta({ id: 'ZoneDetail' })

const account = 'the id of an account'

export const zoneQuery = pageQuery.extend({
  /** `example.com`, or an operator before it: `contains:example`. */
  name: z.string().max(300).optional(),
  status: z.enum(['initializing', 'pending', 'active', 'moved']).optional(),
  type: z
    .union([z.string(), z.array(z.string())])
    .transform((types) => [types].flat())
    .optional(),
  'account.id': z.string(account).max(64).optional(),
  'account.name': z.string().max(300).optional(),
  order: z.enum(['name', 'status', 'account.id', 'account.name', 'plan.id']).default('name'),
  direction: z.enum(['asc', 'desc']).default('asc'),
  match: z.enum(['any', 'all']).default('all'),
})

export type ZoneQuery = z.output<typeof zoneQuery>

export const listZones = operation({
  id: 'zones.list',
  method: 'GET',
  path: '/zones',
  summary: 'The zones of all accounts that the token may act in.',
  permission: 'none',
  scope: 'user',
  query: zoneQuery,
  result: z.array(zoneBody),
  paging: 'pages',
})

export const createZone = operation({
  id: 'zones.create',
  method: 'POST',
  path: '/zones',
  summary: 'Makes a zone, which is pending until public DNS has proven whose it is.',
  permission: 'Zone DNS:Edit',
  scope: 'user',
  body: z
    .object({
      name: z.string().max(1000),
      /** The token's own account unless given. */
      account: z.object({ id: z.string(account).max(64).optional() }).optional(),
      type: z.enum(['full', 'partial'], '"full" or "partial"').default('full'),
      dns: z.enum(['hosted', 'manual'], '"hosted" or "manual"').optional(),
    })
    .meta({ examples: [{ name: 'example.com', account: { id: EXAMPLE_ACCOUNT }, type: 'full' }] }),
  result: zoneDetail,
})

export const getZone = operation({
  id: 'zones.get',
  method: 'GET',
  path: '/zones/{zone_id}',
  summary: 'One zone.',
  permission: 'none',
  scope: 'zone',
  result: zoneDetail,
})

export const editZone = operation({
  id: 'zones.edit',
  method: 'PATCH',
  path: '/zones/{zone_id}',
  summary:
    'Sends the records of a zone another way to DNS: a full zone is delegated to us, a partial one stays elsewhere.',
  permission: 'Zone DNS:Edit',
  scope: 'zone',
  body: z
    .strictObject({
      type: z.enum(['full', 'partial'], '"full" or "partial"').optional(),
      /** Of a partial zone: who publishes its records. Not the original's. */
      dns: z.enum(['hosted', 'manual'], '"hosted" or "manual"').optional(),
      /** Nothing is proxied here, so there is nothing to pause. */
      paused: z.literal(false, 'false: nothing is proxied here, so there is nothing to pause').optional(),
    })
    .meta({ examples: [{ type: 'partial', dns: 'manual' }] }),
  result: zoneDetail,
})

const onlyId = z.object({ id: z.string() })

export const deleteZone = operation({
  id: 'zones.delete',
  method: 'DELETE',
  path: '/zones/{zone_id}',
  summary: 'Removes a zone with its domains, keys, records and rules.',
  permission: 'Zone DNS:Edit',
  scope: 'zone',
  result: onlyId,
})

export const checkActivation = operation({
  id: 'zones.activation_check',
  method: 'PUT',
  path: '/zones/{zone_id}/activation_check',
  summary: 'Looks at once for what proves a pending zone; the zone then tells what is missing.',
  permission: 'Zone DNS:Edit',
  scope: 'zone',
  result: onlyId,
})

export const zoneOperations = [listZones, createZone, getZone, editZone, deleteZone, checkActivation]
