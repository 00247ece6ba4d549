import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Instance, startInstance } from '#test/instance.ts'
import { askAccount } from '#test/operator.ts'
import { newDatabase } from '#test/stores.ts'

/** The daily quota holds exactly: 50 senders at once, several kills, both engines. */
const LIMIT = 400
const SENDERS = 50
const KILLS = 3

interface Ledger {
  /** Recipients that were promised, and those whose answer never came. */
  accepted: number
  unknown: number
  refused: number
}

/** Two recipients each, until there is no room or the instance is gone. */
async function keepSending(instance: Instance, ledger: Ledger, signal: AbortSignal): Promise<void> {
  for (let serial = 0; !signal.aborted && ledger.refused < SENDERS; serial++) {
    const to = [`a${serial}@example.com`, `b${serial}@example.com`]
    try {
      const { status } = await instance.send({ to, from: 'app@yourdomain.com', subject: 'quota', text: 'x' })
      if (status === 200) ledger.accepted += 2
      else if (status === 429) ledger.refused++
      else assert.fail(`answered ${status}`)
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error
      ledger.unknown += 2
      return
    }
  }
}

async function used(instance: Instance): Promise<number> {
  const { result } = await askAccount<{ usage: { sent: number } }>(instance, 'GET', '/limits')
  return result.usage.sent
}

for (const engine of ['sqlite', 'postgres'] as const) {
  test(`${SENDERS} senders and ${KILLS} kills: what was promised is what was counted, and never past the limit (${engine})`, {
    timeout: 180_000,
  }, async (t) => {
    await using instance = await startInstance({
      POSTHORN_DAILY_QUOTA_START: String(LIMIT),
      POSTHORN_SEND_WAIT_MS: '0',
      ...(engine === 'postgres' && { POSTHORN_DATABASE_URL: await newDatabase() }),
    })
    const ledger: Ledger = { accepted: 0, unknown: 0, refused: 0 }
    for (let kill = 0; kill <= KILLS; kill++) {
      const stop = new AbortController()
      const senders = Array.from({ length: SENDERS }, () => keepSending(instance, ledger, stop.signal))
      if (kill < KILLS) {
        await sleep(randomInt(20, 150))
        await instance.kill()
        stop.abort()
      }
      await Promise.all(senders)
      if (kill < KILLS) await instance.restart()
      const count = await used(instance)
      assert.ok(count <= LIMIT, `${count} of ${LIMIT}`)
      assert.ok(count >= ledger.accepted, `${count} were counted of ${ledger.accepted} promised`)
      assert.ok(
        count <= ledger.accepted + ledger.unknown,
        `${count} of ${ledger.accepted} + ${ledger.unknown}`,
      )
    }
    const { accepted, unknown, refused } = ledger
    t.diagnostic(`${accepted} promised, ${unknown} without an answer, ${refused} refused`)
    assert.ok(refused > 0)
    assert.equal(await used(instance), LIMIT, 'all of it can be used')
  })
}
