import { pipeline } from 'node:stream/promises'
import { checkJsonShape } from '#protocol/json-shape.ts'
import type { Kv, KvEntry, KvPlace } from '#workers/storage/kv.ts'
import { isKvKey, type KvKey, parseKvKey } from '#workers/storage/kv-key.ts'
import { isKvFault, LARGEST_VALUE, readKvWrite } from '#workers/storage/kv-write.ts'
import { answerJson, answerStatus, type HostRequest } from './host-door.ts'
import { parsed, record } from './worker-trace.ts'

interface KvWorld {
  readonly kv: Pick<Kv, 'put' | 'find' | 'stream' | 'getAll' | 'list' | 'delete'>
  readonly place: KvPlace
  /** Milliseconds. */
  readonly now: number
}

const METADATA = 'cf-kv-metadata'
const LARGEST_ASK = 131_072
const MOST_KEYS = 100
const PAGE = 1000
/** A larger value is streamed: it breaks off where it is replaced meanwhile. */
const LARGEST_WHOLE = 4 * 1_048_576
/** What `getAll` has in memory at most, and some: one at a time for each Worker. */
const TOGETHER = 31 * 1_048_576
/** Commas, colons and brackets of a value that is read here; each may cost a hundred octets. */
const MOST_TOKENS = 500_000

/** A KV binding, in the protocol that workerd speaks: `GET`, `PUT` and `DELETE` of a key, a list, several at once. */
export async function serveKv(asked: HostRequest, world: KvWorld): Promise<void> {
  const { request, response } = asked
  const url = new URL(request.url ?? '')
  if (request.method === 'POST' && url.pathname === '/bulk/get') return getSeveral(asked, world)
  if (request.method === 'GET' && url.pathname === '/') return list(asked, world, url.searchParams)
  const name = keyName(url.pathname)
  if (name === undefined) return answerStatus(response, 400, 'The key is not well-formed.')
  if (request.method === 'PUT') return put(asked, world, { name, query: url.searchParams })
  const key = parseKvKey(name)
  if (!isKvKey(key)) return answerStatus(response, 400, key.detail)
  if (request.method === 'GET') return get(asked, world, key)
  if (request.method === 'DELETE') {
    await world.kv.delete(world.place, [key])
    response.end()
    return
  }
  answerStatus(response, 405, 'Method not allowed')
}

function keyName(pathname: string): string | undefined {
  try {
    return decodeURIComponent(pathname.slice(1))
  } catch {
    return undefined
  }
}

async function put(
  { request, response, body }: HostRequest,
  { kv, place, now }: KvWorld,
  { name, query }: { readonly name: string; readonly query: URLSearchParams },
): Promise<void> {
  const value = await body(LARGEST_VALUE)
  if (!value) return
  const metadata = request.headers[METADATA]
  const write = readKvWrite(
    {
      key: name,
      value,
      metadata: typeof metadata === 'string' ? parsed(fromOctets(metadata)) : undefined,
      expiration: numberOf(query.get('expiration')),
      expirationTtl: numberOf(query.get('expiration_ttl')),
    },
    now,
  )
  if (isKvFault(write)) return answerStatus(response, 400, write.detail)
  const stored = await kv.put(place, [write])
  if (stored === 'stored') response.end()
  else answerStatus(response, 404, 'The namespace does not exist.')
}

async function get({ response, room }: HostRequest, { kv, place }: KvWorld, key: KvKey): Promise<void> {
  const found = await kv.find(place, key)
  if (!found) return answerStatus(response, 404, 'Not Found')
  await room(Math.min(found.size, LARGEST_WHOLE))
  if (response.destroyed) return
  const entry = found.size > LARGEST_WHOLE ? await kv.stream(place, key) : await found.whole()
  if (!entry) return answerStatus(response, 404, 'Not Found')
  if (entry.metadata !== null) response.setHeader(METADATA, toOctets(entry.metadata))
  if (entry.expiresAt !== null)
    response.setHeader('cf-expiration', String(Math.floor(entry.expiresAt / 1000)))
  response.setHeader('content-length', entry.size)
  if ('value' in entry) response.end(entry.value)
  else await pipeline(entry.open(), response).catch(() => response.destroy())
}

async function getSeveral({ response, body, room }: HostRequest, { kv, place }: KvWorld): Promise<void> {
  const text = await body(LARGEST_ASK)
  if (!text) return
  const { keys, type, withMetadata } = record(parsed(text.toString())) ?? {}
  const names: unknown[] = Array.isArray(keys) ? keys : []
  if (names.length > MOST_KEYS)
    return answerStatus(response, 400, `You can request a maximum of ${MOST_KEYS} keys`)
  const read = names.map((name) => parseKvKey(String(name)))
  const wrong = read.find((key) => !isKvKey(key))
  if (wrong && !isKvKey(wrong)) return answerStatus(response, 400, wrong.detail)
  await room(TOGETHER)
  if (response.destroyed) return
  const entries = await kv.getAll(place, read.filter(isKvKey))
  if (entries === 'too-large') return answerStatus(response, 413, 'The values are too large together')
  if (type === 'json' && entries.some((entry) => entry && holdsTooMuch(entry)))
    return answerStatus(response, 413, 'A value has too much in it to be read as JSON with others')
  const valueOf = ({ value }: KvEntry) => (type === 'json' ? parsed(value.toString()) : value.toString())
  const values = entries.map((entry) => entry && valueOf(entry))
  if (entries.some((entry, index) => entry && values[index] === undefined))
    return answerStatus(response, 400, 'At least one of the requested keys corresponds to a non-json value')
  const shown = names.map((name, index) => {
    const entry = entries[index]
    if (!entry) return [name, null]
    const value = values[index]
    return [name, withMetadata === true ? { value, metadata: metadataOf(entry) } : value]
  })
  answerJson(response, Object.fromEntries(shown))
}

async function list(
  { response }: HostRequest,
  { kv, place }: KvWorld,
  query: URLSearchParams,
): Promise<void> {
  const limit = numberOf(query.get('key_count_limit')) ?? PAGE
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > PAGE) {
    return answerStatus(response, 400, `The limit is 1 to ${PAGE}.`)
  }
  const page = await kv.list(place, {
    prefix: query.get('prefix') ?? '',
    cursor: query.get('cursor') ?? undefined,
    limit,
  })
  if (page === 'no-namespace') return answerStatus(response, 404, 'The namespace does not exist.')
  if (page === 'bad-cursor') return answerStatus(response, 400, 'The cursor is none of this list.')
  answerJson(response, {
    keys: page.keys.map(({ name, expiresAt, metadata }) => ({
      name,
      ...(expiresAt !== null && { expiration: Math.floor(expiresAt / 1000) }),
      ...(metadata !== null && { metadata: parsed(metadata) }),
    })),
    list_complete: page.cursor === undefined,
    ...(page.cursor !== undefined && { cursor: page.cursor }),
  })
}

/** A few megabytes of `[],[],…` are gigabytes of objects. */
function holdsTooMuch({ value }: KvEntry): boolean {
  return checkJsonShape(value, MOST_TOKENS) !== undefined
}

function metadataOf({ metadata }: KvEntry): unknown {
  return metadata === null ? null : parsed(metadata)
}

function numberOf(text: string | null): number | undefined {
  return text === null ? undefined : Number(text)
}

/** workerd writes UTF-8 into headers, which Node reads octet by octet. */
function fromOctets(header: string): string {
  return Buffer.from(header, 'latin1').toString()
}

function toOctets(text: string): string {
  return Buffer.from(text).toString('latin1')
}
