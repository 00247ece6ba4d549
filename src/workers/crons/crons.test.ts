import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openLog } from '#observe/log.ts'
import { onBothEngines, openTestStore } from '#test/stores.ts'
import type { CronKey } from './cron-run.ts'
import { type Crons, type CronsWorld, openCrons } from './crons.ts'

const NOON = Date.parse('2026-11-21T12:00:00Z')

/** What is scheduled, what time it is, and what ran when, by `HH:MM`. */
function scheduled(...crons: string[]) {
  const world = {
    at: NOON,
    crons,
    ran: [] as string[],
    async run({ cron }: CronKey, at: number): Promise<'over' | 'unavailable'> {
      world.ran.push(`${cron} ${new Date(at).toISOString().slice(11, 16)}`)
      return 'over'
    },
    open(store: CronsWorld['store'], given: Partial<CronsWorld> = {}): Crons {
      return openCrons({
        store,
        workers: {
          scheduled: async () => [{ accountId: 'a', scriptName: 'w', crons: world.crons }],
        },
        run: (key, at) => world.run(key, at),
        log: openLog('silent'),
        now: () => world.at,
        ...given,
      })
    },
  }
  return world
}

onBothEngines('a cron runs once for a minute, whoever looks, and after a restart too', async (_t, open) => {
  const world = scheduled('* * * * *', '0 12 * * SAT', '1 12 * * *')
  const nodes = [world.open(open.store), world.open(open.store)]
  await Promise.all(nodes.map((node) => node.look()))
  await Promise.all(nodes.map((node) => node.look()))
  assert.deepEqual(world.ran.toSorted(), ['* * * * * 12:00', '0 12 * * SAT 12:00'])
  for (const node of nodes) await node.close()
  const again = world.open(open.store)
  await again.look()
  world.at += 60_000
  await again.look()
  await again.close()
  assert.deepEqual(world.ran.slice(2).toSorted(), ['* * * * * 12:01', '1 12 * * * 12:01'])
})

test('what was due while nobody looked is made up for, a few minutes of it', async () => {
  await using open = await openTestStore('sqlite')
  const world = scheduled('*/5 * * * *', '* * * * *')
  const crons = world.open(open.store)
  await crons.look()
  world.ran.length = 0
  world.at += 7 * 60_000
  await crons.look()
  await crons.close()
  assert.deepEqual(world.ran, [
    '*/5 * * * * 12:05',
    ...['12:04', '12:05', '12:06', '12:07'].map((at) => `* * * * * ${at}`),
  ])
})

test('a cron that is new begins when it is seen, and one that was taken away is forgotten', async () => {
  await using open = await openTestStore('sqlite')
  const world = scheduled('30 11 * * *')
  const crons = world.open(open.store)
  await crons.look()
  world.at += 60_000
  world.crons = ['0 12 * * *']
  await crons.look()
  assert.deepEqual(world.ran, [])
  world.crons = []
  world.at = NOON + 86_400_000 - 60_000
  await crons.look()
  world.crons = ['0 12 * * *']
  world.at += 2 * 60_000
  await crons.look()
  assert.deepEqual(world.ran, [])
  world.at += 86_400_000 - 60_000
  await crons.look()
  await crons.close()
  assert.deepEqual(world.ran, ['0 12 * * * 12:00'])
})

test('a Worker without a place is asked again, and a fault of one harms no other', async () => {
  await using open = await openTestStore('sqlite')
  const world = scheduled('* * * * *', '*/2 * * * *')
  const tries: string[] = []
  world.run = async (key, at) => {
    tries.push(key.cron)
    if (key.cron === '* * * * *') throw new Error('broken')
    if (tries.length < 4) return 'unavailable'
    world.ran.push(`${key.cron} at ${at - NOON}`)
    return 'over'
  }
  const crons = world.open(open.store, { again: { times: 5, pauseMs: 1 } })
  await crons.look()
  while (world.ran.length === 0) await new Promise((resolve) => setTimeout(resolve, 1))
  await crons.close()
  assert.deepEqual(world.ran, ['*/2 * * * * at 0'])
})

test('so many crons that nothing is due hold up nothing else', async () => {
  await using open = await openTestStore('sqlite')
  const world = scheduled(
    ...Array.from({ length: 400 }, (_, at) => `${at % 60} ${1 + Math.floor(at / 60)} 1 1 *`),
  )
  const crons = world.open(open.store)
  await crons.look()
  world.at += 60_000
  let turns = 0
  let isOver = false
  const turn = () => {
    turns++
    if (!isOver) setImmediate(turn)
  }
  setImmediate(turn)
  await crons.look()
  isOver = true
  await crons.close()
  assert.ok(turns >= 8, String(turns))
})
