import { newId } from '#store/id.ts'
import { type Store, statement } from '#store/store.ts'
import { openMembers, type Principal } from './members.ts'
import { type Authentication, type NewToken, openTokens, type Token } from './tokens.ts'
import { createUser } from './users.ts'

export type { Permission } from '#model/permission.ts'
export type { Principal } from './members.ts'
export type { Authentication, NewToken, Token } from './tokens.ts'

/** Accounts, the users who are their members, and the API tokens of both. In: secrets. Out: tokens, and principals: what
 *  a token may do in one account. Promise: a secret is shown once and never stored; of a token only its hash is kept;
 *  an account's token acts for that account alone, a user's for the accounts that the user is a member of at the time.
 *  What this process revokes or removes stops at once, what another process does within 5 s. */
export interface Accounts {
  createAccount(name: string): Promise<Account>
  account(accountId: string): Promise<Account | undefined>
  /** The oldest account of that name. */
  accountNamed(name: string): Promise<Account | undefined>

  /** Or the existing user of that address, compared without regard to case. */
  createUser(email: string): Promise<{ readonly id: string }>
  /** Changes nothing where the user is a member already. */
  addMember(accountId: string, userId: string): Promise<void>
  /** False where the user was no member. */
  removeMember(accountId: string, userId: string): Promise<boolean>

  /** The secret is in this answer and nowhere else. */
  createToken(accountId: string, token: NewToken): Promise<{ readonly id: string; readonly secret: string }>
  createUserToken(userId: string, token: NewToken): Promise<{ readonly id: string; readonly secret: string }>
  /** Makes an account's token of a secret that was made elsewhere, or finds the one it made before. Throws where the
   *  secret is somebody else's or has more than 512 characters. */
  importToken(
    accountId: string,
    token: NewToken & { readonly secret: string },
  ): Promise<{ readonly id: string }>
  /** False where the account has no such token that is not revoked. */
  revokeToken(accountId: string, tokenId: string): Promise<boolean>
  /** False where the user has no such token that is not revoked. */
  revokeUserToken(userId: string, tokenId: string): Promise<boolean>

  /** Whose secret is this? One way for all of them, whatever they look like: hash, look up, compare. A secret that was
   *  seen in the last 5 s is answered from memory, unless it is unknown. Rejects when the store cannot be reached. */
  authenticate(secret: string): Promise<Authentication>
  /** The same token as it stands now: undefined once it was revoked or has expired. From memory for 5 s at most. Rejects
   *  when the store cannot be reached. */
  current(token: Token): Promise<Token | undefined>
  /** What the token may do in that account: undefined where it is not its own, or its user is no member. Does not ask
   *  whether the token still works. From memory for 5 s at most. Rejects when the store cannot be reached. */
  principal(token: Token, accountId: string): Promise<Principal | undefined>
}

export interface Account {
  readonly id: string
  readonly name: string
  readonly sendingEnabled: boolean
}

interface AccountRow {
  readonly id: string
  readonly name: string
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

export function openAccounts(world: { readonly store: Store; readonly clock: () => number }): Accounts {
  const { store, clock } = world
  const tokens = openTokens(world)
  const members = openMembers(world)
  const ofAccount = (accountId: string) => ({ accountId, userId: null })
  const ofUser = (userId: string) => ({ accountId: null, userId })

  return {
    async createAccount(name) {
      const account = { id: newId(), name, sendingEnabled: true }
      await store.commit([{ statement: insertAccount, params: [account.id, name, clock()] }])
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

    createUser: (email) => createUser(world, email),
    addMember: (accountId, userId) => members.addMember(accountId, userId),
    removeMember: (accountId, userId) => members.removeMember(accountId, userId),

    createToken: (accountId, token) => tokens.create(ofAccount(accountId), token),
    createUserToken: (userId, token) => tokens.create(ofUser(userId), token),
    importToken: (accountId, token) => tokens.importToken(ofAccount(accountId), token),
    revokeToken: (accountId, tokenId) => tokens.revoke(ofAccount(accountId), tokenId),
    revokeUserToken: (userId, tokenId) => tokens.revoke(ofUser(userId), tokenId),

    authenticate: (secret) => tokens.authenticate(secret),
    current: (token) => tokens.current(token),
    principal: (token, accountId) => members.principal(token, accountId),
  }
}

function accountOf(row: AccountRow): Account {
  return { id: row.id, name: row.name, sendingEnabled: row.sending_enabled === 1 }
}
