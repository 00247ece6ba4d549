import { randomBytes } from 'node:crypto'
import Fastify from 'fastify'
import type { AnswerRoom } from '#analytics/graphql/answer-room.ts'
import { openGraphql } from '#analytics/graphql/graphql.ts'
import { graphqlRoutes } from '#ingress/http-api/graphql.ts'
import { serviceNames } from '#model/service.ts'
import { openLog } from '#observe/log.ts'
import { openAccounts } from '#registry/accounts/accounts.ts'
import { openDomains } from '#registry/domains/domains.ts'
import { LOOPBACK_ADDRESSES } from '#registry/domains/service-zone.ts'
import { openVault } from '#vault/vault.ts'
import { PAGE_NOW, queryWorld } from './query-world.ts'
import type { OpenStore } from './stores.ts'

/** `/client/v4/graphql` on a port of its own, over a history and over accounts, their zones and tokens. */
export async function openGraphqlDoor(
  open: OpenStore,
  { room, readMs }: { readonly room?: AnswerRoom; readonly readMs?: number } = {},
) {
  const now = () => PAGE_NOW
  const world = await queryWorld(open, now)
  const { store, history } = world
  const accounts = openAccounts({ store, clock: now })
  const domains = openDomains({
    ...{ store, vault: openVault(randomBytes(32)), clock: now },
    ...{ service: serviceNames('posthorn.test'), addresses: LOOPBACK_ADDRESSES },
  })
  const app = Fastify()
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  app.register(
    async (api) =>
      graphqlRoutes(api, {
        ...{ accounts, domains, now, log: openLog('silent') },
        accountOfZone: (zoneId) => domains.accountOfZone(zoneId),
        graphql: openGraphql({ history, days: 31, now, ...(room && { room }) }),
        ...(readMs !== undefined && { readMs }),
      }),
    { prefix: '/client/v4' },
  )
  const url = `${await app.listen({ host: '127.0.0.1', port: 0 })}/client/v4/graphql`

  return {
    ...{ url, accounts, world },
    async post(secret: string | undefined, body: unknown) {
      const response = await fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(secret !== undefined && { authorization: `Bearer ${secret}` }),
        },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      })
      const { status, headers } = response
      return { status, headers, body: (await response.json()) as GraphqlBody }
    },
    async [Symbol.asyncDispose]() {
      await app.close()
      await world[Symbol.asyncDispose]()
    },
  }
}

/** GraphQL's own, or the envelope of what was refused before it was read. */
export interface GraphqlBody {
  readonly data?: { readonly viewer: Readonly<Record<string, readonly object[]>> } | null
  readonly errors:
    | readonly { readonly message: string; readonly code?: number; readonly extensions?: object }[]
    | null
}
