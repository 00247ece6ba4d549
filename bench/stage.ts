import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { z } from 'zod'
import { type Child, startChild } from './child.ts'
import { LoadResult } from './load.ts'
import { benchId } from './message.ts'
import { cpuSeconds } from './process-tree.ts'
import { SinkCopies, SinkPort, SinkProgress, SinkSyncs } from './sink.ts'
import { until } from './until.ts'

/** What a measurement of one server stands on: the server from a fresh start with an empty store, the sink that its
 *  mail goes to, and the generator of its load. */
export interface Stage extends AsyncDisposable {
  readonly peer: Peer
  /** Sends that many messages and waits until they are at the sink, or the rest is lost. `name` holds no `-` and is
   *  new on this stage. */
  run(name: string, messages: number): Promise<PhaseResult>
  /** Until the server's processes do nothing any more; a few seconds at most. */
  settled(): Promise<void>
  progress(name: string): Promise<z.infer<typeof SinkProgress>>
  /** Over all phases: accepted and not at the sink, and copies beyond the first. */
  tally(): Promise<{ readonly lost: number; readonly duplicated: number }>
}

export interface Peer extends AsyncDisposable {
  readonly name: string
  /** The processes whose trees count as the server's. */
  readonly pids: readonly number[]
  readonly load: `./${'rest' | 'smtp' | 'forward' | 'large'}-load.ts`
  /** Where the load goes: the part of the generator's job that is the server's. */
  readonly target: Readonly<Record<string, unknown>>
  lastWords(): string
}

export interface PeerSetup {
  /** Its own, empty, and removed afterwards. */
  readonly folder: string
  readonly sinkPort: number
  readonly signal: AbortSignal
}

export type StartPeer = (setup: PeerSetup) => Promise<Peer>

export interface StageOptions {
  /** Folder in which the servers' data live: the disk that is measured. */
  readonly dir: string
  readonly connections: number
  /** Sends no more in a phase after this time. */
  readonly seconds: number
  /** No new message at the sink for this long means that the rest is lost. */
  readonly stalledMs: number
  /** Whether the sink has each message on the same disk, synced, before it answers. */
  readonly sinkSyncs?: boolean
  readonly signal: AbortSignal
}

export interface PhaseResult {
  readonly load: LoadResult
  readonly accepted: number
  /** When the last message came to the sink, on the monotonic clock. */
  readonly lastAt: number
  /** Messages a second from the first request to the last message at the sink. */
  readonly perSecond: number
}

const IDLE_CPU_SECONDS = 0.01
const IDLE_EVERY_MS = 200
const IDLE_WITHIN_MS = 5_000

export async function openStage(start: StartPeer, options: StageOptions): Promise<Stage> {
  const { dir, signal } = options
  await using opening = new AsyncDisposableStack()
  const folder = opening.use(temporaryFolder(dir))
  const sink = opening.use(startChild('./sink.ts', signal))
  const sinkPort = await sink.ask({ ask: 'port' }, SinkPort)
  if (options.sinkSyncs) await sink.ask({ ask: 'sync', file: join(folder.path, 'sink') }, SinkSyncs)
  const peer = opening.use(await start({ folder: folder.path, sinkPort, signal }))
  const generator = opening.use(startChild(peer.load, signal))
  const opened = opening.move()
  const loads = new Map<string, LoadResult>()
  const progress = (name: string) => sink.ask({ ask: 'progress', phase: name }, SinkProgress)
  return {
    peer,
    progress,
    async run(name, messages) {
      const { connections, seconds, stalledMs } = options
      const job = { ...peer.target, phase: name, connections, messages, seconds }
      const load = await generator.ask(job, LoadResult)
      loads.set(name, load)
      const accepted = load.sent - load.refused.length
      let seen = await progress(name)
      const arrived = async () => {
        seen = await progress(name)
        return seen.distinct >= accepted
      }
      for (let before = -1; seen.distinct < accepted && seen.distinct > before; ) {
        before = seen.distinct
        await until(arrived, { every: 20, within: stalledMs, signal })
      }
      const lastAt = seen.lastNewAt
      return { load, accepted, lastAt, perSecond: (accepted / (lastAt - load.firstAt)) * 1_000 }
    },
    async settled() {
      // The first look only begins the first interval.
      let before = Number.NEGATIVE_INFINITY
      const isIdle = () => {
        const now = cpuSeconds(peer.pids)
        const idle = now - before <= IDLE_CPU_SECONDS
        before = now
        return idle
      }
      await until(() => isIdle(), { every: IDLE_EVERY_MS, within: IDLE_WITHIN_MS, signal })
    },
    async tally() {
      const counts = await Promise.all([...loads].map(([name, load]) => tallyOf(sink, name, load)))
      return {
        lost: counts.reduce((sum, { lost }) => sum + lost, 0),
        duplicated: counts.reduce((sum, { duplicated }) => sum + duplicated, 0),
      }
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

async function tallyOf(
  sink: Child,
  name: string,
  load: LoadResult,
): Promise<{ lost: number; duplicated: number }> {
  const copies = new Map(await sink.ask({ ask: 'copies', phase: name }, SinkCopies))
  const refused = new Set(load.refused)
  let lost = 0
  for (let n = 1; n <= load.sent; n++) if (!refused.has(n) && !copies.has(benchId(name, n))) lost++
  const duplicated = [...copies.values()].reduce((sum, count) => sum + count - 1, 0)
  return { lost, duplicated }
}

export function temporaryFolder(parent: string): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(parent, 'posthorn-bench-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}
