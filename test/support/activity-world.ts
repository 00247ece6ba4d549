import assert from 'node:assert/strict'
import Fastify from 'fastify'
import type { ActivityBody } from '#contract/activity.ts'
import type { CursorInfo } from '#contract/paging.ts'
import { eventWrite } from '#events/events.ts'
import { activityRoutes } from '#ingress/http-api/activity.ts'
import type { MailEvent } from '#model/event.ts'
import type { Permission } from '#model/permission.ts'
import { openLog } from '#observe/log.ts'
import { openAccounts } from '#registry/accounts/accounts.ts'
import { checkedFetch } from './checked-fetch.ts'
import { historyWorld, makeDomain } from './history-world.ts'
import type { OpenStore } from './stores.ts'

/** The routes of the activity log over a real history, with an account that has two zones and another that has one. */
export async function openActivityWorld(open: OpenStore, now: number) {
  const world = await historyWorld(open, { now: () => now, batch: 500 })
  const { store, history, projector } = world
  const accounts = openAccounts({ store, clock: () => now })
  const accountId = (await accounts.createAccount('one')).id
  const otherId = (await accounts.createAccount('two')).id
  const one = await makeDomain(store, { name: 'one.test', accountId, check: ['spf.missing', 'dkim.wrong'] })
  const two = await makeDomain(store, { name: 'two.test', accountId })
  const other = await makeDomain(store, { name: 'other.test', accountId: otherId })
  const owners = new Map([one, two, other].map((domain) => [domain.zoneId, domain.accountId]))

  const app = Fastify()
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  app.register(
    async (api) =>
      activityRoutes(api, {
        ...{ accounts, history, log: openLog('silent'), now: () => now },
        accountOfZone: async (zoneId) => owners.get(zoneId),
      }),
    { prefix: '/client/v4' },
  )
  const base = `${await app.listen({ host: '127.0.0.1', port: 0 })}/client/v4`
  const token = async (owner: string, permissions: readonly Permission[] = ['Analytics:Read']) =>
    (await accounts.createToken(owner, { name: 't', permissions })).secret
  const secrets = { one: await token(accountId), two: await token(otherId) }

  const fetched = (path: string, secret = secrets.one, init: RequestInit = {}) =>
    checkedFetch(`${base}${path}`, { ...init, headers: { authorization: `Bearer ${secret}` } })

  async function ask(path: string, secret?: string): Promise<Asked> {
    const response = await fetched(path, secret)
    // The fetch held it against the document.
    const answer = (await response.json()) as Omit<Asked, 'status'>
    return { ...answer, status: response.status }
  }

  return {
    ...{ one, two, other, accountId, otherId, history, base, secrets, token, fetched, ask },
    ofAccount: `/accounts/${accountId}/email/activity`,
    ofOther: `/accounts/${otherId}/email/activity`,
    ofZone: (domain: { readonly zoneId: string }) => `/zones/${domain.zoneId}/email/activity`,

    /** Has it happen, and history know of it. */
    async happen(events: readonly MailEvent[]): Promise<void> {
      for (let at = 0; at < events.length; at += 200)
        await store.commit(events.slice(at, at + 200).map(eventWrite))
      await projector.caughtUp()
    },

    /** Walks a list to its end by its cursors alone. */
    async walk(path: string, query: URLSearchParams): Promise<readonly ActivityBody[]> {
      const found: ActivityBody[] = []
      for (let asked = query; ; ) {
        const { status, result, result_info: info, errors } = await ask(`${path}?${asked.toString()}`)
        assert.equal(status, 200, JSON.stringify(errors))
        found.push(...(result ?? []))
        if (!info?.cursor) return found
        asked = new URLSearchParams({ cursor: info.cursor, per_page: String(info.per_page) })
      }
    },

    async [Symbol.asyncDispose]() {
      await app.close()
      await world[Symbol.asyncDispose]()
    },
  }
}

interface Asked {
  readonly status: number
  readonly result: readonly ActivityBody[] | null
  readonly result_info?: CursorInfo
  readonly errors: readonly {
    readonly code: number
    readonly source?: { readonly pointer: string }
    readonly error_chain?: readonly { readonly message: string }[]
  }[]
}
