import { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { deleteKvValue, getKvMetadata, getKvValue, putKvValue } from '#contract/kv.ts'
import type { KvPlace } from '#workers/storage/kv.ts'
import type { KvKey } from '#workers/storage/kv-key.ts'
import { isKvFault, type KvWish, LARGEST_VALUE, readKvWrite } from '#workers/storage/kv-write.ts'
import { openBodyBudget } from './body-budget.ts'
import { INVALID, type KvWorld, keyOf, NO_NAMESPACE, notFound, placeOf } from './kv-world.ts'
import { isForm, readForm } from './read-form.ts'
import { type Fault, serveOperation } from './serve-operation.ts'

/** A value, and what a form has around it. */
const LARGEST_BODY = LARGEST_VALUE + 65_536
const LARGEST_WHOLE = 4 * 1_048_576
/** Of such values together, on their way to those who asked for them. */
const MOST_HELD = 64 * 1_048_576

/** `…/values/{key_name}` and `…/metadata/{key_name}`. */
export function kvValueRoutes(api: FastifyInstance, world: KvWorld): void {
  const { kv, now } = world
  const large = { limit: LARGEST_BODY, bodies: openBodyBudget(4 * LARGEST_BODY) }
  let held = 0

  /** Whole, where it may be in memory until it is sent; what is streamed breaks off where it is replaced meanwhile. */
  async function readContent(place: KvPlace, key: KvKey): Promise<Readable | undefined> {
    const found = await kv.find(place, key)
    if (!found) return undefined
    if (found.size > LARGEST_WHOLE || held + found.size > MOST_HELD) {
      const streamed = await kv.stream(place, key)
      return streamed && Readable.from(streamed.open(), { objectMode: false })
    }
    held += found.size
    const entry = await found.whole().catch((error: unknown) => {
      held -= found.size
      throw error
    })
    const content = Readable.from(entry ? [entry.value] : [], { objectMode: false })
    content.once('close', () => {
      held -= found.size
    })
    if (entry) return content
    content.destroy()
    return undefined
  }

  serveOperation(api, { operation: getKvValue, world }, async (call) => {
    const key = keyOf(call)
    if ('status' in key) return key
    const content = await readContent(placeOf(call), key)
    if (!content) return notFound(world, placeOf(call))
    // As a file: whatever a stranger wrote into it, no browser shows it as a page of ours.
    return { file: { name: 'value', type: 'application/octet-stream', content } }
  })

  serveOperation(api, { operation: putKvValue, world, large }, async (call) => {
    const key = keyOf(call)
    if ('status' in key) return key
    const content = isForm(call.contentType)
      ? await formOf(call.body, call.contentType)
      : { value: call.body, metadata: null }
    if ('status' in content) return content
    const { expiration, expiration_ttl: expirationTtl } = call.query
    const name = call.params['key_name'] ?? ''
    const write = readKvWrite({ key: name, ...content, expiration, expirationTtl }, now())
    if (isKvFault(write)) return { ...INVALID, detail: write.detail, pointer: pointerOf(write.field) }
    return (await kv.put(placeOf(call), [write])) === 'stored' ? { result: {} } : NO_NAMESPACE
  })

  serveOperation(api, { operation: deleteKvValue, world }, async (call) => {
    const key = keyOf(call)
    if ('status' in key) return key
    return (await kv.delete(placeOf(call), [key])) === 'deleted' ? { result: {} } : NO_NAMESPACE
  })

  serveOperation(api, { operation: getKvMetadata, world }, async (call) => {
    const key = keyOf(call)
    if ('status' in key) return key
    const found = await kv.metadata(placeOf(call), key)
    if (!found) return notFound(world, placeOf(call))
    return { result: found.metadata === null ? null : (JSON.parse(found.metadata) as unknown) }
  })
}

function pointerOf(field: string): string {
  return field.startsWith('expiration') ? `?${field}` : `/${field}`
}

/** The value and its metadata, which is JSON. */
async function formOf(
  body: Uint8Array,
  contentType: string,
): Promise<Pick<KvWish, 'value' | 'metadata'> | Fault> {
  const form = await readForm(body, contentType, 4)
  if ('detail' in form) return { ...INVALID, detail: form.detail }
  // Some clients take an object apart into a part for each of its fields: better refused than lost.
  const unknown = [...form.keys()].find((name) => name !== 'value' && name !== 'metadata')
  if (unknown !== undefined) {
    const detail = `The form may have the parts "value" and "metadata", which is JSON; "${unknown.slice(0, 50)}" is none.`
    return { ...INVALID, detail }
  }
  const [value, metadata] = [form.get('value'), form.get('metadata')]
  if (value === null) return { ...INVALID, detail: 'The form has no part "value".', pointer: '/value' }
  const octets = typeof value === 'string' ? Buffer.from(value) : new Uint8Array(await value.arrayBuffer())
  if (metadata === null || metadata === '') return { value: octets, metadata: null }
  try {
    const text = typeof metadata === 'string' ? metadata : await metadata.text()
    return { value: octets, metadata: JSON.parse(text) as unknown }
  } catch {
    return { ...INVALID, detail: 'The part "metadata" must be JSON.', pointer: '/metadata' }
  }
}
