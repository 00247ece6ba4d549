import { z } from 'zod'
import { operation } from './operation.ts'
import { pageQuery } from './paging.ts'

/** `/zones/{zone_id}/dns_records`: what a zone says in DNS. */

export const dnsRecordBody = z
  .object({
    id: z.string(),
    zone_id: z.string(),
    zone_name: z.string(),
    name: z.string(),
    type: z.string(),
    content: z.string(),
    /** The same in its parts, for the types that have parts. */
    data: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
    /** Of MX and SRV. */
    priority: z.number().optional(),
    /** Seconds, or 1 for automatic. */
    ttl: z.number(),
    proxiable: z.literal(false),
    proxied: z.literal(false),
    locked: z.boolean(),
    settings: z.object({}),
    /** `read_only`: managed by the service, and not to be changed here. */
    meta: z.object({
      auto_added: z.boolean(),
      read_only: z.boolean(),
      email_routing: z.boolean(),
      email_sending: z.boolean(),
    }),
    comment: z.string().nullable(),
    tags: z.array(z.string()),
    created_on: z.string(),
    modified_on: z.string(),
  })
  .meta({ id: 'DnsRecord' })

export type DnsRecordBody = z.output<typeof dnsRecordBody>

const text = z.string().max(4096)
const among = text.optional()

/** Filters name a field and how it compares: `name.contains`; a bare `name` compares whole. Case never counts. */
export const dnsRecordQuery = pageQuery
  .extend({
    per_page: z.coerce.number('a number from 1 on').int().min(1).max(5_000_000).default(100),
    type: z.string().max(20).optional(),
    name: text.optional(),
    content: text.optional(),
    comment: text.optional(),
    'comment.present': z.string().optional(),
    'comment.absent': z.string().optional(),
    tag: z
      .union([text, z.array(text)])
      .transform((tags) => [tags].flat())
      .optional(),
    proxied: z.enum(['true', 'false']).optional(),
    search: text.optional(),
    match: z.enum(['any', 'all']).default('all'),
    tag_match: z.enum(['any', 'all']).default('all'),
    order: z.enum(['type', 'name', 'content', 'ttl', 'proxied']).optional(),
    direction: z.enum(['asc', 'desc']).default('asc'),
  })
  .extend({
    'name.exact': among,
    'name.contains': among,
    'name.startswith': among,
    'name.endswith': among,
    'content.exact': among,
    'content.contains': among,
    'content.startswith': among,
    'content.endswith': among,
    'comment.exact': among,
    'comment.contains': among,
    'comment.startswith': among,
    'comment.endswith': among,
  })

const fields = z.object({
  /** Whole, or as far as it stands before the zone's; `@` for the zone itself. */
  name: z.string().max(1000),
  type: z.string().max(20),
  content: z.string().max(10_000).optional(),
  data: z.record(z.string(), z.unknown()).optional(),
  priority: z.number().nullish(),
  ttl: z.number().optional(),
  proxied: z.boolean().optional(),
  comment: z.string().max(10_000).nullish(),
  tags: z.array(z.string().max(1000)).max(1000).optional(),
})

const EXAMPLE = { type: 'TXT', name: 'note', content: 'some text', ttl: 300 }

export type DnsRecordFields = z.output<typeof fields>

export const listDnsRecords = operation({
  id: 'dns_records.list',
  method: 'GET',
  path: '/zones/{zone_id}/dns_records',
  summary: 'The records of a zone.',
  permission: 'Zone DNS:Read',
  scope: 'zone',
  query: dnsRecordQuery,
  result: z.array(dnsRecordBody),
  paging: 'pages',
})

export const createDnsRecord = operation({
  id: 'dns_records.create',
  method: 'POST',
  path: '/zones/{zone_id}/dns_records',
  summary: 'Adds a record to a hosted zone.',
  permission: 'Zone DNS:Edit',
  scope: 'zone',
  body: fields.meta({ examples: [EXAMPLE] }),
  result: dnsRecordBody,
})

export const getDnsRecord = operation({
  id: 'dns_records.get',
  method: 'GET',
  path: '/zones/{zone_id}/dns_records/{dns_record_id}',
  summary: 'One record.',
  permission: 'Zone DNS:Read',
  scope: 'zone',
  result: dnsRecordBody,
})

export const replaceDnsRecord = operation({
  id: 'dns_records.update',
  method: 'PUT',
  path: '/zones/{zone_id}/dns_records/{dns_record_id}',
  summary: 'Puts another record in the place of one; not of a locked one.',
  permission: 'Zone DNS:Edit',
  scope: 'zone',
  body: fields.meta({ examples: [{ ...EXAMPLE, content: 'a new text' }] }),
  result: dnsRecordBody,
})

export const editDnsRecord = operation({
  id: 'dns_records.edit',
  method: 'PATCH',
  path: '/zones/{zone_id}/dns_records/{dns_record_id}',
  summary: 'Changes fields of a record; not of a locked one.',
  permission: 'Zone DNS:Edit',
  scope: 'zone',
  body: fields.partial().meta({ examples: [{ content: 'another text' }] }),
  result: dnsRecordBody,
})

export const deleteDnsRecord = operation({
  id: 'dns_records.delete',
  method: 'DELETE',
  path: '/zones/{zone_id}/dns_records/{dns_record_id}',
  summary: 'Removes a record; not a locked one.',
  permission: 'Zone DNS:Edit',
  scope: 'zone',
  result: z.object({ id: z.string() }),
})

export const dnsRecordOperations = [
  listDnsRecords,
  createDnsRecord,
  getDnsRecord,
  replaceDnsRecord,
  editDnsRecord,
  deleteDnsRecord,
]
