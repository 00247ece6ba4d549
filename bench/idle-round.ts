import { type Child, startChild } from './child.ts'
import { monotonicMs } from './clock.ts'
import { IdleAnswer } from './idle-connections.ts'
import { othersSeconds, residentMiB } from './process-tree.ts'
import { type RoundOptions, withLastWords } from './round.ts'
import { SmtpDoor } from './smtp-session.ts'
import { openStage, type Stage, type StartPeer } from './stage.ts'

/** What idle connections cost a server, on one instance: in memory, and in the speed of others. */
export interface IdleRound {
  /** Resident memory of the fresh instance, settled, and what it grew by until they stood and it had settled again. */
  readonly beforeMiB: number
  readonly growthMiB: number
  /** Messages a second of the four runs, A B B A: a server that slowly gets faster or slower favours neither side. */
  readonly without: readonly [number, number]
  readonly beside: readonly [number, number]
  /** Throughput beside them to throughput without. */
  readonly ratio: number
  readonly lost: number
  readonly duplicated: number
  readonly refused: number
  readonly refusals: readonly string[]
  /** As in RoundResult, while messages were sent. */
  readonly othersCores: number
}

export interface IdleOptions extends RoundOptions {
  readonly idle: number
}

export async function measureIdle(start: StartPeer, options: IdleOptions): Promise<IdleRound> {
  await using stage = await openStage(start, options)
  await using holder = startChild('./idle-connections.ts', options.signal)
  return await withLastWords(stage, options.signal, () => measureOn(stage, holder, options))
}

async function measureOn(stage: Stage, holder: Child, options: IdleOptions): Promise<IdleRound> {
  const { idle, messages, warmup } = options
  const { pids, target } = stage.peer
  const { host, port, ca } = SmtpDoor.parse(target)

  async function open(): Promise<void> {
    await holder.ask({ ask: 'open', door: { host, port, ca }, connections: idle }, IdleAnswer)
    await stage.settled()
  }

  /** Proves that they stood until now, and closes them. */
  async function close(): Promise<void> {
    const standing = await holder.ask({ ask: 'standing' }, IdleAnswer)
    if (standing < idle) throw new Error(`Only ${standing} of ${idle} idle connections were left standing`)
    await holder.ask({ ask: 'close' }, IdleAnswer)
    await stage.settled()
  }

  await stage.settled()
  const beforeMiB = residentMiB(pids)
  await open()
  const growthMiB = residentMiB(pids) - beforeMiB
  await close()
  const warm = await stage.run('warmup', warmup)
  await stage.settled()

  const startedAt = monotonicMs()
  const othersBefore = othersSeconds()
  const a1 = await stage.run('a1', messages)
  await open()
  const b1 = await stage.run('b1', messages)
  await stage.settled()
  const b2 = await stage.run('b2', messages)
  await close()
  const a2 = await stage.run('a2', messages)
  const othersCores = (othersSeconds() - othersBefore) / ((monotonicMs() - startedAt) / 1_000)

  const loads = [warm, a1, b1, b2, a2].map(({ load }) => load)
  return {
    beforeMiB,
    growthMiB,
    without: [a1.perSecond, a2.perSecond],
    beside: [b1.perSecond, b2.perSecond],
    ratio: (b1.perSecond + b2.perSecond) / (a1.perSecond + a2.perSecond),
    ...(await stage.tally()),
    refused: loads.reduce((sum, { refused }) => sum + refused.length, 0),
    refusals: loads.flatMap(({ refusals }) => refusals),
    othersCores: Math.max(0, othersCores),
  }
}
