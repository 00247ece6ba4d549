import { newId } from '#store/id.ts'
import { statement, type Write } from '#store/store.ts'
import { addressKey } from './address-range.ts'

/** Who made a change: somebody with a token, or the service by itself (a schedule, mail that came back). */
export type AuditActor =
  | {
      /** Of somebody who is signed in, that session's; null: somebody who was not let in. */
      readonly tokenId: string | null
      /** Set where the token is a user's. */
      readonly userId?: string | null
      /** Where the request came from. */
      readonly address: string
    }
  | 'system'

export interface AuditEntry {
  readonly accountId: string
  readonly actor: AuditActor
  /** `resource.verb`: `rule.create`. */
  readonly action: string
  readonly resource: { readonly type: string; readonly id: string }
  /** The name of the zone that it is about. */
  readonly zone?: string
  /** About a user of the account, not the account itself. */
  readonly userLevel?: boolean
  /** The resource as it was and as it is, as the API shows it; absent where there was or is none. */
  readonly before?: unknown
  readonly after?: unknown
  /** Milliseconds. */
  readonly at: number
}

const insertEntry = statement(
  'audit.insert',
  `insert into audit_log (id, account_id, at, action, actor_type, actor_id, actor_token_id, actor_address, actor_key,
     user_level, resource_type, resource_id, zone_name, before_value, after_value)
   values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
)

/** The audit log's line about a change, for the commit that makes it. What is a secret by its name is left out of
 *  `before` and `after`; it should not be in them. */
export function auditWrite(entry: AuditEntry): Write {
  const { accountId, actor, action, resource, zone, userLevel = false, before, after, at } = entry
  const who =
    actor === 'system'
      ? ['system', 'system', null, '', null]
      : [
          ...[actor.userId == null ? 'token' : 'user', actor.userId ?? actor.tokenId ?? '', actor.tokenId],
          ...[actor.address, addressKey(actor.address) ?? null],
        ]
  const params = [
    ...[newId(), accountId, at, action, ...who, userLevel ? 1 : 0],
    ...[resource.type, resource.id, zone ?? null, shown(before), shown(after)],
  ]
  return { statement: insertEntry, params, rows: 1 }
}

const SECRET = /^(?:secret|secret_text|password|passphrase|private_?key|token_?value|api_?key|hash)$/i

/** Characters of one value at most: a line of the log is no place to keep things in. */
const LONGEST = 65_536

function shown(value: unknown): string | null {
  if (value === undefined || value === null) return null
  const text = JSON.stringify(value, (key, inner: unknown) => (SECRET.test(key) ? undefined : inner))
  return text.length <= LONGEST ? text : JSON.stringify({ left_out: `${text.length} characters` })
}
