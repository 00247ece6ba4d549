import assert from 'node:assert/strict'
import { test } from 'node:test'
import Fastify from 'fastify'
import type { Envelope } from '#contract/envelope.ts'
import { openLog } from '#observe/log.ts'
import { openSqliteStore } from '#store/open-sqlite.ts'
import { openNotifyWorld } from '#test/notify-world.ts'
import { openTestStore } from '#test/stores.ts'
import { eventSubscriptionRoutes } from './event-subscriptions.ts'
import { explainError } from './explain-error.ts'
import { queueRoutes } from './queues.ts'
import { webhookRoutes } from './webhooks.ts'

test('a list that takes too long to look through is 429, and says how to ask for less', async () => {
  await using open = await openTestStore('sqlite')
  const made = await openNotifyWorld(open.store)
  const { accountId } = await made.addAccount()
  const { place } = await made.addWebhook(accountId, { url: 'https://hook.example/' })
  const permissions = ['Email Sending:Edit', 'Workers:Read'] as const
  const { secret } = await made.accounts.createToken(accountId, { name: 't', permissions })
  await made.notify.close()
  await open.close()
  // No reader has begun by then.
  const store = await openSqliteStore({ directory: open.directory, scanLimitMs: 1 })
  await using app = Fastify()
  try {
    const world = await openNotifyWorld(store)
    const { accounts, notify, queues, domains } = world
    const log = openLog('silent')
    const served = { accounts, log, now: Date.now, accountOfZone: (id: string) => domains.accountOfZone(id) }
    app.setErrorHandler((error, request, reply) => explainError(error, request, reply, log))
    webhookRoutes(app, { ...served, notify })
    eventSubscriptionRoutes(app, { ...served, notify })
    const scripts = { workers: { queueProducers: async () => new Map() } }
    queueRoutes(app, { ...served, queues, scripts, hasScript: async () => false })
    const base = `/accounts/${accountId}`
    for (const [url, advice] of [
      [
        `${base}/email/webhooks/${place.webhookId}/deliveries?status=failed`,
        'Narrow it by since and before.',
      ],
      [`${base}/event_subscriptions/subscriptions`, 'Try again.'],
      // One that has no words of its own.
      [`${base}/queues`, 'Narrow it, or try again.'],
    ]) {
      const headers = { authorization: `Bearer ${secret}` }
      const answer = await app.inject({ method: 'GET', url: url ?? '', headers })
      assert.equal(answer.statusCode, 429, answer.body)
      const { errors } = answer.json<Envelope<null>>()
      assert.equal(errors[0]?.code, 10004)
      assert.equal(errors[0].error_chain?.[0]?.message, `Looking for it took too long. ${advice}`)
    }
  } finally {
    await store.close()
  }
})
