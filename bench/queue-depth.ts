import { existsSync, readFileSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { type DevJson, devJson } from '#contract/dev-json.ts'
import { sendResult } from '#contract/sending.ts'
import { monotonicMs } from './clock.ts'
import { type Memory, watchMemory } from './memory-watch.ts'
import { type ServerProcess, startServer } from './server-process.ts'
import { temporaryFolder } from './stage.ts'
import { until } from './until.ts'

/** What a deep queue costs. A development instance on SQLite, by REST, 50 recipients a request, all of one
 *  recipient domain whose one MX is a port that nothing listens on; it goes on probing it, every 10 s at the most, while
 *  it is measured. The live destination is the instance's own MX door, over SMTP and the same engine.
 *  Then kill -9, and the same again after the restart. */
export interface QueueDepth {
  readonly queued: number
  readonly fillSeconds: number
  /** Of the service's processes, launcher included. */
  readonly memory: Memory
  readonly memoryAfterRestart: Memory
  /** From the launch to `dev.json`, which says that every door is open. */
  readonly restartMs: number
  /** From the request to its answer, which says delivered. The first is asked at once, the others each
   *  `FRESH_EVERY_MS`. */
  readonly fresh: readonly number[]
  readonly freshAfterRestart: readonly number[]
  /** Deliveries that wait in the store at the end. */
  readonly waiting: number
}

export interface QueueDepthOptions {
  readonly dir: string
  readonly queued: number
  readonly fresh: number
  readonly signal: AbortSignal
}

export const QUEUE_BARS = { memoryMb: 400, restartMs: 10_000, freshMs: 1_000 } as const

const RECIPIENTS_A_REQUEST = 50
const CONNECTIONS = 20
/** So that they meet the probes of the dead destination, which come every 10 s. */
const FRESH_EVERY_MS = 500
const READY_WITHIN_MS = 120_000
const SETTLE_MS = 15_000
const CLI = new URL('../cli/posthorn.ts', import.meta.url).pathname
const TEXT = 'All work and no play makes Jack a dull boy. '.repeat(110)

export async function measureQueueDepth(options: QueueDepthOptions): Promise<QueueDepth> {
  const { queued, fresh, signal } = options
  using folder = temporaryFolder(options.dir)
  const deadPort = await closedPort()

  const first = await launch(folder.path, deadPort, signal)
  await using server = first.server
  using watched = watchMemory(server.pid)
  const fillStart = monotonicMs()
  await fill(first.dev, options)
  const fillSeconds = (monotonicMs() - fillStart) / 1000
  const freshTimes = await sendFresh(first.dev, 'before', fresh, signal)
  // At least one probe of the dead destination.
  await sleep(Math.min(SETTLE_MS, queued), undefined, { signal })
  const memory = watched.take()

  process.kill(-server.pid, 'SIGKILL')
  await until(() => server.ended, { every: 10, within: READY_WITHIN_MS, signal })
  const second = await launch(folder.path, deadPort, signal)
  await using restarted = second.server
  using watchedAgain = watchMemory(restarted.pid)
  const freshAfterRestart = await sendFresh(second.dev, 'after', fresh, signal)
  return {
    queued,
    fillSeconds,
    memory,
    memoryAfterRestart: watchedAgain.take(),
    restartMs: second.startedMs,
    fresh: freshTimes,
    freshAfterRestart,
    waiting: countWaiting(folder.path),
  }
}

interface Launched {
  readonly server: ServerProcess
  readonly dev: DevJson
  readonly startedMs: number
}

async function launch(folder: string, deadPort: number, signal: AbortSignal): Promise<Launched> {
  const data = join(folder, 'data')
  const ready = join(data, 'dev.json')
  // A process that was killed left it behind.
  rmSync(ready, { force: true })
  const startedAt = monotonicMs()
  const server = startServer({
    command: process.execPath,
    args: [CLI, 'dev'],
    env: {
      POSTHORN_DATA: data,
      POSTHORN_HTTP_PORT: '0',
      POSTHORN_SUBMISSION_PORT: '0',
      POSTHORN_MX_PORT: '0',
      POSTHORN_DNS_PORT: '0',
      POSTHORN_WORKERS_PORT: '0',
      POSTHORN_DEV_SINK: `127.0.0.1:${deadPort}`,
      // Nothing expires while it is measured.
      POSTHORN_EXPIRE_MS: String(86_400_000),
    },
    log: join(folder, 'posthorn.log'),
    signal,
  })
  const patience = { every: 5, within: READY_WITHIN_MS, signal }
  if (!(await until(() => server.ended || existsSync(ready), patience)) || server.ended) {
    await server[Symbol.asyncDispose]()
    throw new Error(`Posthorn did not open its doors:\n${server.lastWords()}`)
  }
  const startedMs = monotonicMs() - startedAt
  return { server, startedMs, dev: devJson.parse(JSON.parse(readFileSync(ready, 'utf8'))) }
}

async function fill(dev: DevJson, { queued, signal }: QueueDepthOptions): Promise<void> {
  const all = Array.from({ length: queued }, (_, i) => `to${i}@dead.example`)
  const sendNext = async () => {
    const recipients = all.splice(-RECIPIENTS_A_REQUEST)
    const { queued: accepted } = await send(dev, recipients, signal)
    if (accepted.length !== recipients.length)
      throw new Error(`${accepted.length} of ${recipients.length} recipients were queued`)
  }
  const sendSome = async () => {
    while (all.length > 0) await sendNext()
  }
  // It learns that the destination is dead. What came at the same time would wait for a first attempt of its own.
  await sendNext()
  await Promise.all(Array.from({ length: CONNECTIONS }, sendSome))
}

async function sendFresh(dev: DevJson, name: string, count: number, signal: AbortSignal): Promise<number[]> {
  const times: number[] = []
  for (let n = 0; n < count; n++) {
    if (n > 0) await sleep(FRESH_EVERY_MS, undefined, { signal })
    const startedAt = monotonicMs()
    const { delivered } = await send(dev, [live(`${name}${n}`)], signal)
    // One that is not delivered when it is answered took at least as long as the answer waited.
    times.push(delivered.length === 1 ? monotonicMs() - startedAt : Number.POSITIVE_INFINITY)
  }
  return times
}

function live(name: string | number): string {
  return `fresh${name}@yourdomain.com`
}

const Answer = z.object({ success: z.literal(true), result: sendResult })

async function send(dev: DevJson, to: readonly string[], signal: AbortSignal) {
  const response = await fetch(`${dev.api}/accounts/${dev.account_id}/email/sending/send`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${dev.api_token}` },
    body: JSON.stringify({ from: 'app@yourdomain.com', to, subject: 'A deep queue', text: TEXT }),
    signal,
  })
  const body = await response.text()
  if (response.status !== 200) throw new Error(`a send was answered ${response.status} ${body.slice(0, 300)}`)
  return Answer.parse(JSON.parse(body)).result
}

function countWaiting(folder: string): number {
  const db = new DatabaseSync(join(folder, 'data/posthorn.sqlite'), { readOnly: true })
  try {
    const row = db.prepare(`select count(*) as n from delivery where state in ('waiting', 'claimed')`).get()
    return Number(row?.['n'])
  } finally {
    db.close()
  }
}

/** A port of loopback that refuses connections. */
async function closedPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** Prints the table; false where a bar is missed. */
export function printQueueDepth(depth: QueueDepth): boolean {
  const { queued, memory, memoryAfterRestart } = depth
  // What the queue costs, once the work of filling it is done.
  const queuing = Math.max(memory.last, memoryAfterRestart.most)
  const slowest = Math.max(...depth.fresh, ...depth.freshAfterRestart)
  const mb = (megabytes: number) => `${Math.round(megabytes)} MB`
  const ms = (time: number) => (Number.isFinite(time) ? `${Math.round(time)} ms` : 'not delivered')
  const rows: readonly Row[] = [
    { what: 'accepted and queued', measured: `${queued} in ${depth.fillSeconds.toFixed(1)} s` },
    {
      what: 'waiting at the end',
      measured: `${depth.waiting}`,
      bar: `${queued}`,
      kept: depth.waiting === queued,
    },
    { what: 'memory while it is filled, at most', measured: mb(memory.most) },
    {
      what: 'memory when all waits',
      measured: mb(queuing),
      bar: mb(QUEUE_BARS.memoryMb),
      kept: queuing < QUEUE_BARS.memoryMb,
    },
    { what: 'memory after the restart', measured: mb(memoryAfterRestart.most) },
    { what: 'sum of each VmHWM', measured: mb(Math.max(memory.sumOfPeaks, memoryAfterRestart.sumOfPeaks)) },
    {
      what: 'restart to accepting',
      measured: ms(depth.restartMs),
      bar: ms(QUEUE_BARS.restartMs),
      kept: depth.restartMs < QUEUE_BARS.restartMs,
    },
    {
      what: 'fresh message, slowest',
      measured: ms(slowest),
      bar: ms(QUEUE_BARS.freshMs),
      kept: slowest < QUEUE_BARS.freshMs,
    },
    { what: 'fresh message, first', measured: ms(depth.fresh[0] ?? 0) },
    { what: 'first after the restart', measured: ms(depth.freshAfterRestart[0] ?? 0) },
  ]
  for (const { what, measured, bar = '', kept } of rows) {
    const verdict = kept === undefined ? '' : kept ? 'kept' : 'MISSED'
    console.log(`${what.padEnd(28)}${measured.padStart(18)}${bar.padStart(12)}  ${verdict}`.trimEnd())
  }
  return rows.every(({ kept }) => kept !== false)
}

interface Row {
  readonly what: string
  readonly measured: string
  readonly bar?: string
  readonly kept?: boolean
}
