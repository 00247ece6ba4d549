import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CONSUMER, NOTHING, queueWorld, until } from '#test/queue-world.ts'
import { onBothEngines } from '#test/stores.ts'
import { openQueuePump } from './queue-pump.ts'
import { openQueues } from './queues.ts'

const KILLS = 5
const SENDERS = 4

// Sends and consumes at once. "s <n>" once a send resolved, "c <n>" when a consumer is through with it, in a file: a pipe could
// be full. A fifth of the batches fails.
const script = (engine: string, place: string, queue: object, kill: number) => `
  import { writeSync } from 'node:fs'
  import * as open from ${JSON.stringify(import.meta.resolve(`../../store/open-${engine}.ts`))}
  import { openQueues } from ${JSON.stringify(import.meta.resolve('./queues.ts'))}
  import { openQueuePump } from ${JSON.stringify(import.meta.resolve('./queue-pump.ts'))}
  const place = ${JSON.stringify(place)}
  const queue = ${JSON.stringify(queue)}
  const store = await (open.openSqliteStore ?? open.openPostgresStore)({ directory: place, url: place })
  const queues = await openQueues({ store, clock: Date.now })
  let count = 0
  for (let sender = 0; sender < ${SENDERS}; sender++) void (async () => {
    for (;;) {
      const names = [0, 1, 2].map(() => ${kill} + '-' + count++)
      await queues.send(queue, names.map((name) => ({ body: Buffer.from(name), contentType: 'text' })))
      writeSync(1, names.map((name) => 's ' + name + '\\n').join(''))
    }
  })()
  openQueuePump({
    queues, pollMs: 50, leaseMs: 1000, onError: (error) => { throw error },
    async deliver({ messages }) {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 20))
      writeSync(1, messages.map(({ body }) => 'c ' + body + '\\n').join(''))
      return { kind: Math.random() < 0.2 ? 'failed' : 'done', acks: [], retries: [] }
    },
  })`

onBothEngines(
  `kill -9, ${KILLS} times: each message whose send resolved reaches a consumer, or the dead letter queue`,
  async (_, open) => {
    const { place, queues, accountId } = await queueWorld(open.store)
    await queues.addConsumer(place, { ...CONSUMER, deadLetterQueue: 'dead', maxRetries: 1 }, NOTHING)
    await open.close()
    const lines: string[] = []
    for (let kill = 0; kill < KILLS; kill++) {
      const log = join(open.directory, `lines-${kill}`)
      const file = openSync(log, 'w')
      const program = script(open.engine, open.url ?? open.directory, place, kill)
      const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
        stdio: ['ignore', file, 'inherit'],
      })
      const exited = once(child, 'exit')
      closeSync(file)
      while (!readFileSync(log, 'utf8').includes('c ') && child.exitCode === null) await sleep(10)
      await sleep(Math.random() * 200)
      child.kill('SIGKILL')
      assert.deepEqual(await exited, [null, 'SIGKILL'])
      assert.ok(statSync(log).size > 0)
      lines.push(...readFileSync(log, 'utf8').split('\n').slice(0, -1))
    }
    const sent = lines.filter((line) => line.startsWith('s ')).map((line) => line.slice(2))
    const seen = new Set(lines.filter((line) => line.startsWith('c ')).map((line) => line.slice(2)))
    const last = await openQueues({ store: await open.reopen(), clock: Date.now })
    const dead = await last.queueNamed(accountId, 'dead')
    assert.ok(dead)
    const buried: string[] = []
    await last.addConsumer({ accountId, queueId: dead.id }, { ...CONSUMER, scriptName: 'dead' }, NOTHING)
    const pump = openQueuePump({
      ...{ queues: last, pollMs: 50, leaseMs: 1000 },
      onError: (error) => assert.fail(String(error)),
      async deliver({ scriptName, messages }) {
        for (const { body } of messages) {
          if (scriptName === 'dead') buried.push(body.toString())
          else seen.add(body.toString())
        }
        return { kind: 'done', acks: [], retries: [] }
      },
    })
    const isEmpty = async (queueId: string) => (await last.backlog({ accountId, queueId })).messages === 0
    await until(async () => ((await isEmpty(place.queueId)) && (await isEmpty(dead.id))) || undefined)
    await pump.close()
    assert.ok(sent.length > 0)
    for (const name of sent) assert.ok(seen.has(name), `${name} was sent and not seen`)
    // Only what a consumer failed twice at: a crash costs no retry.
    for (const name of new Set(buried)) {
      const times = lines.filter((line) => line === `c ${name}`).length
      assert.ok(times >= 2, `${name} was given up after ${times}`)
    }
  },
)
