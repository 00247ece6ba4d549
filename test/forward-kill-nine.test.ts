import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { dotStuff } from '#protocol/dot-stuffing.ts'
import { connectSmtp } from '#smtp/client.ts'
import { type Instance, startInstance } from '#test/instance.ts'
import { forwardRule, SENDER } from '#test/routing-instance.ts'
import { startSmtpServer } from '#test/smtp-server.ts'

/** More with `KILLS=50 npm test`. */
const KILLS = Number(process.env['KILLS'] ?? 8)
const WORKERS = 12
/** How each recipient's server receives: at once, after putting it off once, or after longer than its sender waits. */
const KINDS = ['prompt', 'busy', 'slow'] as const
const WAIT_MS = 150

/** Larger than what a content may have in memory. */
const LARGE = 'A line of a large message, which goes through a file of the spool.\r\n'.repeat(6000)

interface Ledger {
  readonly acknowledged: Set<string>
  sent: number
  /** The connection ended before the answer: forwarded, or not. */
  ambiguous: number
}

/** Where forwards go: a server that stays while the instance is killed. Copies by what the message is called. */
interface Destination {
  readonly port: number
  readonly copies: ReadonlyMap<string, number>
}

test(`promise 1: kill -9 at random moments while forwarding, ${KILLS} times, loses nothing that got 250`, {
  timeout: 20 * 60_000,
}, async (t) => {
  const destination = await startDestination(t)
  await using instance = await startInstance({
    POSTHORN_DEV_SINK: `127.0.0.1:${destination.port}`,
    POSTHORN_RETRY_MS: '100,200',
    POSTHORN_EXPIRE_MS: '120000',
    POSTHORN_FORWARD_WAIT_MS: String(WAIT_MS),
  })
  for (const kind of KINDS) await forwardRule(instance, `${kind}@yourdomain.com`, `${kind}@${kind}.example`)
  const ledger: Ledger = { acknowledged: new Set(), sent: 0, ambiguous: 0 }
  for (let kill = 0; kill < KILLS; kill++) {
    const stop = new AbortController()
    const load = Array.from({ length: WORKERS }, () => keepSending(instance, ledger, stop.signal))
    // Every other one when what the last one left in flight is out again.
    await sleep(kill % 2 === 0 ? randomInt(50, 1500) : randomInt(500, 1500))
    await instance.kill()
    stop.abort()
    await Promise.all(load)
    await instance.restart()
  }
  const { acknowledged, sent, ambiguous } = ledger
  const missing = () => [...acknowledged].filter((name) => !destination.copies.has(name))
  const end = Date.now() + 60_000
  while (Date.now() < end && (missing().length > 0 || unsettled(instance.directory) > 0)) await sleep(100)
  assert.deepEqual(missing(), [], 'answered 250, and not at the destination')
  assert.equal(unsettled(instance.directory), 0, 'every delivery settled')
  const copies = [...destination.copies.values()]
  const extra = copies.reduce((sum, count) => sum + count - 1, 0)
  t.diagnostic(`${sent} sent, ${acknowledged.size} acknowledged, ${ambiguous} ambiguous, ${extra} duplicated`)
  assert.ok(acknowledged.size > KILLS)
  // A kill may repeat what was in flight; and once each that is slower than its sender waits is still on its way then.
  assert.ok(extra <= KILLS * WORKERS * 3, `${extra} duplicates`)
  await instance.stop()
})

/** One session for as long as it lives. */
async function keepSending(instance: Instance, ledger: Ledger, signal: AbortSignal): Promise<void> {
  const { host, port } = instance.dev.mx
  const connection = await connectSmtp({
    ...{ host, address: host, port, ehloName: 'mail.pass.posthorn.test', tls: 'none' },
  })
  if (!connection.ok) return
  while (!signal.aborted) {
    const serial = ledger.sent++
    const name = `n${serial}`
    const head = `From: ${SENDER}\r\nSubject: kill\r\nX-Name: ${name}\r\n\r\n`
    const content = Buffer.from(head + (serial % 20 === 0 ? LARGE : 'Hello\r\n'))
    const result = await connection.transact({
      mailFrom: SENDER,
      rcptTo: `${KINDS[serial % KINDS.length]}@yourdomain.com`,
      content: { dotStuffed: dotStuff(content), size: content.length, eightBit: false, smtpUtf8: false },
    })
    if (result.kind === 'accepted') ledger.acknowledged.add(name)
    else if (result.kind === 'lost') {
      ledger.ambiguous++
      return
    }
  }
  await connection.quit()
}

async function startDestination(t: TestContext): Promise<Destination> {
  const copies = new Map<string, number>()
  const putOff = new Set<string>()
  const { port } = await startSmtpServer(t, {
    limits: { errors: Number.POSITIVE_INFINITY },
    handler: {
      data({ envelope }) {
        const [to = ''] = envelope.to
        const chunks: Buffer[] = []
        return {
          write: (chunk) => void chunks.push(Buffer.from(chunk)),
          async end() {
            const [, name = ''] = /^X-Name: (\S+)/m.exec(Buffer.concat(chunks).toString('latin1')) ?? []
            if (to.startsWith('slow@')) await sleep(2 * WAIT_MS)
            if (to.startsWith('busy@') && !putOff.has(name)) {
              putOff.add(name)
              return { code: 451, enhanced: '4.7.1', text: 'Come again' }
            }
            copies.set(name, (copies.get(name) ?? 0) + 1)
            return { code: 250, enhanced: '2.0.0', text: 'Kept' }
          },
          abort: () => {},
        }
      },
    },
  })
  return { port, copies }
}

function unsettled(directory: string): number {
  using db = new DatabaseSync(join(directory, 'posthorn.sqlite'), { readOnly: true, timeout: 5000 })
  const open = db.prepare(`select count(*) as n from delivery where state in ('waiting', 'claimed')`).get()
  return Number(open?.['n'])
}
