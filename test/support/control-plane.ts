import Fastify from 'fastify'
import { accountRoutes } from '#ingress/http-api/accounts.ts'
import { auditLogRoutes } from '#ingress/http-api/audit-logs.ts'
import { tokenRoutes } from '#ingress/http-api/tokens.ts'
import { PERMISSIONS, type Permission } from '#model/permission.ts'
import { openLog } from '#observe/log.ts'
import { openAccounts } from '#registry/accounts/accounts.ts'
import { auditLines } from '#registry/accounts/audit-log.ts'
import { groupOf } from '#registry/accounts/permission-groups.ts'
import type { Store } from '#store/store.ts'
import { checkedFetch } from './checked-fetch.ts'

/** The routes of accounts, tokens and the audit log on a port of their own, with what tests ask of them. */
export async function openControlPlane(store: Store) {
  let now = 1_800_000_000_000
  const clock = () => now
  const accounts = openAccounts({ store, clock })
  const zones = new Map<string, string>()
  const app = Fastify()
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  const world = {
    accounts,
    log: openLog('silent'),
    accountOfZone: async (zoneId: string) => zones.get(zoneId),
    auditLines: (...asked: Parameters<typeof auditLines> extends [Store, ...infer Rest] ? Rest : never) =>
      auditLines(store, ...asked),
    now: clock,
  }
  app.register(
    async (api) => {
      accountRoutes(api, world)
      tokenRoutes(api, world)
      auditLogRoutes(api, world)
    },
    { prefix: '/client/v4' },
  )
  const base = `${await app.listen({ host: '127.0.0.1', port: 0 })}/client/v4`

  async function ask(secret: string | Record<string, string>, method: string, path: string, body?: unknown) {
    const response = await checkedFetch(`${base}${path}`, {
      method,
      headers: typeof secret === 'string' ? { authorization: `Bearer ${secret}` } : secret,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    // The tests state the shapes that the API documents.
    const answer = (await response.json()) as Answered
    return { status: response.status, ...answer, code: answer.errors[0]?.code }
  }

  return {
    ...{ accounts, base, ask, zones },
    pass: (ms: number) => (now += ms),
    [Symbol.asyncDispose]: () => app.close(),
  }
}

interface Answered {
  readonly success: boolean
  readonly result: unknown
  readonly result_info?: Readonly<Record<string, unknown>>
  readonly messages: readonly { readonly code: number; readonly message: string }[]
  readonly errors: readonly {
    readonly code: number
    readonly message: string
    readonly error_chain?: readonly { readonly code: number; readonly message: string }[]
    readonly source?: { readonly pointer: string }
  }[]
}

/** An account with a user who administers it, and a token of each that may do everything. */
export async function openAccount(
  { accounts }: Pick<Awaited<ReturnType<typeof openControlPlane>>, 'accounts'>,
  name: string,
) {
  const account = (await accounts.createAccount(name)).id
  const user = (await accounts.createUser(`${name}@example.com`)).id
  await accounts.addMember(account, user, 'admin')
  const all = { name: 'all', permissions: PERMISSIONS }
  const ofAccount = await accounts.createToken(account, all)
  const ofUser = await accounts.createUserToken(user, all)
  return { account, user, ofAccount, ofUser, email: `${name}@example.com` }
}

/** A policy as clients write it. */
export function policyOf(permissions: readonly Permission[], ...keys: readonly string[]) {
  return {
    effect: 'allow' as const,
    permission_groups: permissions.map((permission) => ({ id: groupOf(permission).id })),
    resources: Object.fromEntries(keys.map((key) => [`com.cloudflare.api.${key}`, '*'])),
  }
}
