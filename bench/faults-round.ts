import { join } from 'node:path'
import { openSqliteStore } from '#store/open-sqlite.ts'
import { type DeliveryWorld, LIMITS, openDeliveryWorld } from '#test/delivery-world.ts'
import { orderOf } from '#test/outbound.ts'
import { type Child, startChild } from './child.ts'
import { monotonicMs } from './clock.ts'
import { FAULTS, FaultyPorts } from './faulty-hosts.ts'
import { benchId } from './message.ts'
import { othersSeconds } from './process-tree.ts'
import { SinkPort, SinkProgress } from './sink.ts'
import { temporaryFolder } from './stage.ts'
import { until } from './until.ts'

/** What one destination loses to others that are in trouble: queue, outcome room and delivery engine in this process,
 *  over a fresh SQLite store for each of the four runs, with the time-outs of production and a development instance's
 *  retries, so that the faulty ones are tried again and again meanwhile. */
export interface FaultsRound {
  /** Messages a second at the live destination, of the four runs, A B B A. */
  readonly alone: readonly [number, number]
  readonly beside: readonly [number, number]
  /** Throughput beside the faulty ones to throughput alone. */
  readonly ratio: number
  readonly lost: number
  readonly duplicated: number
  readonly othersCores: number
}

export interface FaultsOptions {
  readonly dir: string
  readonly messages: number
  readonly warmup: number
  /** Promises in flight. */
  readonly connections: number
  /** For each of the faulty destinations. */
  readonly waiting: number
  readonly stalledMs: number
  readonly signal: AbortSignal
}

const RETRY_MS = [1000, 3000, 10_000]
const CONTENT_BYTES = 5 * 1024
const PROMISED_AT_ONCE = 100

export async function measureFaults(options: FaultsOptions, round: number): Promise<FaultsRound> {
  await using sink = startChild('./sink.ts', options.signal)
  await using faulty = startChild('./faulty-hosts.ts', options.signal)
  const ports = {
    live: await sink.ask({ ask: 'port' }, SinkPort),
    ...(await faulty.ask({ ask: 'ports' }, FaultyPorts)),
  }
  const startedAt = monotonicMs()
  const othersBefore = othersSeconds()
  const run = (name: string, waiting: number) => runOnce({ ...options, waiting, name, ports, sink })
  const a1 = await run(`a1r${round}`, 0)
  const b1 = await run(`b1r${round}`, options.waiting)
  const b2 = await run(`b2r${round}`, options.waiting)
  const a2 = await run(`a2r${round}`, 0)
  const othersCores = (othersSeconds() - othersBefore) / ((monotonicMs() - startedAt) / 1_000)
  const runs = [a1, b1, b2, a2]
  return {
    alone: [a1.perSecond, a2.perSecond],
    beside: [b1.perSecond, b2.perSecond],
    ratio: (b1.perSecond + b2.perSecond) / (a1.perSecond + a2.perSecond),
    lost: runs.reduce((sum, { lost }) => sum + lost, 0),
    duplicated: runs.reduce((sum, { duplicated }) => sum + duplicated, 0),
    othersCores: Math.max(0, othersCores),
  }
}

interface Run extends FaultsOptions {
  readonly name: string
  readonly ports: Readonly<Record<string, number>>
  readonly sink: Child
}

async function runOnce(run: Run): Promise<{ perSecond: number; lost: number; duplicated: number }> {
  using folder = temporaryFolder(run.dir)
  const directory = join(folder.path, 'data')
  const store = await openSqliteStore({ directory })
  try {
    const peers = Object.fromEntries(
      Object.entries(run.ports).map(([name, port]) => [`${name}.example`, port]),
    )
    const settings = {
      peers,
      retryMs: RETRY_MS,
      limits: LIMITS,
      timeouts: {},
      idleMs: 5000,
      random: Math.random,
    }
    const world = await openDeliveryWorld({ store, directory }, settings)
    try {
      await sendAll(world, run, `${run.name}warm`, run.warmup)
      for (const fault of FAULTS) await leaveWaiting(world, fault, run.waiting)
      return await sendAll(world, run, run.name, run.messages)
    } finally {
      await world.stop(0)
      await world[Symbol.asyncDispose]()
    }
  } finally {
    await store.close()
  }
}

async function leaveWaiting(world: DeliveryWorld, fault: string, count: number): Promise<void> {
  for (let from = 0; from < count; from += PROMISED_AT_ONCE) {
    const some = Array.from({ length: Math.min(PROMISED_AT_ONCE, count - from) }, (_, i) => from + i)
    await Promise.all(some.map((n) => promise(world, `u${n}@${fault}.example`, `${fault}-${n}`)))
  }
}

/** A closed loop of promises, as the doors make them, until all is at the sink. */
async function sendAll(world: DeliveryWorld, run: Run, name: string, messages: number) {
  const { connections, stalledMs, signal, sink } = run
  let next = 1
  const firstAt = monotonicMs()
  const loop = async (): Promise<void> => {
    for (let n = next++; n <= messages; n = next++) {
      signal.throwIfAborted()
      await promise(world, `u${n}@live.example`, benchId(name, n))
    }
  }
  await Promise.all(Array.from({ length: connections }, loop))
  const progress = () => sink.ask({ ask: 'progress', phase: name }, SinkProgress)
  let seen = await progress()
  const arrived = async () => {
    seen = await progress()
    return seen.distinct >= messages
  }
  for (let before = -1; seen.distinct < messages && seen.distinct > before; ) {
    before = seen.distinct
    await until(arrived, { every: 20, within: stalledMs, signal })
  }
  const perSecond = (seen.distinct / (seen.lastNewAt - firstAt)) * 1_000
  return { perSecond, lost: messages - seen.distinct, duplicated: seen.copies - seen.distinct }
}

async function promise(world: DeliveryWorld, recipient: string, id: string): Promise<void> {
  const header = `X-Bench-Id: ${id}\r\nSubject: ${id}\r\n\r\n`
  const content = Buffer.from(`${header}${'0123456789abcdef\r\n'.repeat(CONTENT_BYTES / 18)}`)
  const promised = await world.queue.promise(orderOf([recipient], { content }))
  if (!promised.ok) throw new Error(`A promise conflicted in ${promised.conflict}`)
}
