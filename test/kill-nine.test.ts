import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Instance, startInstance } from '#test/instance.ts'

/** DURABILITY: 20 kills in CI, more with `KILLS=50 npm test`. */
const KILLS = Number(process.env['KILLS'] ?? 20)
const WORKERS = 8

test(`promise 1: kill -9 at random moments under load, ${KILLS} times, loses nothing that got HTTP 200`, {
  timeout: 20 * 60_000,
}, async (t) => {
  await using instance = await startInstance({
    POSTHORN_RETRY_MS: '100,200',
    POSTHORN_EXPIRE_MS: '120000',
    POSTHORN_INBOX_LIMIT: '1000000',
  })
  const ledger = { acknowledged: new Map<string, string>(), sent: 0, ambiguous: 0 }
  for (let kill = 0; kill < KILLS; kill++) {
    const stop = new AbortController()
    const load = Array.from({ length: WORKERS }, () => keepSending(instance, ledger, stop.signal))
    await sleep(randomInt(50, 900))
    await instance.kill()
    stop.abort()
    await Promise.all(load)
    await instance.restart()
  }
  await drained(instance)
  await instance.stop()

  const { copies, terminal, unsettled } = readAccounts(instance.directory)
  assert.equal(unsettled, 0, 'every delivery settled')
  const lost = [...ledger.acknowledged.keys()].filter((id) => !copies.has(id) && !terminal.has(id))
  assert.deepEqual(lost, [], 'acknowledged, but neither in the inbox nor settled by an event')
  const missing = [...ledger.acknowledged].filter(([id, to]) => !to.startsWith('bounce') && !copies.has(id))
  assert.deepEqual(missing, [], 'deliverable, but not in the inbox')
  const extra = [...copies.values()].reduce((sum, count) => sum + count - 1, 0)
  t.diagnostic(
    `${ledger.sent} sent, ${ledger.acknowledged.size} acknowledged, ${ledger.ambiguous} ambiguous, ${extra} duplicated`,
  )
  // A kill may repeat what was in flight: at most each worker's one message.
  assert.ok(extra <= KILLS * WORKERS, `${extra} duplicates`)
  assert.ok(Math.max(...copies.values()) <= 3, 'no message more than three times')
})

async function keepSending(
  instance: Instance,
  ledger: { acknowledged: Map<string, string>; sent: number; ambiguous: number },
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const serial = ledger.sent++
    const kind = serial % 10 === 0 ? 'bounce' : serial % 10 === 1 ? 'softbounce' : 'delivered'
    const to = serial % 2 === 0 ? `${kind}+k${serial}@simulator.posthorn.test` : `user${serial}@kill.example`
    try {
      const { status, body } = await instance.send({
        to,
        from: 'app@yourdomain.com',
        subject: 'kill',
        text: 'x'.repeat(500),
      })
      if (status === 200 && body.result) ledger.acknowledged.set(body.result.message_id, to)
    } catch {
      ledger.ambiguous++
      return
    }
  }
}

async function drained(instance: Instance): Promise<void> {
  const end = Date.now() + 60_000
  while (Date.now() < end) {
    if (readAccounts(instance.directory).unsettled === 0) return
    await sleep(200)
  }
}

/** What is on disk: copies in the inbox and terminal events by Message-ID, deliveries without an end. */
function readAccounts(directory: string) {
  const db = new DatabaseSync(join(directory, 'posthorn.sqlite'), { readOnly: true })
  try {
    const copies = new Map<string, number>()
    for (const row of db
      .prepare('select message_id as id, count(*) as n from inbox_message group by message_id')
      .all()) {
      const id = String(row['id'])
      copies.set(id.startsWith('<') ? id : `<${id}>`, Number(row['n']))
    }
    const events = db.prepare(
      'select distinct m.header_message_id as id from event e join message m on m.id = e.message_id where e.terminal = 1',
    )
    const terminal = new Set(events.all().map((row) => String(row['id'])))
    const open = db.prepare(`select count(*) as n from delivery where state in ('waiting', 'claimed')`).get()
    return { copies, terminal, unsettled: Number(open?.['n']) }
  } finally {
    db.close()
  }
}
