import { type Store, statement, type Write } from '#store/store.ts'
import type { IpRanges } from './ip-ranges.ts'
import { type Policy, storedPolicies } from './policy.ts'
import { TOKEN_COLUMNS, type TokenRecord, type TokenRow, tokenRecord } from './token-row.ts'
import { hashSecret, newTokenSecret } from './token-secret.ts'
import type { TokenOwner, Tokens } from './tokens.ts'

/** All that a change of a token states anew. */
export interface TokenChange {
  readonly name: string
  readonly policies: readonly Policy[]
  readonly ipRanges: IpRanges | undefined
  readonly notBefore: number | null
  readonly expiresAt: number | null
  readonly status: TokenRecord['status']
}

/** Writes for the commit of a change, which is seen from before to after. */
export type AlsoChanged = (before: TokenRecord, after: TokenRecord) => readonly Write[]

/** The tokens of one owner as it sees them; API keys and revoked tokens are not among them. */
export interface TokenRegister {
  /** The newest first, unless `ascending`. */
  list(
    owner: TokenOwner,
    page: {
      readonly offset: number
      readonly limit: number
      readonly ascending: boolean
      readonly withExpired: boolean
    },
  ): Promise<{ readonly tokens: readonly TokenRecord[]; readonly total: number }>
  find(owner: TokenOwner, tokenId: string): Promise<TokenRecord | undefined>
  /** `outdated` where somebody else changed it since `before` was read: nothing was changed. */
  change(before: TokenRecord, change: TokenChange, also: AlsoChanged): Promise<TokenRecord | 'outdated'>
  /** A new secret in place of the old one, which stops at once. */
  roll(before: TokenRecord, also: AlsoChanged): Promise<{ readonly secret: string } | 'outdated'>
}

const OWN = `(token.account_id = $1 or token.user_id = $2) and token.kind = 'token' and token.status <> 'revoked'`
const PAGE = `select ${TOKEN_COLUMNS} from token where ${OWN} and ($3 = 1 or expires_at is null or expires_at > $4)`

const oldestFirst = statement<TokenRow>(
  'token.list-ascending',
  `${PAGE} order by created_at, id limit $5 offset $6`,
)
const newestFirst = statement<TokenRow>(
  'token.list',
  `${PAGE} order by created_at desc, id desc limit $5 offset $6`,
)

const countTokens = statement<{ readonly total: number }>(
  'token.count',
  `select count(*) as total from token where ${OWN} and ($3 = 1 or expires_at is null or expires_at > $4)`,
)

const tokenById = statement<TokenRow>(
  'token.by-id',
  `select ${TOKEN_COLUMNS} from token where ${OWN} and token.id = $3`,
)

const updateToken = statement(
  'token.update',
  `update token set name = $2, permissions = '[]', policies = $3, request_ip = $4, not_before = $5, expires_at = $6,
     status = $7, modified_at = $8
   where id = $1 and status <> 'revoked' and coalesce(modified_at, created_at) = $9`,
)

const rollToken = statement(
  'token.roll',
  `update token set hash = $2, modified_at = $3
   where id = $1 and status <> 'revoked' and coalesce(modified_at, created_at) = $4`,
)

export function openTokenRegister(
  { store, clock }: { readonly store: Store; readonly clock: () => number },
  tokens: Pick<Tokens, 'forget'>,
): TokenRegister {
  const row = (owner: TokenOwner, tokenId: string) =>
    store.get(tokenById, [owner.accountId, owner.userId, tokenId])

  /** One changed row, and what follows of it; the cached token is forgotten whatever becomes of the commit. */
  async function commit(before: TokenRecord, set: readonly Write[]): Promise<boolean> {
    const stored = await row(before, before.id)
    if (!stored) return false
    try {
      return (await store.commit(set)).ok
    } finally {
      tokens.forget(stored.hash)
    }
  }

  // Every change has a moment of its own, by which the next one knows whether it saw this one.
  const momentAfter = (before: TokenRecord) => Math.max(clock(), before.modifiedAt + 1)

  return {
    async list({ accountId, userId }, { offset, limit, ascending, withExpired }) {
      const filter = [accountId, userId, withExpired ? 1 : 0, clock()]
      const [rows, counted] = await Promise.all([
        store.all(ascending ? oldestFirst : newestFirst, [...filter, limit, offset]),
        store.get(countTokens, filter),
      ])
      return { tokens: rows.map(tokenRecord), total: counted?.total ?? 0 }
    },

    async find(owner, tokenId) {
      const found = await row(owner, tokenId)
      return found && tokenRecord(found)
    },

    async change(before, change, also) {
      const modifiedAt = momentAfter(before)
      const after: TokenRecord = { ...before, ...change, modifiedAt }
      const params = [
        ...[before.id, change.name, storedPolicies(change.policies)],
        ...[change.ipRanges ? JSON.stringify(change.ipRanges) : null, change.notBefore, change.expiresAt],
        ...[change.status, modifiedAt, before.modifiedAt],
      ]
      const written = { statement: updateToken, params, rows: 1 }
      return (await commit(before, [written, ...also(before, after)])) ? after : 'outdated'
    },

    async roll(before, also) {
      const secret = newTokenSecret()
      const modifiedAt = momentAfter(before)
      const params = [before.id, hashSecret(secret), modifiedAt, before.modifiedAt]
      const written = { statement: rollToken, params, rows: 1 }
      const done = await commit(before, [written, ...also(before, { ...before, modifiedAt })])
      return done ? { secret } : 'outdated'
    },
  }
}
