import type { Kv, KvPlace } from '#workers/storage/kv.ts'
import { isKvKey, type KvKey, parseKvKey } from '#workers/storage/kv-key.ts'
import type { Fault } from './fault.ts'
import type { Call, ServedBy } from './serve-operation.ts'

export interface KvWorld extends ServedBy {
  readonly kv: Kv
  readonly now: () => number
}

export const NO_NAMESPACE: Fault = { status: 404, code: 10013, message: 'namespace not found' }
export const INVALID = { status: 400, code: 1001, message: 'Request body is invalid' } as const

type Asked = Pick<Call<unknown, unknown>, 'accountId' | 'params'>

export function placeOf({ accountId, params }: Asked): KvPlace {
  return { accountId, namespaceId: params['namespace_id']?.toLowerCase() ?? '' }
}

/** The key of the path. */
export function keyOf({ params }: Asked): KvKey | Fault {
  const key = parseKvKey(params['key_name'] ?? '')
  return isKvKey(key) ? key : { ...INVALID, message: 'Invalid key', detail: key.detail }
}

/** What there is to say of a key under which nothing was found. */
export async function notFound({ kv }: KvWorld, place: KvPlace): Promise<Fault> {
  if (!(await kv.namespace(place.accountId, place.namespaceId))) return NO_NAMESPACE
  return { status: 404, code: 10009, message: "get: 'key not found'" }
}
