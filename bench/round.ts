import { monotonicMs } from './clock.ts'
import type { LoadResult } from './load.ts'
import { cpuSeconds, othersSeconds, peakMiB, type ThreadTime, threadTimes } from './process-tree.ts'
import { openStage, type Stage, type StageOptions, type StartPeer } from './stage.ts'

/** One measurement of one server, from a fresh start with an empty store to its end. */

export interface RoundOptions extends StageOptions {
  readonly messages: number
  /** Messages before the measured ones, so that code is compiled and connections are open. */
  readonly warmup: number
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

export async function measureRound(start: StartPeer, options: RoundOptions): Promise<RoundResult> {
  await using stage = await openStage(start, options)
  return await withLastWords(stage, options.signal, () => measureOn(stage, options))
}

async function measureOn(stage: Stage, options: RoundOptions): Promise<RoundResult> {
  const { pids } = stage.peer
  const warmup = await stage.run('warmup', options.warmup)
  await stage.settled()
  const threadsBefore = threadTimes(pids)
  const cpuBefore = cpuSeconds(pids)
  const sinkBefore = (await stage.progress('measured')).cpuSeconds
  const othersBefore = othersSeconds()
  const { load, accepted, lastAt, perSecond } = await stage.run('measured', options.messages)
  const othersCores = (othersSeconds() - othersBefore) / ((monotonicMs() - load.firstAt) / 1_000)
  const sinkCpu = (await stage.progress('measured')).cpuSeconds - sinkBefore
  await stage.settled()
  const cpu = cpuSeconds(pids) - cpuBefore
  const threads = since(threadsBefore, threadTimes(pids))
  return {
    load: {
      ...load,
      refused: [...warmup.load.refused, ...load.refused],
      refusals: [...warmup.load.refusals, ...load.refusals],
    },
    firstAt: load.firstAt,
    lastAt,
    perSecond,
    cpuPer1000: (cpu / accepted) * 1_000,
    peakMiB: peakMiB(pids),
    ...(await stage.tally()),
    threads,
    othersCores: Math.max(0, othersCores),
    generatorCpuPer1000: (load.cpuSeconds / accepted) * 1_000,
    sinkCpuPer1000: (sinkCpu / accepted) * 1_000,
  }
}

/** What went wrong on a stage, with what its server said last. */
export async function withLastWords<T>(
  { peer }: Stage,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (signal.aborted) throw error
    throw new Error(`The round with ${peer.name} failed. Its last words:\n${peer.lastWords()}`, {
      cause: error,
    })
  }
}

function since(before: readonly ThreadTime[], after: readonly ThreadTime[]): ThreadTime[] {
  const earlier = new Map(before.map(({ tid, cpuSeconds }) => [tid, cpuSeconds]))
  return after.map((thread) => ({
    ...thread,
    cpuSeconds: thread.cpuSeconds - (earlier.get(thread.tid) ?? 0),
  }))
}
