import assert from 'node:assert/strict'
import { Webhook as Verifier } from 'standardwebhooks'
import { type Store, statement } from '#store/store.ts'
import { eventOf, NOTHING, openNotifyWorld } from '#test/notify-world.ts'
import { until } from '#test/queue-world.ts'
import { onBothEngines } from '#test/stores.ts'
import { answering, OK, openReceiver } from '#test/webhook-receiver.ts'
import type { NotifyWorld } from './notify.ts'
import { REPLAYS_PER_MINUTE } from './replays.ts'
import { TRIALS_PER_MINUTE } from './try-webhook.ts'
import type { Webhook } from './webhook.ts'
import { WEBHOOKS_PER_ACCOUNT } from './webhooks.ts'

const URL = 'https://hook.example/mail'
const WISH = { url: URL, description: '', events: null, domains: null, enabled: true } as const
const MINUTE = 60_000

async function openWorld(store: Store, options: Partial<NotifyWorld> = {}) {
  const world = await openNotifyWorld(store, options)
  const of = await world.addAccount()
  return { ...world, of, webhooks: world.notify.webhooks }
}

onBothEngines('a webhook is made, read, changed and removed, by its own account', async (_, { store }) => {
  const { webhooks, of } = await openWorld(store)
  const changes: unknown[] = []
  const record = (change: object) => {
    changes.push(change)
    return []
  }
  const wish = { ...WISH, description: 'd', domains: ['yourdomain.com'], enabled: false }
  const made = await webhooks.createWebhook(of.accountId, wish, record)
  assert.ok('webhook' in made)
  const { webhook, secret } = made
  const place = { accountId: of.accountId, webhookId: webhook.id }
  const foreign = { ...place, accountId: 'f'.repeat(32) }
  assert.deepEqual([webhook.state, webhook.domains], ['disabled', ['yourdomain.com']])
  assert.deepEqual(await webhooks.webhook(place), webhook)
  assert.deepEqual(await webhooks.listWebhooks(of.accountId), [webhook])
  assert.equal(await webhooks.webhook(foreign), undefined)
  assert.deepEqual(await webhooks.listWebhooks(foreign.accountId), [])
  assert.equal(await webhooks.changeWebhook(foreign, { enabled: true }, NOTHING), undefined)
  assert.equal(await webhooks.rotateSecret(foreign, MINUTE, NOTHING), undefined)
  assert.equal(await webhooks.removeWebhook(foreign, NOTHING), undefined)
  const events = ['cf.email.sending.message.bounced'] as const
  const changed = await webhooks.changeWebhook(place, { events, domains: null, enabled: true }, record)
  assert.ok(changed && 'state' in changed)
  assert.deepEqual(await webhooks.webhook(place), changed)
  assert.deepEqual(
    [changed.state, changed.events, changed.domains, changed.url],
    ['active', events, null, URL],
  )
  assert.deepEqual(await webhooks.removeWebhook(place, record), changed)
  assert.equal(await webhooks.webhook(place), undefined)
  assert.equal(await webhooks.removeWebhook(place, NOTHING), undefined)
  assert.deepEqual(changes, [{ after: webhook }, { before: webhook, after: changed }, { before: changed }])
  // Neither is in the database to read, nor in what changes are told as.
  const rows = await store.all(sealed, [])
  for (const text of [JSON.stringify(changes), ...rows.map(({ secrets }) => secrets)])
    assert.ok(!text.includes(secret) && !text.includes('whsec'))
})

const sealed = statement<{ secrets: string }>('test.secrets', 'select secrets from webhook')

onBothEngines(
  'a URL has to lead outside, domains to be the account’s, and there are so many',
  async (_, { store }) => {
    const { webhooks, of, addAccount } = await openWorld(store)
    await addAccount('B', 'second.example')
    const create = (more: object) => webhooks.createWebhook(of.accountId, { ...WISH, ...more }, NOTHING)
    const bad = await create({ url: 'https://10.0.0.1/' })
    assert.ok('kind' in bad && bad.kind === 'bad-url')
    assert.deepEqual(await create({ domains: ['yourdomain.com', 'second.example'] }), {
      ...{ kind: 'no-domain', index: 1 },
    })
    for (let count = 0; count < WEBHOOKS_PER_ACCOUNT; count++) assert.ok('webhook' in (await create({})))
    assert.deepEqual(await create({}), { kind: 'too-many' })
    const [first] = await webhooks.listWebhooks(of.accountId)
    const place = { accountId: of.accountId, webhookId: first?.id ?? '' }
    const changed = await webhooks.changeWebhook(place, { url: 'ftp://x.example/' }, NOTHING)
    assert.ok(changed && 'kind' in changed && changed.kind === 'bad-url')
    assert.ok(await webhooks.removeWebhook(place, NOTHING))
    assert.ok('webhook' in (await create({})))
  },
)

onBothEngines(
  'a new secret signs at once, the one before beside it for its overlap',
  async (_, { store }) => {
    const world = await openWorld(store)
    await using receiver = await openReceiver(['hook.example'])
    const { notify, of } = world
    const { secret, place } = await world.addWebhook(of.accountId, {
      url: `https://hook.example:${receiver.port}/`,
    })
    const verified = async (by: string) => {
      await notify.tryWebhook(place, 'cf.email.sending.message.delivered')
      const { body, headers } = receiver.received.at(-1) ?? assert.fail()
      try {
        return Boolean(new Verifier(by).verify(body, headers as Record<string, string>))
      } catch {
        return false
      }
    }
    assert.equal(await verified(secret), true)
    const next = await notify.webhooks.rotateSecret(place, MINUTE, NOTHING)
    assert.ok(next)
    assert.deepEqual([await verified(secret), await verified(next.secret)], [true, true])
    const last = await notify.webhooks.rotateSecret(place, 0, NOTHING)
    const all = [secret, next.secret, last?.secret ?? '']
    assert.deepEqual(await inTurn(all, verified), [false, false, true])
  },
)

async function inTurn<T, R>(all: readonly T[], run: (one: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  for (const one of all) results.push(await run(one))
  return results
}

onBothEngines('a test tells at once how it went, signed, and is in the log', async (_, { store }) => {
  const world = await openWorld(store)
  await using receiver = await openReceiver(['hook.example'])
  const { notify, of } = world
  const url = `https://hook.example:${receiver.port}/`
  const { place } = await world.addWebhook(of.accountId, { url, enabled: false })
  const works = await notify.tryWebhook(place, 'cf.email.routing.message.forwarded')
  assert.ok(typeof works === 'object')
  assert.deepEqual([works.works, works.attempt.status, works.attempt.excerpt], [true, 200, 'thanks'])
  const [received] = receiver.received
  assert.equal(received?.type, 'cf.email.routing.message.forwarded')
  assert.equal(JSON.parse(received.body).payload.test, true)
  receiver.behave(answering(301, '', { location: 'http://127.0.0.1/' }))
  const redirected = await notify.tryWebhook(place, 'cf.email.webhook.paused')
  assert.ok(typeof redirected === 'object')
  assert.deepEqual([redirected.works, redirected.attempt.status], [false, 301])
  world.addresses.set('hook.example', ['10.0.0.1'])
  const inside = await notify.tryWebhook(place, 'cf.email.sending.domain.dns_drifted')
  assert.ok(typeof inside === 'object')
  assert.deepEqual([inside.works, inside.attempt.fault], [false, 'refused'])
  assert.equal(receiver.received.length, 2)
  const log = await notify.deliveries(place, {}, { limit: 10 })
  assert.deepEqual(log.map(({ state }) => state).sort(), ['delivered', 'failed', 'failed'])
  assert.equal((await notify.delivery(place, works.deliveryId))?.messageId, received.headers['webhook-id'])
  const foreign = { ...place, accountId: 'f'.repeat(32) }
  assert.equal(await notify.tryWebhook(foreign, 'cf.email.webhook.paused'), undefined)
  assert.equal(await notify.delivery(foreign, works.deliveryId), undefined)
  assert.deepEqual(await notify.deliveries(foreign, {}, { limit: 10 }), [])
  assert.equal(await notify.replay(foreign, works.deliveryId, []), false)
})

onBothEngines('one test of an account at a time', async (_, { store }) => {
  const world = await openWorld(store)
  await using receiver = await openReceiver(['hook.example'])
  const { promise: answered, resolve: answer } = Promise.withResolvers<void>()
  receiver.behave((...asked) => void answered.then(() => OK(...asked)))
  const url = `https://hook.example:${receiver.port}/`
  const { place } = await world.addWebhook(world.of.accountId, { url })
  const first = world.notify.tryWebhook(place, 'cf.email.webhook.paused')
  await until(() => receiver.received.length > 0 || undefined)
  assert.equal(await world.notify.tryWebhook(place, 'cf.email.webhook.paused'), 'busy')
  answer()
  const trial = await first
  assert.ok(typeof trial === 'object' && trial.works)
})

onBothEngines('one webhook has ten tests a minute, and others have theirs', async (_, { store }) => {
  let passed = 0
  const world = await openWorld(store, { clock: () => Date.now() + passed })
  await using receiver = await openReceiver(['hook.example'])
  const url = `https://hook.example:${receiver.port}/`
  const { place } = await world.addWebhook(world.of.accountId, { url })
  const other = await world.addWebhook(world.of.accountId, { url })
  const tried = async (at = place) => {
    const trial = await world.notify.tryWebhook(at, 'cf.email.webhook.paused')
    return typeof trial === 'object' ? trial.works : trial
  }
  for (let count = 0; count < TRIALS_PER_MINUTE; count++) assert.equal(await tried(), true)
  assert.equal(await tried(), 'too-often')
  assert.equal(receiver.received.length, TRIALS_PER_MINUTE)
  assert.equal(await tried(other.place), true)
  passed = MINUTE
  assert.equal(await tried(), true)
})

onBothEngines('one replay of a webhook at a time, and single ones so often', async (_, { store }) => {
  let passed = 0
  const world = await openWorld(store, { clock: () => Date.now() + passed })
  const { notify, of } = world
  const [one, two] = [
    await world.addWebhook(of.accountId, { url: URL }),
    await world.addWebhook(of.accountId, { url: URL }),
  ]
  const range = { since: 0, before: Date.now(), delivered: true }
  const nothing = { replayed: 0, more: false }
  const replayAll = ({ place }: typeof one) => notify.replayRange(place, range, [])
  assert.deepEqual(await Promise.all([replayAll(one), replayAll(one), replayAll(two)]), [
    ...[nothing, 'busy', nothing],
  ])
  assert.deepEqual(await replayAll(one), nothing)
  const replay = ({ place }: typeof one) => notify.replay(place, 'f'.repeat(32), [])
  for (let count = 0; count < REPLAYS_PER_MINUTE; count++) assert.equal(await replay(one), false)
  assert.deepEqual([await replay(one), await replay(two)], ['too-often', false])
  passed = MINUTE
  assert.equal(await replay(one), false)
})

onBothEngines('the log goes page by page, narrowed by state, event and time', async (_, { store }) => {
  const world = await openWorld(store)
  const { notify, of } = world
  const { place } = await world.addWebhook(of.accountId, { url: URL })
  const at = Date.now()
  await world.project(
    eventOf(of, 'delivered', { at: at - 5000 }),
    eventOf(of, 'bounced', { at: at - 3000 }),
    ...[1, 2, 3].map(() => eventOf(of, 'delivered', { at: at - 1000 })),
  )
  const seen: string[] = []
  for (let after: { at: number; seq: number } | undefined; ; ) {
    const page = await notify.deliveries(place, {}, { limit: 2, after })
    seen.push(...page.map(({ id }) => id))
    after = page.at(-1)
    if (page.length < 2) break
  }
  assert.deepEqual([seen.length, new Set(seen).size], [5, 5])
  const count = async (filter: object) => (await notify.deliveries(place, filter, { limit: 10 })).length
  assert.equal(await count({ type: 'cf.email.sending.message.bounced' }), 1)
  assert.deepEqual([await count({ state: 'pending' }), await count({ state: 'failed' })], [5, 0])
  assert.deepEqual(
    [await count({ since: at - 3000 }), await count({ since: at - 3000, before: at - 1000 })],
    [4, 1],
  )
})

onBothEngines(
  'changes that meet do not undo each other, nor a pause that comes between',
  async (_, { store }) => {
    const { webhooks, of } = await openWorld(store)
    const made = await webhooks.createWebhook(of.accountId, WISH, NOTHING)
    assert.ok('webhook' in made)
    const place = { accountId: of.accountId, webhookId: made.webhook.id }
    await store.commit([{ statement: pause, params: [made.webhook.id], rows: 1 }])
    await Promise.all([
      webhooks.changeWebhook(place, { description: 'd' }, NOTHING),
      webhooks.changeWebhook(place, { url: `${URL}/other` }, NOTHING),
      webhooks.rotateSecret(place, 0, NOTHING),
    ])
    const now: Webhook | undefined = await webhooks.webhook(place)
    assert.deepEqual([now?.description, now?.url, now?.state], ['d', `${URL}/other`, 'paused'])
    assert.equal(now?.pauseReason, 'failing')
  },
)

const pause = statement(
  'test.pause',
  `update webhook set state = 'paused', paused_at = 5, pause_reason = 'failing' where id = $1`,
)
