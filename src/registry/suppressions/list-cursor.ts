import { createHmac, timingSafeEqual } from 'node:crypto'
import type { ListFilter, Position } from './list-suppressions.ts'

/** What a cursor carries: where the next page begins, and of which list. */
export interface Cursor {
  readonly filter: ListFilter
  readonly perPage: number
  readonly after: Position
}

/** Opaque, and only for the account and by the key that it was made with. */
export function encodeCursor(cursor: Cursor, accountId: string, key: Uint8Array): string {
  const { filter, perPage, after } = cursor
  const text = JSON.stringify([
    perPage,
    [after.scopeType, after.createdAt, after.id],
    [filter.emailKeys, filter.localKey, filter.reason, filter.scopeType, filter.scopeValue],
  ])
  const payload = Buffer.from(text)
  return Buffer.concat([mac(payload, accountId, key), payload]).toString('base64url')
}

/** Undefined for whatever `encodeCursor` did not make for this account. */
export function decodeCursor(text: string, accountId: string, key: Uint8Array): Cursor | undefined {
  if (text.length > LONGEST) return undefined
  const bytes = Buffer.from(text, 'base64url')
  // Decoding skips what is no base64: such a text was mangled, even where its bytes were not.
  if (bytes.length <= MAC_BYTES || bytes.toString('base64url') !== text) return undefined
  const payload = bytes.subarray(MAC_BYTES)
  if (!timingSafeEqual(mac(payload, accountId, key), bytes.subarray(0, MAC_BYTES))) return undefined
  // The MAC says that it is what we wrote.
  const [perPage, [scopeType, createdAt, id], filters] = JSON.parse(payload.toString()) as Written
  const [emailKeys, localKey, reason, scope, scopeValue] = filters
  return {
    perPage,
    after: { scopeType, createdAt, id },
    filter: {
      ...(emailKeys && { emailKeys }),
      ...(localKey !== null && { localKey }),
      ...(reason && { reason }),
      ...(scope && { scopeType: scope }),
      ...(scopeValue !== null && { scopeValue }),
    },
  }
}

export function sameFilter(a: ListFilter, b: ListFilter): boolean {
  const keys = (filter: ListFilter) => JSON.stringify(filter.emailKeys ?? [])
  return (
    keys(a) === keys(b) &&
    a.localKey === b.localKey &&
    a.reason === b.reason &&
    a.scopeType === b.scopeType &&
    a.scopeValue === b.scopeValue
  )
}

/** As JSON keeps it: what was undefined is null. */
type Written = readonly [
  perPage: number,
  after: readonly [scopeType: string, createdAt: number, id: string],
  filters: readonly [
    emailKeys: readonly string[] | null,
    localKey: string | null,
    reason: ListFilter['reason'] | null,
    scopeType: ListFilter['scopeType'] | null,
    scopeValue: string | null,
  ],
]

const MAC_BYTES = 16
/** Two addresses and a domain at their longest, with room. */
const LONGEST = 4000

function mac(payload: Buffer, accountId: string, key: Uint8Array): Buffer {
  // An account's id has no NUL in it, so no two pairs read the same.
  return createHmac('sha256', key).update(`${accountId}\0`).update(payload).digest().subarray(0, MAC_BYTES)
}
