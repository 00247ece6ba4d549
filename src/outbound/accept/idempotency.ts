import { type Store, statement, type Write } from '#store/store.ts'

/** How a request says that it may be a repetition (promise 8).
 *  `keyed`: it carries an Idempotency-Key, valid for 24 h. `first` and `repeated`: it carries none, but its client
 *  counts its tries; a repetition matches token and body for ten minutes. */
export interface Repeatable {
  readonly kind: 'keyed' | 'first' | 'repeated'
  readonly key: string
  readonly bodyHash: string
  /** How long a `keyed` one is remembered, where that is not 24 h. */
  readonly rememberMs?: number
}

export interface Earlier {
  readonly bodyHash: string
  readonly messageId: string
}

const KEYED_MS = 24 * 3_600_000
const COUNTED_MS = 10 * 60_000

/** The message that an earlier request with this key became, if it still counts. */
export async function findEarlier(
  store: Store,
  accountId: string,
  key: string,
): Promise<Earlier | undefined> {
  const row = await store.get(find, [accountId, key])
  return row && { bodyHash: row.body_hash, messageId: row.message_id }
}

const find = statement<{ body_hash: string; message_id: string }>(
  'idempotency.find',
  'select body_hash, message_id from idempotency where account_id = $1 and key = $2 and expires_at > {now}',
)

export const REMEMBER = 'idempotency.remember'

/** Part of the promise. A key that is in use makes the set conflict under the name REMEMBER: another request won. A
 *  first try takes the place of what came before it with the same body: sending the same twice on purpose is legal. */
export function rememberWrite(
  accountId: string,
  repeatable: Repeatable,
  messageId: string,
  at: number,
): Write {
  const expiresAt = at + (repeatable.kind === 'keyed' ? (repeatable.rememberMs ?? KEYED_MS) : COUNTED_MS)
  const params = [accountId, repeatable.key, repeatable.bodyHash, messageId, expiresAt]
  return repeatable.kind === 'first'
    ? { statement: replace, params }
    : { statement: remember, params, rows: 1 }
}

const insert =
  'insert into idempotency (account_id, key, body_hash, message_id, expires_at) values ($1, $2, $3, $4, $5)'
const update =
  'do update set body_hash = excluded.body_hash, message_id = excluded.message_id, expires_at = excluded.expires_at'
const remember = statement(
  REMEMBER,
  `${insert} on conflict (account_id, key) ${update} where idempotency.expires_at <= {now}`,
)
const replace = statement('idempotency.replace', `${insert} on conflict (account_id, key) ${update}`)

/** Forgets keys whose time is over. */
export function sweepIdempotency(): Write {
  return { statement: sweep, params: [] }
}

const sweep = statement('idempotency.sweep', 'delete from idempotency where expires_at <= {now}')
