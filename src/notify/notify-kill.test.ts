import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openNotifyWorld } from '#test/notify-world.ts'
import { until } from '#test/queue-world.ts'
import { onBothEngines } from '#test/stores.ts'
import { OK, openReceiver } from '#test/webhook-receiver.ts'

const KILLS = 3
const MESSAGES = 4

// Commits three events of a message at a time, as the projector does, and tells whoever subscribes to them. "c <message>
// <event>" once a commit resolved, in a file: a pipe could be full.
const script = (engine: string, place: string, of: object, kill: number) => `
  import { writeSync } from 'node:fs'
  import * as open from ${JSON.stringify(import.meta.resolve(`../store/open-${engine}.ts`))}
  import { eventOf, openNotifyWorld } from ${JSON.stringify(import.meta.resolve('../../test/support/notify-world.ts'))}
  const of = ${JSON.stringify(of)}
  const store = await (open.openSqliteStore ?? open.openPostgresStore)({ directory: ${JSON.stringify(place)}, url: ${JSON.stringify(place)} })
  const { notify, project } = await openNotifyWorld(store, { leaseMs: 500 })
  notify.begin()
  for (let batch = 0; ; batch++) {
    const messages = Array.from({ length: ${MESSAGES} }, (_, n) => '${kill}-' + batch + '-' + n)
    const events = ['deferred', 'deferred', 'delivered'].flatMap((type) =>
      messages.map((messageId) => eventOf(of, type, { messageId })))
    await project(...events)
    writeSync(1, events.map(({ id, messageId }) => 'c ' + messageId + ' ' + id + '\\n').join(''))
    await new Promise((resolve) => setTimeout(resolve, 10))
  }`

onBothEngines(
  `kill -9, ${KILLS} times: what was committed reaches the webhook and the queue, in the order of its message`,
  async (_, open) => {
    await using receiver = await openReceiver(['hook.example'])
    receiver.behave((...asked) => void setTimeout(() => OK(...asked), Math.random() * 30))
    const first = await openNotifyWorld(open.store)
    const of = await first.addAccount()
    const queue = await first.addQueue(of.accountId)
    await first.addWebhook(of.accountId, { url: `https://hook.example:${receiver.port}/` })
    const subscribed = await first.notify.subscriptions.createSubscription(
      of.accountId,
      {
        ...{ name: 's', enabled: true, source: 'email.sending', zoneId: of.zoneId },
        ...{ domain: of.domain.name, queueId: queue.id, events: ['message.delivered'] },
      },
      () => [],
    )
    assert.ok(typeof subscribed !== 'string')
    await open.close()
    const committed: (readonly [message: string, event: string])[] = []
    for (let kill = 0; kill < KILLS; kill++) {
      const log = join(open.directory, `lines-${kill}`)
      const file = openSync(log, 'w')
      const program = script(open.engine, open.url ?? open.directory, of, kill)
      const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
        stdio: ['ignore', file, 'inherit'],
        env: { ...process.env, ...first.environment },
      })
      const exited = once(child, 'exit')
      closeSync(file)
      const seen = receiver.received.length
      try {
        await until(() => receiver.received.length > seen || child.exitCode !== null || undefined)
        await sleep(Math.random() * 100)
      } finally {
        child.kill('SIGKILL')
      }
      assert.deepEqual(await exited, [null, 'SIGKILL'])
      for (const line of readFileSync(log, 'utf8').split('\n').slice(0, -1)) {
        const [, message = '', event = ''] = line.split(' ')
        committed.push([message, event])
      }
    }
    assert.ok(committed.length > 0)
    const last = await openNotifyWorld(await open.reopen())
    last.notify.begin()
    const arrived = () => new Set(receiver.received.map(({ eventId }) => eventId.replaceAll('-', '')))
    await until(() => {
      const there = arrived()
      return committed.every(([, event]) => there.has(event)) || undefined
    })
    // More than once perhaps, but what happened first came first.
    const firsts = [...arrived()]
    for (const events of Map.groupBy(committed, ([message]) => message).values()) {
      const places = events.map(([, event]) => firsts.indexOf(event))
      assert.deepEqual(
        places,
        places.toSorted((a, b) => a - b),
      )
    }
    const place = { accountId: of.accountId, queueId: queue.id }
    const delivered = committed.length / 3
    await until(async () => (await last.queues.backlog(place)).messages >= delivered || undefined)
    await last.notify.close()
    assert.deepEqual(last.errors, [])
  },
)
