import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Instance, startInstance } from '#test/instance.ts'
import { storedEvents } from '#test/stored-events.ts'
import { openSubmission } from '#test/submit-raw.ts'

/** DURABILITY: 20 kills in CI, more with `KILLS=50 npm test`. */
const KILLS = Number(process.env['KILLS'] ?? 20)
/** As many over REST as over SMTP. */
const WORKERS = 8

interface Ledger {
  readonly door: 'rest' | 'smtp'
  /** What was promised: by HTTP 200, or by an SMTP 250 that was read in full. The recipient by Message-ID. */
  readonly acknowledged: Map<string, string>
  sent: number
  /** The connection ended before the answer: delivered, or not. */
  ambiguous: number
}

test(`promise 1: kill -9 at random moments under load, ${KILLS} times, loses nothing that got HTTP 200 or SMTP 250`, {
  timeout: 20 * 60_000,
}, async (t) => {
  await using instance = await startInstance({
    POSTHORN_RETRY_MS: '100,200',
    POSTHORN_EXPIRE_MS: '120000',
    POSTHORN_INBOX_LIMIT: '1000000',
  })
  const rest: Ledger = { door: 'rest', acknowledged: new Map(), sent: 0, ambiguous: 0 }
  const smtp: Ledger = { door: 'smtp', acknowledged: new Map(), sent: 0, ambiguous: 0 }
  for (let kill = 0; kill < KILLS; kill++) {
    const stop = new AbortController()
    const load = Array.from({ length: WORKERS }, () => [
      keepSending(instance, rest, stop.signal),
      keepSubmitting(instance, smtp, stop.signal),
    ])
    // What was in flight goes out again right after the start. Two kills at that moment, one behind the other, would hit
    // the same messages, and their number of copies would say nothing: so every other one comes later.
    await sleep(kill % 2 === 0 ? randomInt(50, 900) : randomInt(300, 900))
    await instance.kill()
    stop.abort()
    await Promise.all(load.flat())
    await instance.restart()
  }
  await drained(instance)
  await instance.stop()

  const { copies, extra, terminal, unsettled } = readAccounts(instance.directory)
  assert.equal(unsettled, 0, 'every delivery settled')
  const acknowledged = new Map([...rest.acknowledged, ...smtp.acknowledged])
  const lost = [...acknowledged.keys()].filter((id) => !copies.has(id) && !terminal.has(id))
  assert.deepEqual(lost, [], 'acknowledged, but neither in the inbox nor settled by an event')
  const missing = [...acknowledged].filter(([id, to]) => !to.startsWith('bounce') && !copies.has(id))
  assert.deepEqual(missing, [], 'deliverable, but not in the inbox')
  for (const { door, sent, acknowledged, ambiguous } of [rest, smtp]) {
    t.diagnostic(
      `${door}: ${sent} sent, ${acknowledged.size} acknowledged, ${ambiguous} ambiguous, ${extra[door]} duplicated`,
    )
    assert.ok(acknowledged.size > 0, `${door} sent something`)
    // A kill may repeat what was in flight: at most each worker's one message.
    assert.ok(extra[door] <= KILLS * WORKERS, `${extra[door]} duplicates of ${door}`)
  }
  assert.ok(Math.max(...copies.values()) <= 3, 'no message more than three times')
})

async function keepSending(instance: Instance, ledger: Ledger, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const to = recipient(ledger)
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

/** One session for as long as it lives. */
async function keepSubmitting(instance: Instance, ledger: Ledger, signal: AbortSignal): Promise<void> {
  try {
    using session = await openSubmission(instance.dev)
    while (!signal.aborted) {
      const to = recipient(ledger)
      const content = `From: app@yourdomain.com\r\nTo: ${to}\r\nSubject: kill\r\n\r\n${'x'.repeat(500)}\r\n`
      const reply = await session.submit({ from: 'app@yourdomain.com', to, content })
      const [, messageId] = /^250 2\.0\.0 Ok (<.*>)$/.exec(reply) ?? []
      if (messageId !== undefined) ledger.acknowledged.set(messageId, to)
    }
  } catch {
    ledger.ambiguous++
  }
}

/** Of the ledger's next message. Every tenth bounces, which suppresses it, and every tenth is put off twice. */
function recipient(ledger: Ledger): string {
  const serial = ledger.sent++
  const name = `${ledger.door}${serial}`
  const kind = serial % 10 === 0 ? 'bounce' : serial % 10 === 1 ? 'softbounce' : 'delivered'
  return serial % 2 === 0 ? `${kind}+${name}@simulator.posthorn.test` : `${name}@kill.example`
}

async function drained(instance: Instance): Promise<void> {
  const end = Date.now() + 60_000
  while (Date.now() < end) {
    if (readAccounts(instance.directory).unsettled === 0) return
    await sleep(200)
  }
}

/** What is on disk: copies in the inbox and terminal events by Message-ID, copies beyond the first by door, deliveries
 *  without an end. */
function readAccounts(directory: string) {
  const db = new DatabaseSync(join(directory, 'posthorn.sqlite'), { readOnly: true })
  try {
    const copies = new Map<string, number>()
    const extra = { rest: 0, smtp: 0 }
    const kept = db.prepare(
      'select message_id as id, min(rcpt_to) as recipient, count(*) as n from inbox_message group by message_id',
    )
    for (const row of kept.all()) {
      const id = String(row['id'])
      const count = Number(row['n'])
      copies.set(id.startsWith('<') ? id : `<${id}>`, count)
      extra[String(row['recipient']).includes('smtp') ? 'smtp' : 'rest'] += count - 1
    }
    const messages = db.prepare('select id, header_message_id from message').all()
    const headers = new Map(messages.map((row) => [String(row['id']), String(row['header_message_id'])]))
    const ended = storedEvents(directory).filter(({ terminal }) => terminal === 1)
    const terminal = new Set(ended.map(({ message_id: id }) => headers.get(id ?? '')))
    const open = db.prepare(`select count(*) as n from delivery where state in ('waiting', 'claimed')`).get()
    return { copies, extra, terminal, unsettled: Number(open?.['n']) }
  } finally {
    db.close()
  }
}
