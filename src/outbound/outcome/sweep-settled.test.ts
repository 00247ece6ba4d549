import assert from 'node:assert/strict'
import { countRows, HandEngine, openOutbound } from '#test/outbound.ts'
import { onBothEngines } from '#test/stores.ts'
import { sweepSettled } from './sweep-settled.ts'

const DAY_MS = 86_400_000
const HISTORY_DAYS = 31

onBothEngines('what is settled is forgotten a month after history has forgotten it', async (_t, world) => {
  const { store, directory } = world
  const engine = new HandEngine()
  await using outbound = await openOutbound(store, directory, { engine })
  const { send, outcome, bodies, queue } = outbound
  await send(['a@one.example', 'b@one.example'])
  await send('open@one.example')
  const [open, ...settled] = engine.taken
    .splice(0)
    .toSorted((one) => (one.recipient.startsWith('open') ? -1 : 1))
  assert.ok(open && settled.length === 2)
  for (const each of settled) await outcome.delivered(each, {})
  await queue.stop()
  const left = () => Promise.all(['message', 'delivery'].map((table) => countRows(store, table)))
  const after = (days: number) => Date.now() + days * DAY_MS

  assert.equal(await sweepSettled(store, HISTORY_DAYS, after(62)), 0, 'its body is there')
  await bodies.sweep(after(10))
  assert.equal(await sweepSettled(store, HISTORY_DAYS, after(60)), 0)
  assert.deepEqual(await left(), [2, 3])
  assert.equal(await sweepSettled(store, HISTORY_DAYS, after(62)), 1)
  assert.deepEqual(await left(), [1, 1], 'what is open stays, however old')
})
