import { randomBytes } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import type { Graphql, GraphqlAnswerOut } from '#analytics/graphql/graphql.ts'
import type { Asker as QueryAsker, Reach } from '#analytics/graphql/query-context.ts'
import { type GraphqlAnswerBody, queryGraphql } from '#contract/graphql.ts'
import type { Permission } from '#model/permission.ts'
import { isGrantedSomewhere, permissionsIn } from '#registry/accounts/policy.ts'
import type { Domains } from '#registry/domains/domains.ts'
import { ScanTimeout } from '#store/scan-timeout.ts'
import { accountsOf } from './accounts.ts'
import { type Asker, type ServedBy, serveUserOperation } from './serve-operation.ts'
import { READ_MS, whenOut } from './when-out.ts'

export interface GraphqlRoutesWorld extends ServedBy {
  readonly graphql: Graphql
  readonly domains: Pick<Domains, 'zones'>
  /** How long a client may take to read an answer; for tests. */
  readonly readMs?: number
  readonly now: () => number
}

/** What is on its way out, with the status that belongs to it. */
interface Told {
  readonly status: GraphqlAnswerOut['status'] | 500
  readonly body: GraphqlAnswerBody
  out(): void
}

const PERMISSION: Permission = 'Analytics:Read'

/** `/graphql`. */
export function graphqlRoutes(api: FastifyInstance, world: GraphqlRoutesWorld): void {
  /** By their bodies, those that are on their way. */
  const answers = new WeakMap<object, Told>()

  const told = (status: 429 | 500, code: 'budget' | 'internal', message: string): Told => {
    const timestamp = new Date(world.now()).toISOString()
    const extensions = { code, timestamp, ray_id: randomBytes(8).toString('hex') }
    return { status, body: { data: null, errors: [{ message, path: null, extensions }] }, out: () => {} }
  }

  async function answer(...asked: Parameters<Graphql['answer']>): Promise<Told> {
    try {
      return await world.graphql.answer(...asked)
    } catch (error) {
      // Neither history nor who may read it could be asked. Mail goes on without both.
      if (error instanceof ScanTimeout) return told(429, 'budget', `${LATER}: looking took too long`)
      world.log.error({ err: error }, 'http: a query of GraphQL failed inside')
      return told(500, 'internal', LATER)
    }
  }

  api.register(async (routes) => {
    serveUserOperation(routes, { operation: queryGraphql, world }, async ({ by, body }) => {
      const owner = by.token.userId ?? by.token.accountId ?? ''
      const found = await answer(body, { owner, ...askerOf(by, world) })
      answers.set(found.body, found)
      return { result: found.body }
    })

    // GraphQL's clients know no envelope.
    routes.addHook(
      'preSerialization',
      async (request, reply, payload: { readonly result?: object | null }) => {
        const found = answers.get(payload.result ?? payload)
        if (!found) return payload
        const { status, body } = found
        whenOut(reply, world.readMs ?? READ_MS, () => found.out())
        reply.code(status)
        if (status === 429) reply.header('retry-after', '5')
        // Where there are none, the original says `errors: null`, and its clients read it; clients that follow the
        // specification (GraphQL over HTTP) may refuse it, and say that they do follow it.
        return body.errors === null && STANDARD.test(request.headers.accept ?? '')
          ? { data: body.data }
          : body
      },
    )
  })
}

const LATER = 'the query could not be answered, please try again later'
const STANDARD = /\bapplication\/graphql-response\+json\b/i

/** What the token may read. What is another's is not there (promise 6). */
function askerOf(by: Asker, world: GraphqlRoutesWorld): QueryAsker {
  const { accountOfZone, domains } = world

  async function zone(zoneTag: string): Promise<Reach> {
    const accountId = await accountOfZone(zoneTag)
    const principal = accountId === undefined ? undefined : await by.principalIn(accountId)
    if (accountId === undefined || !principal) return { kind: 'unknown' }
    const granted = permissionsIn(principal, zoneTag)
    if (granted.has(PERMISSION)) return { kind: 'readable', accountId }
    // A token that is limited to other zones does not see this one.
    return granted.size > 0 ? { kind: 'lacking' } : { kind: 'unknown' }
  }

  async function account(accountId: string): Promise<Reach> {
    const principal = await by.principalIn(accountId)
    if (!principal) return { kind: 'unknown' }
    return principal.permissions.has(PERMISSION) ? { kind: 'readable', accountId } : { kind: 'lacking' }
  }

  return {
    reach: (kind, tag) => (kind === 'zone' ? zone(tag) : account(tag)),

    async zones() {
      const all = await Promise.all(
        (await accountsOf(by, world)).map(async ({ id: accountId }) => {
          const principal = await by.principalIn(accountId)
          if (!principal || !isGrantedSomewhere(principal, PERMISSION)) return []
          return (await domains.zones(accountId))
            .filter(({ id }) => permissionsIn(principal, id).has(PERMISSION))
            .map(({ id }) => ({ zoneTag: id, accountId }))
        }),
      )
      return all.flat().sort((one, other) => (one.zoneTag < other.zoneTag ? -1 : 1))
    },
  }
}
