import { LRUCache } from 'lru-cache'
import { newId } from '#store/id.ts'
import { type Store, statement, type Write } from '#store/store.ts'
import { type Permission, parsePermissions } from './permission.ts'
import { hashSecret, newTokenSecret, sameHash } from './token-secret.ts'

export type { Permission } from './permission.ts'

/** Accounts and their API tokens. In: secrets. Out: principals. Promise: a secret is shown once and never stored; of a
 *  token only its hash is kept, and it acts for its own account alone. What this process revokes stops at once, what
 *  another process revokes within 5 s. */
export interface Accounts {
  createAccount(name: string): Promise<Account>
  account(accountId: string): Promise<Account | undefined>
  /** The oldest account of that name. */
  accountNamed(name: string): Promise<Account | undefined>
  /** The secret is in this answer and nowhere else. */
  createToken(accountId: string, token: NewToken): Promise<{ readonly id: string; readonly secret: string }>
  /** Makes a token of a secret that was made elsewhere, or finds the one it made before. Throws where the secret is
   *  another account's. */
  importToken(
    accountId: string,
    token: NewToken & { readonly secret: string },
  ): Promise<{ readonly id: string }>
  /** False where the account has no such token that still works. */
  revokeToken(accountId: string, tokenId: string): Promise<boolean>
  /** Who holds this secret. `undefined` for secrets unknown, expired and revoked alike: whoever presents one learns
   *  nothing else. Rejects when the store cannot be reached. */
  authenticate(secret: string): Promise<Principal | undefined>
}

export interface Account {
  readonly id: string
  readonly name: string
  readonly sendingEnabled: boolean
}

export interface NewToken {
  readonly name: string
  readonly permissions: readonly Permission[]
  /** Milliseconds since 1970; absent means never. */
  readonly expiresAt?: number
}

/** Who asks, and what it may do. */
export interface Principal {
  readonly tokenId: string
  readonly accountId: string
  readonly accountName: string
  readonly permissions: ReadonlySet<Permission>
  /** The account's own switch. */
  readonly sendingEnabled: boolean
}

// DESIGN, Store: caches of tokens live this long at most.
const TOKEN_LIFE_MS = 5000
const TOKENS_KEPT = 10_000

interface AccountRow {
  readonly id: string
  readonly name: string
  readonly sending_enabled: number
}

interface TokenRow {
  readonly id: string
  readonly account_id: string
  readonly hash: string
  readonly permissions: string
  readonly status: string
  readonly expires_at: number | null
  readonly account_name: string
  readonly sending_enabled: number
}

const insertAccount = statement(
  'account.insert',
  'insert into account (id, name, sending_enabled, created_at) values ($1, $2, 1, $3)',
)

const accountById = statement<AccountRow>(
  'account.by-id',
  'select id, name, sending_enabled from account where id = $1',
)

const accountByName = statement<AccountRow>(
  'account.by-name',
  'select id, name, sending_enabled from account where name = $1 order by created_at, id limit 1',
)

const insertToken = statement(
  'token.insert',
  `insert into token (id, account_id, name, hash, permissions, status, expires_at, created_at)
   values ($1, $2, $3, $4, $5, 'active', $6, $7) on conflict (hash) do nothing`,
)

const tokenByHash = statement<TokenRow>(
  'token.by-hash',
  `select token.id, token.account_id, token.hash, token.permissions, token.status, token.expires_at,
     account.name as account_name, account.sending_enabled
   from token join account on account.id = token.account_id where token.hash = $1`,
)

const activeToken = statement<{ readonly hash: string }>(
  'token.active',
  `select hash from token where id = $1 and account_id = $2 and status = 'active'`,
)

const revoke = statement(
  'token.revoke',
  `update token set status = 'revoked' where id = $1 and account_id = $2 and status = 'active'`,
)

/** A token that works until it expires. */
interface KnownToken {
  readonly expiresAt: number | null
  readonly principal: Principal
}

export function openAccounts({ store, clock }: { store: Store; clock: () => number }): Accounts {
  // Keyed by hash, so that no secret stays in memory. Unknown secrets are not kept: strangers choose them.
  const known = new LRUCache<string, KnownToken>({
    max: TOKENS_KEPT,
    ttl: TOKEN_LIFE_MS,
    ttlResolution: 0,
    perf: { now: clock },
  })

  async function read(hash: string): Promise<KnownToken | undefined> {
    const row = await store.get(tokenByHash, [hash])
    return row && row.status === 'active' && sameHash(row.hash, hash) ? knownToken(row) : undefined
  }

  return {
    async createAccount(name) {
      const account = { id: newId(), name, sendingEnabled: true }
      await commit(store, { statement: insertAccount, params: [account.id, name, clock()], rows: 1 })
      return account
    },

    async account(accountId) {
      const row = await store.get(accountById, [accountId])
      return row && accountOf(row)
    },

    async accountNamed(name) {
      const row = await store.get(accountByName, [name])
      return row && accountOf(row)
    },

    async createToken(accountId, token) {
      const secret = newTokenSecret()
      const id = newId()
      await commit(store, tokenWrite({ ...token, id, accountId, hash: hashSecret(secret), at: clock() }))
      return { id, secret }
    },

    async importToken(accountId, token) {
      const id = newId()
      const hash = hashSecret(token.secret)
      const made = await store.commit([tokenWrite({ ...token, id, accountId, hash, at: clock() })])
      if (made.ok) return { id }
      const row = await store.get(tokenByHash, [hash])
      if (row?.account_id !== accountId) throw new Error('the token to import belongs to another account')
      return { id: row.id }
    },

    async revokeToken(accountId, tokenId) {
      const token = await store.get(activeToken, [tokenId, accountId])
      if (!token) return false
      const result = await store.commit([{ statement: revoke, params: [tokenId, accountId], rows: 1 }])
      known.delete(token.hash)
      return result.ok
    },

    async authenticate(secret) {
      const hash = hashSecret(secret)
      const cached = known.get(hash)
      const token = cached ?? (await read(hash))
      if (!token) return undefined
      if (!cached) known.set(hash, token)
      return token.expiresAt === null || clock() < token.expiresAt ? token.principal : undefined
    },
  }
}

function tokenWrite(token: NewToken & { id: string; accountId: string; hash: string; at: number }): Write {
  const { id, accountId, name, hash, permissions, expiresAt = null, at } = token
  const params = [id, accountId, name, hash, JSON.stringify(permissions), expiresAt, at]
  return { statement: insertToken, params, rows: 1 }
}

async function commit(store: Store, write: Write): Promise<void> {
  const result = await store.commit([write])
  if (!result.ok) throw new Error(`${result.conflict} conflicted on a new id`)
}

function accountOf(row: AccountRow): Account {
  return { id: row.id, name: row.name, sendingEnabled: row.sending_enabled === 1 }
}

function knownToken(row: TokenRow): KnownToken {
  return {
    expiresAt: row.expires_at,
    principal: {
      tokenId: row.id,
      accountId: row.account_id,
      accountName: row.account_name,
      permissions: parsePermissions(row.permissions),
      sendingEnabled: row.sending_enabled === 1,
    },
  }
}
