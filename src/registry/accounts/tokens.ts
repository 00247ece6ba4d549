import type { Permission } from '#model/permission.ts'
import { newId } from '#store/id.ts'
import { type Store, statement, type Write } from '#store/store.ts'
import { foundCache } from './found-cache.ts'
import { allowsAddress, type IpRanges } from './ip-ranges.ts'
import { type Policy, storedPolicies } from './policy.ts'
import { grantsOfRow, ipRangesOf, TOKEN_COLUMNS, type TokenRow } from './token-row.ts'
import { hashSecret, LONGEST_SECRET, newTokenSecret, sameHash } from './token-secret.ts'

/** A token that works, and whose it is: an account's or a user's. */
export interface Token {
  readonly id: string
  /** SHA-256 of its secret: names the secret without giving it away. */
  readonly hash: string
  readonly accountId: string | null
  readonly userId: string | null
  /** All that it may do somewhere; where it may, `principal` says. */
  readonly permissions: ReadonlySet<Permission>
  /** Absent: it may do so wherever its owner is. */
  readonly policies?: readonly Policy[]
  /** Set where it stands for somebody who is signed in. Operators may do what the operator's token may. */
  readonly session?: { readonly operator: boolean }
}

export type Authentication =
  | { readonly kind: 'valid'; readonly token: Token }
  /** What to a stranger all looks the same; whose it was is for counting failures. */
  | {
      readonly kind: 'expired' | 'revoked' | 'disabled' | 'not-yet-valid' | 'address-not-allowed'
      readonly accountId: string | null
      readonly userId: string | null
    }
  | { readonly kind: 'unknown' }

export interface NewToken {
  readonly name: string
  readonly permissions: readonly Permission[]
  /** In place of `permissions`, which then counts for nothing. */
  readonly policies?: readonly Policy[]
  /** Absent means from anywhere. */
  readonly ipRanges?: IpRanges | undefined
  /** Milliseconds since 1970; absent means at once. */
  readonly notBefore?: number | null
  /** Milliseconds since 1970; absent means never. */
  readonly expiresAt?: number | null
  readonly creatorEmail?: string | null
}

/** Exactly one of the two is set. */
export interface TokenOwner {
  readonly accountId: string | null
  readonly userId: string | null
}

/** Writes that belong into the commit that makes, changes or ends a token. */
export type Also = (tokenId: string) => readonly Write[]

export interface Tokens {
  create(
    owner: TokenOwner,
    token: NewToken,
    also?: Also,
  ): Promise<{ readonly id: string; readonly secret: string }>
  importToken(
    owner: TokenOwner,
    token: NewToken & { readonly secret: string },
  ): Promise<{ readonly id: string }>
  revoke(owner: TokenOwner, tokenId: string, also?: Also): Promise<boolean>
  newApiKey(userId: string, permissions: readonly Permission[], also?: Also): Promise<string>
  authenticate(secret: string, address: string | undefined): Promise<Authentication>
  authenticateKey(email: string, key: string, address: string | undefined): Promise<Authentication>
  current(token: Token, address: string | undefined): Promise<Token | undefined>
  /** What is known of the token has changed. */
  forget(hash: string): void
}

const TOKENS_KEPT = 10_000

const insertToken = statement(
  'token.insert',
  `insert into token (id, account_id, user_id, kind, name, hash, permissions, policies, request_ip, status, not_before,
     expires_at, created_at, modified_at, creator_email)
   values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'active', $10, $11, $12, $12, $13) on conflict (hash) do nothing`,
)

type KnownRow = TokenRow & { readonly kind: string; readonly email_key: string | null }

const tokenByHash = statement<KnownRow>(
  'token.by-hash',
  `select ${TOKEN_COLUMNS}, token.kind, service_user.email_key
   from token left join service_user on service_user.id = token.user_id where token.hash = $1`,
)

// The owner that is null equals no row's.
const standingToken = statement<{ readonly hash: string }>(
  'token.standing',
  `select hash from token where id = $1 and (account_id = $2 or user_id = $3) and kind = 'token' and status <> 'revoked'`,
)

const revokeToken = statement(
  'token.revoke',
  `update token set status = 'revoked'
   where id = $1 and (account_id = $2 or user_id = $3) and kind = 'token' and status <> 'revoked'`,
)

const apiKey = statement<{ readonly hash: string }>(
  'token.api-key',
  `select hash from token where user_id = $1 and kind = 'key' and status = 'active'`,
)

const revokeApiKey = statement(
  'token.revoke-api-key',
  `update token set status = 'revoked' where user_id = $1 and kind = 'key' and status = 'active'`,
)

/** A token that was made once, whether or not it still works. */
interface KnownToken {
  readonly token: Token
  /** Set where it is a user's API key: that user's address, folded. */
  readonly keyOf: string | undefined
  readonly status: string
  readonly ipRanges: IpRanges | undefined
  readonly notBefore: number | null
  readonly expiresAt: number | null
}

/** The tokens of accounts and of users, and the API keys of users; what each function promises stands in `Accounts`. */
export function openTokens({ store, clock }: { store: Store; clock: () => number }): Tokens {
  // Keyed by hash, so that no secret stays in memory.
  const known = foundCache<KnownToken>({ max: TOKENS_KEPT, clock })

  async function read(hash: string): Promise<KnownToken | undefined> {
    const row = await store.get(tokenByHash, [hash])
    const same = sameHash(row?.hash, hash)
    return row && same ? knownToken(row) : undefined
  }

  async function look(
    hash: string,
    address: string | undefined,
    keyOf: string | undefined,
  ): Promise<Authentication> {
    const found = await known.get(hash, () => read(hash))
    if (!found || found.keyOf !== keyOf) return { kind: 'unknown' }
    const { token } = found
    const kind = standing(found, clock(), address)
    return kind === 'valid' ? { kind, token } : { kind, accountId: token.accountId, userId: token.userId }
  }

  return {
    async create(owner, token, also) {
      const secret = newTokenSecret()
      const id = newId()
      const made = await store.commit([
        tokenWrite(owner, token, { id, hash: hashSecret(secret), at: clock() }),
        ...(also?.(id) ?? []),
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

    async revoke({ accountId, userId }, tokenId, also) {
      const params = [tokenId, accountId, userId]
      const token = await store.get(standingToken, params)
      if (!token) return false
      try {
        const result = await store.commit([
          { statement: revokeToken, params, rows: 1 },
          ...(also?.(tokenId) ?? []),
        ])
        return result.ok
      } finally {
        // Also where the commit's answer was lost: it may have been made.
        known.forget(token.hash)
      }
    },

    async newApiKey(userId, permissions, also) {
      const before = await store.get(apiKey, [userId])
      const key = newTokenSecret()
      const id = newId()
      const made = { id, hash: hashSecret(key), at: clock(), kind: 'key' } as const
      try {
        const owner = { accountId: null, userId }
        const result = await store.commit([
          { statement: revokeApiKey, params: [userId] },
          tokenWrite(owner, { name: 'API key', permissions }, made),
          ...(also?.(id) ?? []),
        ])
        if (!result.ok) throw new Error(`${result.conflict} conflicted on a new key`)
        return key
      } finally {
        if (before) known.forget(before.hash)
      }
    },

    authenticate: (secret, address) => look(hashSecret(secret), address, undefined),
    authenticateKey: (email, key, address) => look(hashSecret(key), address, email.toLowerCase()),

    async current({ hash }, address) {
      const found = await known.get(hash, () => read(hash))
      return found && standing(found, clock(), address) === 'valid' ? found.token : undefined
    },

    forget: (hash) => known.forget(hash),
  }
}

function standing(
  { status, ipRanges, notBefore, expiresAt }: KnownToken,
  now: number,
  address: string | undefined,
): Exclude<Authentication['kind'], 'unknown'> {
  if (status === 'disabled') return 'disabled'
  if (status !== 'active') return 'revoked'
  if (expiresAt !== null && now >= expiresAt) return 'expired'
  if (notBefore !== null && now < notBefore) return 'not-yet-valid'
  return ipRanges && !allowsAddress(ipRanges, address) ? 'address-not-allowed' : 'valid'
}

function tokenWrite(
  { accountId, userId }: TokenOwner,
  token: NewToken,
  made: {
    readonly id: string
    readonly hash: string
    readonly at: number
    readonly kind?: 'key'
  },
): Write {
  const { name, permissions, policies, ipRanges, notBefore, expiresAt, creatorEmail } = token
  const params = [
    ...[made.id, accountId, userId, made.kind ?? 'token', name, made.hash],
    ...[JSON.stringify(policies ? [] : permissions), policies ? storedPolicies(policies) : null],
    ...[ipRanges ? JSON.stringify(ipRanges) : null, notBefore ?? null, expiresAt ?? null],
    ...[made.at, creatorEmail ?? null],
  ]
  return { statement: insertToken, params, rows: 1 }
}

function knownToken(row: KnownRow): KnownToken {
  return {
    token: {
      id: row.id,
      hash: row.hash,
      accountId: row.account_id,
      userId: row.user_id,
      ...grantsOfRow(row),
    },
    keyOf: row.kind === 'key' ? (row.email_key ?? '') : undefined,
    status: row.status,
    ipRanges: ipRangesOf(row),
    notBefore: row.not_before,
    expiresAt: row.expires_at,
  }
}
