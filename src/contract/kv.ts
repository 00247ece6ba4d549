import { z } from 'zod'
import { octets } from './octets.ts'
import { operation } from './operation.ts'
import { pageQuery } from './paging.ts'

/** Workers KV: namespaces, and the values under their keys (clients.md §3.4). */
const namespace = z
  .object({ id: z.string(), title: z.string(), supports_url_encoding: z.boolean() })
  .meta({ id: 'KvNamespace' })

export type KvNamespaceBody = z.output<typeof namespace>

const title = z
  .string()
  .trim()
  .min(1, 'must not be empty')
  .max(512, 'may have 512 characters at most')
  .describe('What people call it; one of its kind in the account')
const wishLike = (example: string) => z.object({ title }).meta({ examples: [{ title: example }] })

const NAMESPACES = '/accounts/{account_id}/storage/kv/namespaces'
const NAMESPACE = `${NAMESPACES}/{namespace_id}` as const
const VALUE = `${NAMESPACE}/values/{key_name}` as const
const READ = { permission: 'Workers:Read', scope: 'account' } as const
const EDIT = { permission: 'Workers:Edit', scope: 'account' } as const

export const listKvNamespaces = operation({
  ...READ,
  id: 'kv_namespaces.list',
  method: 'GET',
  path: NAMESPACES,
  summary: 'Lists the KV namespaces of an account.',
  query: pageQuery.extend({
    order: z.enum(['id', 'title'], '"id" or "title"').default('id'),
    direction: z.enum(['asc', 'desc'], '"asc" or "desc"').default('asc'),
  }),
  result: z.array(namespace),
  paging: 'pages',
})

export const createKvNamespace = operation({
  ...EDIT,
  id: 'kv_namespaces.create',
  method: 'POST',
  path: NAMESPACES,
  summary: 'Makes a KV namespace.',
  body: wishLike('MAIL'),
  result: namespace,
})

export const getKvNamespace = operation({
  ...READ,
  id: 'kv_namespaces.get',
  method: 'GET',
  path: NAMESPACE,
  summary: 'Gets a KV namespace.',
  result: namespace,
})

export const renameKvNamespace = operation({
  ...EDIT,
  id: 'kv_namespaces.rename',
  method: 'PUT',
  path: NAMESPACE,
  summary: 'Gives a KV namespace another title.',
  body: wishLike('OLD MAIL'),
  result: namespace,
})

export const deleteKvNamespace = operation({
  ...EDIT,
  id: 'kv_namespaces.delete',
  method: 'DELETE',
  path: NAMESPACE,
  summary: 'Deletes a KV namespace with everything in it.',
  result: z.object({}),
})

const listedKey = z
  .object({
    name: z.string(),
    expiration: z.number().int().describe('In seconds since 1970').optional(),
    metadata: z.unknown().optional(),
  })
  .meta({ id: 'KvKey' })

export type KvKeyBody = z.output<typeof listedKey>

export const listKvKeys = operation({
  ...READ,
  id: 'kv_keys.list',
  method: 'GET',
  path: `${NAMESPACE}/keys`,
  summary: 'Lists the keys of a KV namespace, in the order of their octets.',
  query: z.object({
    prefix: z.string().describe('Only keys that begin with it').default(''),
    limit: z.coerce.number('a number from 1 to 1000').int().min(1).max(1000).default(1000),
    cursor: z.string().describe('From the page before; without it the list starts anew').optional(),
  }),
  result: z.array(listedKey),
  paging: 'cursor',
})

export const getKvValue = operation({
  ...READ,
  id: 'kv_values.get',
  method: 'GET',
  path: VALUE,
  summary: 'Gets the value under a key, as it is.',
  result: z.string(),
  resultTypes: ['application/octet-stream'],
})

const seconds = (about: string) => z.coerce.number('a whole number of seconds').describe(about).optional()
const EXPIRATION = 'When it expires, in seconds since 1970, at least 60 ahead'
const TTL = 'After how many seconds it expires, at least 60; counts before expiration'

export const putKvValue = operation({
  ...EDIT,
  id: 'kv_values.put',
  method: 'PUT',
  path: VALUE,
  summary:
    'Puts a value of up to 25 MiB under a key: the body as it is, or the part “value” of a form that has “metadata” as JSON beside it.',
  query: z.object({ expiration: seconds(EXPIRATION), expiration_ttl: seconds(TTL) }),
  body: octets('a value'),
  bodyTypes: ['application/octet-stream', 'text/plain', 'multipart/form-data'],
  result: z.object({}),
})

export const deleteKvValue = operation({
  ...EDIT,
  id: 'kv_values.delete',
  method: 'DELETE',
  path: VALUE,
  summary: 'Deletes what is under a key, if anything is.',
  result: z.object({}),
})

export const getKvMetadata = operation({
  ...READ,
  id: 'kv_metadata.get',
  method: 'GET',
  path: `${NAMESPACE}/metadata/{key_name}`,
  summary: 'Gets the metadata of a value, null where it has none.',
  result: z.unknown().nullable(),
})

const MOST_PAIRS = 10_000
/** Of a list of that many, each with metadata. */
const MOST_TOKENS = 40 * MOST_PAIRS

const pair = z.object({
  key: z.string(),
  value: z.string(),
  base64: z.boolean().describe('Whether the value is in base64').default(false),
  metadata: z.unknown().optional(),
  expiration: z.number().describe(EXPIRATION).optional(),
  expiration_ttl: z.number().describe(TTL).optional(),
})

export type KvPairBody = z.output<typeof pair>

const bulkResult = z
  .object({ successful_key_count: z.number().int(), unsuccessful_keys: z.array(z.string()) })
  .meta({ id: 'KvBulkResult' })

export const putKvBulk = operation({
  ...EDIT,
  id: 'kv_bulk.put',
  method: 'PUT',
  path: `${NAMESPACE}/bulk`,
  summary:
    'Puts up to 10,000 values; where one of them cannot be taken, none is. The body has 48 MiB at most.',
  body: z
    .array(pair)
    .max(MOST_PAIRS, 'may have 10,000 entries at most')
    .meta({ examples: [[{ key: 'own', value: 'v', expiration_ttl: 3600, metadata: { a: 1 } }]] }),
  mostTokens: MOST_TOKENS,
  result: bulkResult,
})

const keys = z
  .array(z.string())
  .max(MOST_PAIRS, 'may have 10,000 entries at most')
  .meta({ examples: [['gone']] })

export const deleteKvBulk = operation({
  ...EDIT,
  id: 'kv_bulk.delete',
  method: 'POST',
  path: `${NAMESPACE}/bulk/delete`,
  summary: 'Deletes what is under up to 10,000 keys.',
  body: keys,
  mostTokens: MOST_TOKENS,
  result: bulkResult,
})

export const removeKvBulk = operation({
  ...EDIT,
  id: 'kv_bulk.remove',
  method: 'DELETE',
  path: `${NAMESPACE}/bulk`,
  summary: 'The same, as older clients ask for it.',
  body: keys,
  mostTokens: MOST_TOKENS,
  result: bulkResult,
})

export const getKvBulk = operation({
  ...READ,
  id: 'kv_bulk.get',
  method: 'POST',
  path: `${NAMESPACE}/bulk/get`,
  summary: 'Gets up to 100 values that are text, of 25 MiB together.',
  body: z
    .object({
      keys: z.array(z.string()).min(1).max(100, 'may have 100 entries at most'),
      type: z.enum(['text', 'json'], '"text" or "json"').default('text'),
      withMetadata: z.boolean().default(false),
    })
    .meta({ examples: [{ keys: ['own'] }] }),
  result: z.object({
    values: z
      .record(z.string(), z.unknown())
      .describe('By key: the value, null where there is none, or an object with value and metadata'),
  }),
})

export const kvOperations = [
  ...[listKvNamespaces, createKvNamespace, getKvNamespace, renameKvNamespace, deleteKvNamespace],
  ...[listKvKeys, getKvValue, putKvValue, deleteKvValue, getKvMetadata],
  ...[putKvBulk, deleteKvBulk, removeKvBulk, getKvBulk],
]
