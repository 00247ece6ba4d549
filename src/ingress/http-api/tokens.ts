import type { FastifyInstance } from 'fastify'
import { pageInfo } from '#contract/paging.ts'
import {
  accountTokens,
  type TokenBody,
  type TokenOperations,
  type TokenWish,
  userTokens,
} from '#contract/tokens.ts'
import { auditWrite } from '#registry/accounts/audit.ts'
import { lackingFor } from '#registry/accounts/lacking-for.ts'
import { isCalled, PERMISSION_GROUPS } from '#registry/accounts/permission-groups.ts'
import { grantsOverUser, type Policy } from '#registry/accounts/policy.ts'
import type { TokenRecord } from '#registry/accounts/token-row.ts'
import type { TokenOwner } from '#registry/accounts/tokens.ts'
import { newId } from '#store/id.ts'
import type { Write } from '#store/store.ts'
import { readTokenWish, zonesNamed } from './read-token-wish.ts'
import {
  type Actor,
  type Answer,
  type Asker,
  type Fault,
  LACKING,
  NO_SUCH_OBJECT,
  type ServedBy,
  serveOperation,
  serveUserOperation,
} from './serve-operation.ts'
import { tokenBody } from './token-body.ts'

export interface TokensWorld extends ServedBy {
  readonly now: () => number
}

/** `/user/tokens` and `/accounts/{account_id}/tokens`: the same for two kinds of owner. No token makes, changes or rolls
 *  one that may do more than itself. */
export function tokenRoutes(api: FastifyInstance, world: TokensWorld): void {
  accountTokenRoutes(api, accountTokens, world)
  userTokenRoutes(api, userTokens, world)
}

/** In whose name tokens are seen and changed, and who does it. */
interface Desk {
  readonly owner: TokenOwner
  readonly by: Asker
  /** Whose audit logs tell of a change. */
  readonly accountIds: readonly string[]
  readonly world: TokensWorld
}

function accountTokenRoutes(api: FastifyInstance, operations: TokenOperations, world: TokensWorld): void {
  const desk = ({ accountId, by }: { readonly accountId: string; readonly by: Actor }): Desk => ({
    owner: { accountId, userId: null },
    by,
    accountIds: [accountId],
    world,
  })
  const { list, create, get, update, delete: remove, roll, permissionGroups, verify } = operations
  serveOperation(api, { operation: list, world }, (call) => listTokens(desk(call), call.query))
  serveOperation(api, { operation: create, world }, (call) => createToken(desk(call), call.body))
  serveOperation(api, { operation: get, world }, (call) => getToken(desk(call), call.params))
  serveOperation(api, { operation: update, world }, (call) => updateToken(desk(call), call.params, call.body))
  serveOperation(api, { operation: remove, world }, (call) => deleteToken(desk(call), call.params))
  serveOperation(api, { operation: roll, world }, (call) => rollToken(desk(call), call.params))
  serveOperation(api, { operation: permissionGroups, world }, async (call) => groups(call.query))
  serveOperation(api, { operation: verify, world, notValid: INVALID_TOKEN }, (call) =>
    verifyToken(desk(call)),
  )
}

function userTokenRoutes(api: FastifyInstance, operations: TokenOperations, world: TokensWorld): void {
  /** Runs where the token speaks for its user; what it may do in some account is not enough. */
  const atDesk = async <R>(
    by: Asker,
    permission: 'Account Settings:Read' | 'Account Settings:Edit',
    run: (desk: Desk) => Promise<Answer<R>>,
  ): Promise<Answer<R>> => {
    const { userId, policies } = by.token
    if (userId === null) return { ...LACKING, detail: 'This token is an account’s, not a user’s.' }
    if (policies && !grantsOverUser(policies, userId, permission)) {
      return { ...LACKING, detail: `The API token lacks the permission "${permission}" over its user.` }
    }
    const memberships = await world.accounts.memberships(userId)
    const accountIds = memberships.map(({ accountId }) => accountId)
    // What its role is decides with each use of the token.
    return run({ owner: { accountId: null, userId }, by, accountIds, world })
  }
  const READ = 'Account Settings:Read'
  const EDIT = 'Account Settings:Edit'
  const { list, create, get, update, delete: remove, roll, permissionGroups, verify } = operations
  serveUserOperation(api, { operation: list, world }, ({ by, query }) =>
    atDesk(by, READ, (desk) => listTokens(desk, query)),
  )
  serveUserOperation(api, { operation: create, world }, ({ by, body }) =>
    atDesk(by, EDIT, (desk) => createToken(desk, body)),
  )
  serveUserOperation(api, { operation: get, world }, ({ by, params }) =>
    atDesk(by, READ, (desk) => getToken(desk, params)),
  )
  serveUserOperation(api, { operation: update, world }, ({ by, params, body }) =>
    atDesk(by, EDIT, (desk) => updateToken(desk, params, body)),
  )
  serveUserOperation(api, { operation: remove, world }, ({ by, params }) =>
    atDesk(by, EDIT, (desk) => deleteToken(desk, params)),
  )
  serveUserOperation(api, { operation: roll, world }, ({ by, params }) =>
    atDesk(by, EDIT, (desk) => rollToken(desk, params)),
  )
  serveUserOperation(api, { operation: permissionGroups, world }, async ({ query }) => groups(query))
  serveUserOperation(api, { operation: verify, world, notValid: INVALID_TOKEN }, async ({ by }) => {
    const { userId } = by.token
    if (userId === null) return INVALID_TOKEN
    return verifyToken({
      owner: { accountId: null, userId },
      by,
      accountIds: [],
      world,
    })
  })
}

/** By this code wrangler knows that a token is not a user's (clients.md §3.6). */
const INVALID_TOKEN: Fault = { status: 401, code: 1000, message: 'Invalid API Token' }

type Params = Readonly<Record<string, string>>

async function listTokens(
  { owner, world }: Desk,
  query: {
    readonly page: number
    readonly per_page: number
    readonly direction: 'asc' | 'desc'
    readonly include_expired: 'true' | 'false'
  },
): Promise<Answer<TokenBody[]>> {
  const { tokens, total } = await world.accounts.register.list(owner, {
    offset: (query.page - 1) * query.per_page,
    limit: query.per_page,
    ascending: query.direction === 'asc',
    withExpired: query.include_expired === 'true',
  })
  const result = tokens.map((token) => tokenBody(token, world.now()))
  return { result, info: pageInfo(query, result.length, total) }
}

async function createToken(desk: Desk, wish: TokenWish): Promise<Answer<TokenBody & { value: string }>> {
  const { owner, by, world } = desk
  const accountOfZone = await accountsOfZones(zonesNamed(wish.policies), world)
  const wished = readWish(wish, desk, accountOfZone)
  if ('status' in wished) return wished
  const lacking = lackingFor(by.token, wished.policies, accountOfZone)
  if (lacking) return exceeds(lacking)
  const creator = owner.userId === null && by.token.userId !== null && by.token.userId
  const creatorEmail = creator ? ((await world.accounts.user(creator))?.email ?? null) : null
  const now = world.now()
  const shown = { ...wished, accountId: owner.accountId, userId: owner.userId, creatorEmail }
  const record = (id: string): TokenRecord => ({
    ...{ ...shown, id, status: 'active', createdAt: now, modifiedAt: now },
  })
  const { accounts } = world
  const token = { ...wished, permissions: [], creatorEmail }
  const also = (id: string) => auditWrites(desk, 'token.create', id, undefined, record(id))
  const { id, secret } =
    owner.accountId === null
      ? await accounts.createUserToken(owner.userId ?? '', token, also)
      : await accounts.createToken(owner.accountId, token, also)
  const made = await accounts.register.find(owner, id)
  return { result: { ...tokenBody(made ?? record(id), now), value: secret } }
}

async function getToken({ owner, world }: Desk, params: Params): Promise<Answer<TokenBody>> {
  const token = await world.accounts.register.find(owner, idOf(params))
  return token ? { result: tokenBody(token, world.now()) } : NO_SUCH_OBJECT
}

async function updateToken(desk: Desk, params: Params, wish: TokenWish): Promise<Answer<TokenBody>> {
  const { owner, by, world } = desk
  const { register } = world.accounts
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const before = await register.find(owner, idOf(params))
    if (!before) return NO_SUCH_OBJECT
    const zones = [...zonesNamed(wish.policies), ...zonesOf(before.policies)]
    const accountOfZone = await accountsOfZones(zones, world)
    const wished = readWish(wish, desk, accountOfZone)
    if ('status' in wished) return wished
    const old = before.id === by.token.id ? [] : before.policies
    const lacking = lackingFor(by.token, [...old, ...wished.policies], accountOfZone)
    if (lacking) return exceeds(lacking)
    // Expiry is not a status that somebody sets: the date says it.
    const status = wish.status === 'disabled' || wish.status === 'active' ? wish.status : before.status
    const after = await register.change(before, { ...wished, status }, (from, to) =>
      auditWrites(desk, 'token.update', before.id, from, to),
    )
    if (after !== 'outdated') return { result: tokenBody(after, world.now()) }
  }
  return OUTDATED
}

async function deleteToken(desk: Desk, params: Params): Promise<Answer<{ id: string }>> {
  const { owner, world } = desk
  const { accounts } = world
  const before = await accounts.register.find(owner, idOf(params))
  if (!before) return NO_SUCH_OBJECT
  const also = (id: string) => auditWrites(desk, 'token.revoke', id, before, undefined)
  const revoked =
    owner.accountId === null
      ? await accounts.revokeUserToken(owner.userId ?? '', before.id, also)
      : await accounts.revokeToken(owner.accountId, before.id, also)
  return revoked ? { result: { id: before.id } } : NO_SUCH_OBJECT
}

async function rollToken(desk: Desk, params: Params): Promise<Answer<string>> {
  const { owner, by, world } = desk
  const { register } = world.accounts
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const before = await register.find(owner, idOf(params))
    if (!before) return NO_SUCH_OBJECT
    const accountOfZone = await accountsOfZones(zonesOf(before.policies), world)
    // Its own new secret gives the bearer nothing that it has not.
    const lacking =
      before.id === by.token.id ? undefined : lackingFor(by.token, before.policies, accountOfZone)
    if (lacking) return exceeds(lacking)
    const rolled = await register.roll(before, (from, to) =>
      auditWrites(desk, 'token.roll', before.id, from, to),
    )
    if (rolled !== 'outdated') return { result: rolled.secret }
  }
  return OUTDATED
}

async function verifyToken({
  owner,
  by,
  world,
}: Desk): Promise<
  Answer<{ id: string; status: 'active'; not_before: string | null; expires_on: string | null }>
> {
  const token = await world.accounts.register.find(owner, by.token.id)
  if (!token) return INVALID_TOKEN
  const { not_before = null, expires_on = null } = tokenBody(token, world.now())
  return {
    result: { id: token.id, status: 'active', not_before, expires_on },
    messages: [{ code: 10000, message: 'This API Token is valid and active', type: null }],
  }
}

function groups({
  name,
  scope,
}: {
  readonly name?: string | undefined
  readonly scope?: string | undefined
}) {
  const result = PERMISSION_GROUPS.filter(
    (group) =>
      (name === undefined || isCalled(group, name)) &&
      (scope === undefined || group.scopes.some((one) => one === scope)),
  ).map(({ id, name: called, scopes }) => ({
    ...{ id, name: called, category: 'email_and_messaging', is_selectable: true, scopes: [...scopes] },
  }))
  return { result }
}

const MOST_TRIES = 5
/** Somebody else was faster each time; the caller's own next try may do. */
const OUTDATED: Fault = { status: 409, code: 1009, message: 'The token was changed meanwhile; try again.' }

function exceeds(permission: string): Fault {
  return {
    ...LACKING,
    detail: `This token lacks "${permission}" over these resources, so it cannot give it.`,
  }
}

function readWish(wish: TokenWish, { owner, accountIds }: Desk, accountOfZone: ReadonlyMap<string, string>) {
  const actsIn = (accountId: string) => accountIds.includes(accountId)
  return readTokenWish(wish, { owner, actsIn, accountOfZone, newId })
}

function zonesOf(policies: readonly Policy[]): readonly string[] {
  return policies.flatMap(({ resources }) =>
    resources.flatMap(({ kind, id }) => (kind === 'zone' ? [id] : [])),
  )
}

async function accountsOfZones(
  zoneIds: readonly string[],
  { accountOfZone }: ServedBy,
): Promise<ReadonlyMap<string, string>> {
  const found = await Promise.all(
    [...new Set(zoneIds)].map(async (zoneId) => ({ zoneId, accountId: await accountOfZone(zoneId) })),
  )
  return new Map(
    found.flatMap(({ zoneId, accountId }) => (accountId === undefined ? [] : [[zoneId, accountId]])),
  )
}

function auditWrites(
  { owner, by, accountIds, world }: Desk,
  action: string,
  tokenId: string,
  before: TokenRecord | undefined,
  after: TokenRecord | undefined,
): readonly Write[] {
  const at = world.now()
  const shown = (token: TokenRecord | undefined) => token && tokenBody(token, at)
  return accountIds.map((accountId) =>
    auditWrite({
      accountId,
      actor: by.audit,
      action,
      resource: { type: 'token', id: tokenId },
      userLevel: owner.accountId === null,
      before: shown(before),
      after: shown(after),
      at,
    }),
  )
}

function idOf(params: Params): string {
  return params['token_id']?.toLowerCase() ?? ''
}
