import type { Permission } from '#model/permission.ts'
import { SERVICE_ACCOUNT } from '#model/service-account.ts'
import { newId } from '#store/id.ts'
import { type Store, statement, type Write } from '#store/store.ts'
import { type Membership, openMembers, type Principal, type Role, type Team } from './members.ts'
import { openPeople, type People } from './people.ts'
import { sessionToken } from './session-token.ts'
import type { Session } from './sessions.ts'
import { openTokenRegister, type TokenRegister } from './token-register.ts'
import { type Also, type Authentication, type NewToken, openTokens, type Token } from './tokens.ts'
import { createUser, findUser, type User } from './users.ts'

export type { Permission } from '#model/permission.ts'
export type { Membership, Principal } from './members.ts'
export type { Authentication, NewToken, Token } from './tokens.ts'

/** Accounts, the users who are their members, and the API tokens of both. In: secrets. Out: tokens, and principals: what
 *  a token may do in one account. Promise: a secret is shown once and never stored; of a token only its hash is kept;
 *  an account's token acts for that account alone, a user's for the accounts that the user is a member of at the time.
 *  What this process revokes or removes stops at once, what another process does within 5 s. */
export interface Accounts {
  createAccount(name: string): Promise<Account>
  /** Makes what mail of nobody's account refers to, where it is not there yet (model/service-account.ts). */
  ensureServiceAccount(): Promise<void>
  account(accountId: string): Promise<Account | undefined>
  /** The oldest account of that name. */
  accountNamed(name: string): Promise<Account | undefined>
  /** False where there is no such account. `also` belongs into the same commit. */
  renameAccount(accountId: string, name: string, also: readonly Write[]): Promise<boolean>

  /** Or the existing user of that address, compared without regard to case. */
  createUser(email: string): Promise<{ readonly id: string }>
  user(userId: string): Promise<User | undefined>
  /** Changes nothing where the user is a member already, whose role stays; `also` is committed in any case. */
  addMember(accountId: string, userId: string, role?: Role, also?: readonly Write[]): Promise<void>
  /** False where the user was no member. */
  removeMember(accountId: string, userId: string): Promise<boolean>
  /** The oldest first. */
  memberships(userId: string): Promise<readonly Membership[]>

  /** The secret is in this answer and nowhere else. */
  createToken(accountId: string, token: NewToken, also?: Also): Promise<MadeToken>
  createUserToken(userId: string, token: NewToken, also?: Also): Promise<MadeToken>
  /** Makes an account's token of a secret that was made elsewhere, or finds the one it made before. Throws where the
   *  secret is somebody else's or has more than 512 characters. */
  importToken(
    accountId: string,
    token: NewToken & { readonly secret: string },
  ): Promise<{ readonly id: string }>
  /** False where the account has no such token that is not revoked. */
  revokeToken(accountId: string, tokenId: string, also?: Also): Promise<boolean>
  /** False where the user has no such token that is not revoked. */
  revokeUserToken(userId: string, tokenId: string, also?: Also): Promise<boolean>
  /** What owners see of their tokens, and change. */
  readonly register: TokenRegister
  /** Users as people who sign in, their sessions, and who is invited. */
  readonly people: People
  /** The members of one account, as it sees and changes them. */
  readonly team: Team
  /** A key that stands for the user together with its address, in place of the one it had. Shown here and nowhere
   *  else. */
  newApiKey(userId: string, permissions: readonly Permission[], also?: Also): Promise<string>

  /** Whose secret is this? One way for all of them, whatever they look like: hash, look up, compare. `address` is where
   *  it came from; a token that is bound to addresses does not work without. A secret that was seen in the last 5 s is
   *  answered from memory, unless it is unknown. Rejects when the store cannot be reached. */
  authenticate(secret: string, address?: string): Promise<Authentication>
  /** The same for a user's address, compared without regard to case, and API key. */
  authenticateKey(email: string, key: string, address?: string): Promise<Authentication>
  /** The same for the secret of a session: the token that stands for it may do what its user's roles allow. */
  authenticateSession(secret: string): Promise<Authentication>
  /** The same token as it stands now: undefined once it was revoked, has expired, or no longer works from `address`.
   *  From memory for 5 s at most. Rejects when the store cannot be reached. */
  current(token: Token, address?: string): Promise<Token | undefined>
  /** What the token may do in that account: undefined where it is not its own, its user is no member, or its policies
   *  give nothing there. Does not ask whether the token still works. From memory for 5 s at most. Rejects when the store
   *  cannot be reached. */
  principal(token: Token, accountId: string): Promise<Principal | undefined>
}

export interface MadeToken {
  readonly id: string
  readonly secret: string
}

export interface Account {
  readonly id: string
  readonly name: string
  readonly sendingEnabled: boolean
  readonly createdAt: number
}

interface AccountRow {
  readonly id: string
  readonly name: string
  readonly sending_enabled: number
  readonly created_at: number
}

const insertAccount = statement(
  'account.insert',
  'insert into account (id, name, sending_enabled, created_at) values ($1, $2, 1, $3)',
)

const insertServiceAccount = statement(
  'account.insert-service',
  `insert into account (id, name, sending_enabled, created_at) values ($1, 'Service', 0, $2) on conflict (id) do nothing`,
)

const accountById = statement<AccountRow>(
  'account.by-id',
  'select id, name, sending_enabled, created_at from account where id = $1',
)

const accountByName = statement<AccountRow>(
  'account.by-name',
  'select id, name, sending_enabled, created_at from account where name = $1 order by created_at, id limit 1',
)

const renameAccount = statement('account.rename', 'update account set name = $2 where id = $1')

export function openAccounts(world: { readonly store: Store; readonly clock: () => number }): Accounts {
  const { store, clock } = world
  const tokens = openTokens(world)
  const members = openMembers(world)
  const people = openPeople({ ...world, members })
  const ofAccount = (accountId: string) => ({ accountId, userId: null })
  const ofUser = (userId: string) => ({ accountId: null, userId })

  const tokenOfSession = async (session: Session | undefined) =>
    session && sessionToken(session, await members.rolesOf(session.userId))

  return {
    people,
    team: members,

    async createAccount(name) {
      const account = { id: newId(), name, sendingEnabled: true, createdAt: clock() }
      await store.commit([{ statement: insertAccount, params: [account.id, name, account.createdAt] }])
      return account
    },

    async ensureServiceAccount() {
      await store.commit([{ statement: insertServiceAccount, params: [SERVICE_ACCOUNT, clock()] }])
    },

    async account(accountId) {
      if (accountId === SERVICE_ACCOUNT) return undefined
      const row = await store.get(accountById, [accountId])
      return row && accountOf(row)
    },

    async accountNamed(name) {
      const row = await store.get(accountByName, [name])
      return row && accountOf(row)
    },

    async renameAccount(accountId, name, also) {
      const renamed = await store.commit([
        { statement: renameAccount, params: [accountId, name], rows: 1 },
        ...also,
      ])
      return renamed.ok
    },

    createUser: (email) => createUser(world, email),
    user: (userId) => findUser(store, userId),
    addMember: (accountId, userId, role = 'member', also = []) =>
      members.addMember(accountId, userId, role, also),
    removeMember: (accountId, userId) => members.removeMember(accountId, userId),
    memberships: (userId) => members.memberships(userId),

    createToken: (accountId, token, also) => tokens.create(ofAccount(accountId), token, also),
    createUserToken: (userId, token, also) => tokens.create(ofUser(userId), token, also),
    importToken: (accountId, token) => tokens.importToken(ofAccount(accountId), token),
    revokeToken: (accountId, tokenId, also) => tokens.revoke(ofAccount(accountId), tokenId, also),
    revokeUserToken: (userId, tokenId, also) => tokens.revoke(ofUser(userId), tokenId, also),
    register: openTokenRegister(world, tokens),
    newApiKey: (userId, permissions, also) => tokens.newApiKey(userId, permissions, also),

    authenticate: (secret, address) => tokens.authenticate(secret, address),
    authenticateKey: (email, apiKey, address) => tokens.authenticateKey(email, apiKey, address),
    async authenticateSession(secret) {
      const token = await tokenOfSession(await people.sessions.find(secret))
      return token ? { kind: 'valid', token } : { kind: 'unknown' }
    },
    current: async (token, address) =>
      token.session
        ? tokenOfSession(await people.sessions.current(token.hash))
        : tokens.current(token, address),
    principal: (token, accountId) => members.principal(token, accountId),
  }
}

function accountOf(row: AccountRow): Account {
  const { id, name, created_at: createdAt } = row
  return { id, name, sendingEnabled: row.sending_enabled === 1, createdAt }
}
