import type { FastifyInstance } from 'fastify'
import {
  type AccountBody,
  getAccount,
  getMembership,
  getUser,
  listAccounts,
  listMemberships,
  type MembershipBody,
  newApiKey,
  updateAccount,
} from '#contract/accounts.ts'
import { type Page, pageInfo } from '#contract/paging.ts'
import { PERMISSIONS } from '#model/permission.ts'
import type { Account, Membership } from '#registry/accounts/accounts.ts'
import { auditWrite } from '#registry/accounts/audit.ts'
import { apiTime } from './api-time.ts'
import {
  type Asker,
  type Fault,
  LACKING,
  NO_SUCH_OBJECT,
  type ServedBy,
  serveOperation,
  serveUserOperation,
} from './serve-operation.ts'

export interface AccountsWorld extends ServedBy {
  readonly now: () => number
}

/** `/accounts`, `/user` and `/memberships`: who asks, and where it acts. */
export function accountRoutes(api: FastifyInstance, world: AccountsWorld): void {
  const { accounts, now } = world

  serveUserOperation(
    api,
    { operation: listAccounts, world, notValid: INVALID_ACCESS_TOKEN },
    async ({ by, query }) => {
      const all = await accountsOf(by, world)
      const found = all.filter(({ name }) => query.name === undefined || contains(name, query.name))
      const ordered = query.direction === 'asc' ? found : found.toReversed()
      const result = pageOf(ordered, query).map(accountBody)
      return { result, info: pageInfo(query, result.length, found.length) }
    },
  )

  serveOperation(api, { operation: getAccount, world }, async ({ accountId }) => {
    const account = await accounts.account(accountId)
    return account ? { result: accountBody(account) } : NO_SUCH_OBJECT
  })

  serveOperation(api, { operation: updateAccount, world }, async ({ accountId, body, by }) => {
    const before = await accounts.account(accountId)
    if (!before) return NO_SUCH_OBJECT
    const after = { ...before, name: body.name }
    const audit = auditWrite({
      accountId,
      actor: by.audit,
      action: 'account.update',
      resource: { type: 'account', id: accountId },
      before: accountBody(before),
      after: accountBody(after),
      at: now(),
    })
    await accounts.renameAccount(accountId, body.name, [audit])
    return { result: accountBody(after) }
  })

  serveUserOperation(api, { operation: getUser, world, notValid: INVALID_ACCESS_TOKEN }, async ({ by }) => {
    const { userId } = by.token
    const user = userId === null ? undefined : await accounts.user(userId)
    if (!user) return { ...LACKING, detail: 'This token is an account’s, not a user’s.' }
    const unknown = { first_name: null, last_name: null, telephone: null, country: null, zipcode: null }
    const result = { ...unknown, two_factor_authentication_enabled: false, suspended: false }
    return { result: { ...result, id: user.id, email: user.email } }
  })

  serveUserOperation(api, { operation: newApiKey, world }, async ({ by }) => {
    const { userId, policies } = by.token
    // A key may do everything that its user may.
    const mayAll = PERMISSIONS.every((permission) => by.token.permissions.has(permission))
    if (userId === null || policies || !mayAll) {
      return { ...LACKING, detail: 'Only a token of a user, with every permission everywhere, makes a key.' }
    }
    const at = now()
    const accountIds = (await accounts.memberships(userId)).map(({ accountId }) => accountId)
    const key = await accounts.newApiKey(userId, PERMISSIONS, (id) =>
      accountIds.map((accountId) =>
        auditWrite({
          accountId,
          actor: by.audit,
          action: 'api_key.roll',
          resource: { type: 'api_key', id },
          userLevel: true,
          at,
        }),
      ),
    )
    return { result: { api_key: key } }
  })

  serveUserOperation(api, { operation: listMemberships, world }, async ({ by, query }) => {
    const all = await membershipsOf(by, world)
    if ('status' in all) return all
    const name = query['account.name'] ?? query.name
    const found = all.filter(
      ({ accountName }) =>
        (query.status ?? 'accepted') === 'accepted' && (name === undefined || contains(accountName, name)),
    )
    if (query.order === 'account.name') {
      found.sort((a, b) => (a.accountName < b.accountName ? -1 : a.accountName > b.accountName ? 1 : 0))
    }
    if (query.direction === 'desc') found.reverse()
    const result = pageOf(found, query).map(membershipBody)
    return { result, info: pageInfo(query, result.length, found.length) }
  })

  serveUserOperation(api, { operation: getMembership, world }, async ({ by, params }) => {
    const all = await membershipsOf(by, world)
    if ('status' in all) return all
    const found = all.find(({ id }) => id === params['membership_id']?.toLowerCase())
    return found ? { result: membershipBody(found) } : NO_SUCH_OBJECT
  })
}

/** The accounts in which the token acts, the one it joined first at the front. */
export async function accountsOf({ token, principalIn }: Asker, { accounts }: ServedBy): Promise<Account[]> {
  const ids =
    token.userId === null
      ? [token.accountId ?? '']
      : (await accounts.memberships(token.userId)).map(({ accountId }) => accountId)
  const found = await Promise.all(
    ids.map(async (id) => ((await principalIn(id)) ? accounts.account(id) : undefined)),
  )
  return found.filter((account) => account !== undefined)
}

/** 9109 where wrangler asks who a refused token is: met by 10000 once more it asks again, and ends in a stack trace
 *  (clients.md §3.6). */
const INVALID_ACCESS_TOKEN: Fault = {
  status: 401,
  code: 9109,
  message: 'Invalid access token',
  detail: 'The credentials are not valid, or not valid here and now.',
}

/** 10000 and not 9109: with this code alone wrangler goes on to what `/accounts` said (clients.md §3.6). */
const NO_MEMBERSHIPS: Fault = {
  status: 403,
  code: 10000,
  message: 'Authentication error',
  detail: 'This token is an account’s, not a user’s: it has no memberships.',
}

async function membershipsOf(by: Asker, { accounts }: ServedBy): Promise<Membership[] | Fault> {
  const { userId } = by.token
  if (userId === null) return NO_MEMBERSHIPS
  const all = await accounts.memberships(userId)
  const acting = await Promise.all(all.map(({ accountId }) => by.principalIn(accountId)))
  return all.filter((_, index) => acting[index] !== undefined)
}

function pageOf<T>(all: readonly T[], { page, per_page }: Page): readonly T[] {
  return all.slice((page - 1) * per_page, page * per_page)
}

function contains(text: string, part: string): boolean {
  return text.toLowerCase().includes(part.toLowerCase())
}

function accountBody({ id, name, createdAt }: Account): AccountBody {
  return {
    id,
    name,
    type: 'standard',
    created_on: apiTime(createdAt),
    settings: { enforce_twofactor: false },
  }
}

function membershipBody({ id, role, accountId, accountName }: Membership): MembershipBody {
  return {
    id,
    account: { id: accountId, name: accountName, type: 'standard' },
    status: 'accepted',
    api_access_enabled: null,
    roles: [role === 'admin' ? 'Super Administrator - All Privileges' : 'Administrator'],
  }
}
