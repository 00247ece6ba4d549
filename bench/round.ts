import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { startChild } from './child.ts'
import { monotonicMs } from './clock.ts'
import { LoadResult } from './load.ts'
import { benchId } from './message.ts'
import { cpuSeconds, machineSeconds, peakMiB, type ThreadTime, threadTimes } from './process-tree.ts'
import { SinkCopies, SinkPort, SinkProgress } from './sink.ts'
import { until } from './until.ts'

/** One measurement of one server, from a fresh start with an empty store to its end. */

export interface Peer extends AsyncDisposable {
  readonly name: string
  /** The processes whose trees count as the server's. */
  readonly pids: readonly number[]
  readonly load: './rest-load.ts' | './smtp-load.ts'
  /** Where the load goes: the part of the generator's job that is the server's. */
  readonly target: Readonly<Record<string, string | number>>
  lastWords(): string
}

export interface PeerSetup {
  /** Its own, empty, and removed afterwards. */
  readonly folder: string
  readonly sinkPort: number
  readonly signal: AbortSignal
}

export interface RoundOptions {
  /** Folder in which the servers' data live: the disk that is measured. */
  readonly dir: string
  readonly connections: number
  readonly messages: number
  readonly seconds: number
  /** Messages before the measured ones, so that code is compiled and connections are open. */
  readonly warmup: number
  /** No new message at the sink for this long means that the rest is lost. */
  readonly stalledMs: number
  readonly signal: AbortSignal
}

export interface RoundResult {
  readonly load: LoadResult
  /** From the first request to the last message at the sink, on the monotonic clock. */
  readonly firstAt: number
  readonly lastAt: number
  readonly perSecond: number
  /** Of the server's processes, user and system, until they fell idle. */
  readonly cpuPer1000: number
  readonly peakMiB: number
  /** Accepted and not at the sink, warm-up included. */
  readonly lost: number
  /** Copies beyond the first. */
  readonly duplicated: number
  readonly threads: readonly ThreadTime[]
  /** Processors that anything but this bench and its servers kept busy meanwhile; what is over a tenth spoils the round. */
  readonly othersCores: number
  readonly generatorCpuPer1000: number
  readonly sinkCpuPer1000: number
}

const IDLE_CPU_SECONDS = 0.01
const IDLE_EVERY_MS = 200

export async function measureRound(
  start: (setup: PeerSetup) => Promise<Peer>,
  options: RoundOptions,
): Promise<RoundResult> {
  const { signal } = options
  using folder = temporaryFolder(options.dir)
  await using sink = startChild('./sink.ts', signal)
  await using peer = await start({
    folder: folder.path,
    sinkPort: await sink.ask({ ask: 'port' }, SinkPort),
    signal,
  })
  await using generator = startChild(peer.load, signal)

  async function phase(name: string, messages: number) {
    const job = {
      ...peer.target,
      phase: name,
      connections: options.connections,
      messages,
      seconds: options.seconds,
    }
    const load = await generator.ask(job, LoadResult)
    const accepted = load.sent - load.refused.length
    let progress = await sink.ask({ ask: 'progress', phase: name }, SinkProgress)
    for (let before = -1; progress.distinct < accepted && progress.distinct > before; ) {
      before = progress.distinct
      await until(
        async () => {
          progress = await sink.ask({ ask: 'progress', phase: name }, SinkProgress)
          return progress.distinct >= accepted
        },
        { every: 20, within: options.stalledMs, signal },
      )
    }
    return { load, accepted, progress }
  }

  async function settled(): Promise<void> {
    let before = cpuSeconds(peer.pids)
    const isIdle = () => {
      const now = cpuSeconds(peer.pids)
      const idle = now - before <= IDLE_CPU_SECONDS
      before = now
      return idle
    }
    await until(() => isIdle(), { every: IDLE_EVERY_MS, within: 5_000, signal })
  }

  async function tally(name: string, load: LoadResult): Promise<{ lost: number; duplicated: number }> {
    const copies = new Map(await sink.ask({ ask: 'copies', phase: name }, SinkCopies))
    const refused = new Set(load.refused)
    let lost = 0
    for (let n = 1; n <= load.sent; n++) if (!refused.has(n) && !copies.has(benchId(name, n))) lost++
    const duplicated = [...copies.values()].reduce((sum, count) => sum + count - 1, 0)
    return { lost, duplicated }
  }

  try {
    const warmup = await phase('warmup', options.warmup)
    await settled()
    const threadsBefore = threadTimes(peer.pids)
    const cpuBefore = cpuSeconds(peer.pids)
    const sinkBefore = (await sink.ask({ ask: 'progress', phase: 'measured' }, SinkProgress)).cpuSeconds
    const othersBefore = othersSeconds()
    const { load, accepted, progress } = await phase('measured', options.messages)
    const othersCores = (othersSeconds() - othersBefore) / ((monotonicMs() - load.firstAt) / 1_000)
    await settled()
    const cpu = cpuSeconds(peer.pids) - cpuBefore
    const threads = since(threadsBefore, threadTimes(peer.pids))
    const counts = [await tally('warmup', warmup.load), await tally('measured', load)]
    return {
      load: {
        ...load,
        refused: [...warmup.load.refused, ...load.refused],
        refusals: [...warmup.load.refusals, ...load.refusals],
      },
      firstAt: load.firstAt,
      lastAt: progress.lastNewAt,
      perSecond: (accepted / (progress.lastNewAt - load.firstAt)) * 1_000,
      cpuPer1000: (cpu / accepted) * 1_000,
      peakMiB: peakMiB(peer.pids),
      lost: counts.reduce((sum, { lost }) => sum + lost, 0),
      duplicated: counts.reduce((sum, { duplicated }) => sum + duplicated, 0),
      threads,
      othersCores: Math.max(0, othersCores),
      generatorCpuPer1000: (load.cpuSeconds / accepted) * 1_000,
      sinkCpuPer1000: ((progress.cpuSeconds - sinkBefore) / accepted) * 1_000,
    }
  } catch (error) {
    if (signal.aborted) throw error
    throw new Error(`The round with ${peer.name} failed. Its last words:\n${peer.lastWords()}`, {
      cause: error,
    })
  }
}

export function temporaryFolder(parent: string): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(parent, 'posthorn-bench-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

/** All servers and generators descend from this process. */
function othersSeconds(): number {
  return machineSeconds() - cpuSeconds([process.pid])
}

function since(before: readonly ThreadTime[], after: readonly ThreadTime[]): ThreadTime[] {
  const earlier = new Map(before.map(({ tid, cpuSeconds }) => [tid, cpuSeconds]))
  return after.map((thread) => ({
    ...thread,
    cpuSeconds: thread.cpuSeconds - (earlier.get(thread.tid) ?? 0),
  }))
}
