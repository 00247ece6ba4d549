import type { Permission } from '#model/permission.ts'
import { newId } from '#store/id.ts'
import { type Store, statement, type Write } from '#store/store.ts'
import { foundCache } from './found-cache.ts'
import { parsePermissions } from './permission.ts'
import { hashSecret, LONGEST_SECRET, newTokenSecret, sameHash } from './token-secret.ts'

/** A token that works, and whose it is: an account's or a user's. */
export interface Token {
  readonly id: string
  /** SHA-256 of its secret: names the secret without giving it away. */
  readonly hash: string
  readonly accountId: string | null
  readonly userId: string | null
  readonly permissions: ReadonlySet<Permission>
}

export type Authentication =
  | { readonly kind: 'valid'; readonly token: Token }
  /** What to a stranger all looks the same; whose it was is for counting failures. */
  | {
      readonly kind: 'expired' | 'revoked'
      readonly accountId: string | null
      readonly userId: string | null
    }
  | { readonly kind: 'unknown' }

export interface NewToken {
  readonly name: string
  readonly permissions: readonly Permission[]
  /** Milliseconds since 1970; absent means never. */
  readonly expiresAt?: number
}

/** Exactly one of the two is set. */
export interface TokenOwner {
  readonly accountId: string | null
  readonly userId: string | null
}

export interface Tokens {
  create(owner: TokenOwner, token: NewToken): Promise<{ readonly id: string; readonly secret: string }>
  importToken(
    owner: TokenOwner,
    token: NewToken & { readonly secret: string },
  ): Promise<{ readonly id: string }>
  revoke(owner: TokenOwner, tokenId: string): Promise<boolean>
  authenticate(secret: string): Promise<Authentication>
  current(token: Token): Promise<Token | undefined>
}

const TOKENS_KEPT = 10_000

interface TokenRow {
  readonly id: string
  readonly account_id: string | null
  readonly user_id: string | null
  readonly hash: string
  readonly permissions: string
  readonly status: string
  readonly expires_at: number | null
}

const insertToken = statement(
  'token.insert',
  `insert into token (id, account_id, user_id, name, hash, permissions, status, expires_at, created_at)
   values ($1, $2, $3, $4, $5, $6, 'active', $7, $8) on conflict (hash) do nothing`,
)

const tokenByHash = statement<TokenRow>(
  'token.by-hash',
  'select id, account_id, user_id, hash, permissions, status, expires_at from token where hash = $1',
)

// The owner that is null equals no row's.
const activeToken = statement<{ readonly hash: string }>(
  'token.active',
  `select hash from token where id = $1 and (account_id = $2 or user_id = $3) and status = 'active'`,
)

const revokeToken = statement(
  'token.revoke',
  `update token set status = 'revoked'
   where id = $1 and (account_id = $2 or user_id = $3) and status = 'active'`,
)

/** A token that was made once, whether or not it still works. */
interface KnownToken {
  readonly token: Token
  readonly revoked: boolean
  readonly expiresAt: number | null
}

/** The tokens of accounts and of users; what each function promises stands in `Accounts`. */
export function openTokens({ store, clock }: { store: Store; clock: () => number }): Tokens {
  // Keyed by hash, so that no secret stays in memory.
  const known = foundCache<KnownToken>({ max: TOKENS_KEPT, clock })

  async function read(hash: string): Promise<KnownToken | undefined> {
    const row = await store.get(tokenByHash, [hash])
    const same = sameHash(row?.hash, hash)
    return row && same ? knownToken(row) : undefined
  }

  async function look(hash: string): Promise<Authentication> {
    const found = await known.get(hash, () => read(hash))
    if (!found) return { kind: 'unknown' }
    const { token, revoked, expiresAt } = found
    const expired = expiresAt !== null && clock() >= expiresAt
    if (!revoked && !expired) return { kind: 'valid', token }
    return { kind: revoked ? 'revoked' : 'expired', accountId: token.accountId, userId: token.userId }
  }

  return {
    async create(owner, token) {
      const secret = newTokenSecret()
      const id = newId()
      const made = await store.commit([
        tokenWrite(owner, token, { id, hash: hashSecret(secret), at: clock() }),
      ])
      if (!made.ok) throw new Error(`${made.conflict} conflicted on a new secret`)
      return { id, secret }
    },

    async importToken(owner, token) {
      if (token.secret.length > LONGEST_SECRET) {
        throw new RangeError(`the token to import is longer than ${LONGEST_SECRET} characters`)
      }
      const id = newId()
      const hash = hashSecret(token.secret)
      const made = await store.commit([tokenWrite(owner, token, { id, hash, at: clock() })])
      if (made.ok) return { id }
      const row = await store.get(tokenByHash, [hash])
      if (row?.account_id !== owner.accountId || row.user_id !== owner.userId) {
        throw new Error("the token to import is somebody else's")
      }
      return { id: row.id }
    },

    async revoke({ accountId, userId }, tokenId) {
      const params = [tokenId, accountId, userId]
      const token = await store.get(activeToken, params)
      if (!token) return false
      try {
        const result = await store.commit([{ statement: revokeToken, params, rows: 1 }])
        return result.ok
      } finally {
        // Also where the commit's answer was lost: it may have been made.
        known.forget(token.hash)
      }
    },

    authenticate: (secret) => look(hashSecret(secret)),

    async current({ hash }) {
      const found = await look(hash)
      return found.kind === 'valid' ? found.token : undefined
    },
  }
}

function tokenWrite(
  { accountId, userId }: TokenOwner,
  { name, permissions, expiresAt }: NewToken,
  { id, hash, at }: { readonly id: string; readonly hash: string; readonly at: number },
): Write {
  const params = [id, accountId, userId, name, hash, JSON.stringify(permissions), expiresAt ?? null, at]
  return { statement: insertToken, params, rows: 1 }
}

function knownToken(row: TokenRow): KnownToken {
  return {
    token: {
      id: row.id,
      hash: row.hash,
      accountId: row.account_id,
      userId: row.user_id,
      permissions: parsePermissions(row.permissions),
    },
    revoked: row.status !== 'active',
    expiresAt: row.expires_at,
  }
}
