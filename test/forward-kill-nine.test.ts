import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startInstance } from '#test/instance.ts'
import {
  copiesBeyondTheFirst,
  KINDS,
  keepSending,
  openLedger,
  startDestination,
  unsettled,
} from '#test/kill-load.ts'
import { forwardRule } from '#test/routing-instance.ts'

/** More with `KILLS=50 npm test`. */
const KILLS = Number(process.env['KILLS'] ?? 8)
const WORKERS = 12
const WAIT_MS = 150

test(`promise 1: kill -9 at random moments while forwarding, ${KILLS} times, loses nothing that got 250`, {
  timeout: 20 * 60_000,
}, async (t) => {
  const destination = await startDestination(t, WAIT_MS)
  await using instance = await startInstance({
    POSTHORN_DEV_SINK: `127.0.0.1:${destination.port}`,
    POSTHORN_RETRY_MS: '100,200',
    POSTHORN_EXPIRE_MS: '120000',
    POSTHORN_FORWARD_WAIT_MS: String(WAIT_MS),
  })
  for (const kind of KINDS) await forwardRule(instance, `${kind}@yourdomain.com`, `${kind}@${kind}.example`)
  const recipients = KINDS.map((kind) => `${kind}@yourdomain.com`)
  const ledger = openLedger()
  for (let kill = 0; kill < KILLS; kill++) {
    const stop = new AbortController()
    const load = Array.from({ length: WORKERS }, () =>
      keepSending(instance, { ledger, recipients, signal: stop.signal }),
    )
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
  const extra = copiesBeyondTheFirst(destination)
  t.diagnostic(`${sent} sent, ${acknowledged.size} acknowledged, ${ambiguous} ambiguous, ${extra} duplicated`)
  assert.ok(acknowledged.size > KILLS)
  // A kill may repeat what was in flight; and once each that is slower than its sender waits is still on its way then.
  assert.ok(extra <= KILLS * WORKERS * 3, `${extra} duplicates`)
  await instance.stop()
})
