import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { existsSync, readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { deployWorker } from '#test/deploy-worker.ts'
import { type Instance, startInstance } from '#test/instance.ts'
import {
  copiesBeyondTheFirst,
  countIn,
  KINDS,
  keepSending,
  openLedger,
  startDestination,
  unsettled,
} from '#test/kill-load.ts'
import { api, rule, verifiedAddress } from '#test/routing-instance.ts'

/** More with `KILLS=50 npm test`. */
const KILLS = Number(process.env['KILLS'] ?? 5)
const SENDERS = 8
const WAIT_MS = 150
const BATCH = 10
const BATCHES = 3

/** Each message becomes one of a queue, which is noted once it is there, and goes on. */
const TAKES_IN = `export default { async email(message, env) {
  const name = message.headers.get('X-Name')
  await env.QUEUE.send(name)
  await env.KEPT.put('sent ' + name, '')
  const [kind] = message.to.split('@')
  await message.forward(kind + '@' + kind + '.example')
} }`

/** Each time that a message of the queue was taken leaves a key of its own. */
const DRAINS = `export default { async queue({ messages }, env) {
  await scheduler.wait(100)
  for (const { body, attempts } of messages)
    await env.KEPT.put('taken ' + body + ' ' + attempts + ' ' + crypto.randomUUID(), '')
} }`

test(`kill -9 of workerd and of the server while mail goes through a Worker and a queue drains, ${KILLS} times, loses nothing`, {
  skip: existsSync('/proc/self/cwd') ? false : 'it looks for processes in /proc',
  timeout: 20 * 60_000,
}, async (t) => {
  const destination = await startDestination(t, WAIT_MS)
  await using instance = await startInstance({
    POSTHORN_DEV_SINK: `127.0.0.1:${destination.port}`,
    POSTHORN_RETRY_MS: '100,200',
    POSTHORN_EXPIRE_MS: '120000',
    POSTHORN_FORWARD_WAIT_MS: String(WAIT_MS),
  })
  await deploy(instance)
  const recipients = KINDS.map((kind) => `${kind}@yourdomain.com`)
  const ledger = openLedger()
  let workerdKills = 0
  for (let kill = 0; kill < KILLS; kill++) {
    const stop = new AbortController()
    const load = Array.from({ length: SENDERS }, () =>
      keepSending(instance, { ledger, recipients, signal: stop.signal }),
    )
    // The third time both at once; a Worker that crashes again and again would rest.
    await sleep(randomInt(300, 1500))
    if (kill % 3 !== 1) workerdKills += killAll(instance)
    if (kill % 3 === 0) await sleep(randomInt(300, 1500))
    const before = processesBelow(instance)
    await instance.kill()
    stop.abort()
    await Promise.all(load)
    await instance.restart()
    const left = processesBelow(instance).filter((pid) => before.includes(pid))
    assert.deepEqual(left, [], 'processes of the one that was killed')
  }
  const { directory } = instance
  const waiting = () => countIn(directory, 'select count(*) as n from queue_message')
  const missing = () => [...ledger.acknowledged].filter((name) => !destination.copies.has(name))
  const isOver = () => missing().length === 0 && unsettled(directory) === 0 && waiting() === 0
  for (const end = Date.now() + 90_000; Date.now() < end && !isOver(); ) await sleep(200)
  assert.deepEqual(missing(), [], 'answered 250, and not at the destination')
  assert.deepEqual([unsettled(directory), waiting()], [0, 0], 'every delivery and every batch settled')

  const { sent, taken } = keptIn(instance)
  const lost = [...sent, ...ledger.acknowledged].filter((name) => !taken.has(name))
  assert.deepEqual(lost, [], 'sent to the queue, and never taken from it')
  const redelivered = [...taken.values()].reduce((sum, times) => sum + times - 1, 0)
  const duplicated = copiesBeyondTheFirst(destination)
  const { acknowledged, refused, ambiguous } = ledger
  t.diagnostic(
    `${ledger.sent} sent, ${acknowledged.size} acknowledged, ${refused} put off, ${ambiguous} ambiguous, ${duplicated} duplicated; ` +
      `${taken.size} in the queue, ${redelivered} redelivered; ${workerdKills} workerd killed`,
  )
  assert.ok(acknowledged.size > KILLS && taken.size >= acknowledged.size && workerdKills > 0)
  // What was in flight may come again, and no more than that: in each of the two kills of a round, and once each that is
  // slower than its sender waits.
  assert.ok(duplicated <= KILLS * SENDERS * 3, `${duplicated} duplicates`)
  assert.ok(redelivered <= 2 * KILLS * BATCH * BATCHES, `${redelivered} redeliveries`)
  await instance.stop()
  assert.deepEqual(processesBelow(instance), [])
})

async function deploy(instance: Instance) {
  const { account_id: id } = instance.dev
  const account = `/accounts/${id}`
  const namespace = await api<{ id: string }>(instance, 'POST', `${account}/storage/kv/namespaces`, {
    title: 'kept',
  })
  const queue = await api<{ queue_id: string }>(instance, 'POST', `${account}/queues`, { queue_name: 'jobs' })
  const keeps = { type: 'kv_namespace', name: 'KEPT', namespace_id: namespace.id }
  const sends = { type: 'queue', name: 'QUEUE', queue_name: 'jobs' }
  await deployWorker(instance, 'takes-in', {
    metadata: { bindings: [keeps, sends] },
    modules: { 'index.js': TAKES_IN },
  })
  await deployWorker(instance, 'drains', { metadata: { bindings: [keeps] }, modules: { 'index.js': DRAINS } })
  await api(instance, 'POST', `${account}/queues/${queue.queue_id}/consumers`, {
    ...{ type: 'worker', script_name: 'drains' },
    settings: { batch_size: BATCH, max_wait_time_ms: 0, max_retries: 100, max_concurrency: BATCHES },
  })
  for (const kind of KINDS) {
    await verifiedAddress(instance, `${kind}@${kind}.example`)
    await rule(instance, `${kind}@yourdomain.com`, { type: 'worker', value: ['takes-in'] })
  }
}

/** What the Workers noted: what is in the queue for sure, and how often each was taken from it. */
function keptIn({ directory }: Instance) {
  const sent = new Set<string>()
  const taken = new Map<string, number>()
  using db = new DatabaseSync(join(directory, 'posthorn.sqlite'), { readOnly: true, timeout: 5000 })
  for (const { key } of db.prepare('select cast(key as text) as key from kv_entry').all()) {
    const [what, name = ''] = String(key).split(' ')
    if (what === 'sent') sent.add(name)
    else taken.set(name, (taken.get(name) ?? 0) + 1)
  }
  return { sent, taken }
}

/** Processes of workerd that work in the instance's folder, whoever started them. */
function processesBelow({ directory }: Pick<Instance, 'directory'>): readonly number[] {
  const folder = join(directory, 'workers', '/')
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => cwdOf(pid)?.startsWith(folder))
    .map(Number)
}

function cwdOf(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`)
  } catch {
    return undefined
  }
}

function killAll(instance: Instance): number {
  const pids = processesBelow(instance)
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It went by itself.
    }
  }
  return pids.length
}
