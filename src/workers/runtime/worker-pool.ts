import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { WorkerVersion } from '#model/worker.ts'
import type { Failure } from './host-services.ts'
import { type RunningWorker, type RunOptions, runWorker } from './running-worker.ts'

export interface PoolOptions extends Omit<RunOptions, 'folder' | 'experimental'> {
  /** Below it each process has a folder. */
  readonly folder: string
  /** A process that had nothing to do for so long goes. */
  readonly idleMs: number
  /** The same once another version of its Worker has started. */
  readonly replacedMs: number
  /** For what it has begun, when it is to go. */
  readonly graceMs: number
  readonly mostProcesses: number
}

interface Worker {
  /** By the id of the version. */
  readonly running: Map<string, Promise<RunningWorker | Failure>>
  newest: string
  /** Ends of processes that nobody wanted, one after the other. */
  crashes: number
  /** By `performance.now()`. */
  notBefore: number
}

/** A process that lived so long did not crash because it started. */
const STEADY_MS = 60_000
const LONGEST_REST_MS = 60_000
/** Of all processes, for one account: its Workers may all be busy for long, and mail of others goes on. */
const SHARE = 3 / 4
const TIDY_MS = 500

/** The processes of all Workers: one for each version that is asked for, started on demand, stopped when idle. A new
 *  version has its process before the old one's goes, which finishes what it has begun. A Worker whose process crashes
 *  again and again rests in between, longer each time; what comes for it meanwhile fails at once. */
export class WorkerPool {
  readonly #options: PoolOptions
  readonly #workers = new Map<string, Worker>()
  readonly #alive = new Set<RunningWorker>()
  readonly #stopping = new Set<Promise<void>>()
  readonly #retired = new WeakSet<RunningWorker>()
  readonly #tidy: NodeJS.Timeout
  /** The account of each that starts. */
  readonly #starting: string[] = []
  #isClosed = false

  constructor(options: PoolOptions) {
    this.#options = options
    this.#tidy = setInterval(() => this.#stopIdle(), TIDY_MS)
    this.#tidy.unref()
  }

  /** Alive now, those on their way out too. */
  get processes(): number {
    return this.#alive.size
  }

  async running(version: WorkerVersion): Promise<RunningWorker | Failure> {
    if (this.#isClosed) return STOPPED
    const worker = this.#workerOf(version)
    const there = worker.running.get(version.id)
    if (there) return there
    if (performance.now() < worker.notBefore) return RESTS
    if (!this.#hasRoom(version.accountId)) return NO_ROOM
    const started = this.#start(version, worker)
    worker.running.set(version.id, started)
    const result = await started
    if ('kind' in result) worker.running.delete(version.id)
    else worker.newest = version.id
    return result
  }

  /** Ends what runs of a Worker that is gone. */
  async stop(accountId: string, scriptName: string): Promise<void> {
    const key = `${accountId}/${scriptName}`
    const worker = this.#workers.get(key)
    if (!worker) return
    this.#workers.delete(key)
    const all = await Promise.all(worker.running.values())
    await Promise.all(all.flatMap((each) => ('kind' in each ? [] : [this.#retire(each)])))
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearInterval(this.#tidy)
    const started = [...this.#workers.values()].flatMap((worker) => [...worker.running.values()])
    await Promise.all(started)
    for (const running of this.#alive) void this.#retire(running)
    await Promise.all(this.#stopping)
  }

  /** Undefined for what does not start; the reason is the customer's to know. */
  async tryOut<Result>(
    version: WorkerVersion,
    look: (running: RunningWorker) => Promise<Result>,
  ): Promise<Result | { readonly detail: string }> {
    // Without experimental features, so that workerd itself refuses a customer's flags that need them.
    const running = await this.#run(version, { experimental: false })
    if ('kind' in running) return { detail: running.message }
    if ('detail' in running) return running
    try {
      return await look(running)
    } finally {
      await running.stop(0)
    }
  }

  /** A failure is the machine's: no file, no process, no room on the disk. The next one may find it otherwise. */
  async #run(
    version: WorkerVersion,
    { experimental }: Pick<RunOptions, 'experimental'>,
  ): Promise<RunningWorker | { readonly detail: string } | Failure> {
    try {
      return await runWorker(version, { ...this.#options, folder: this.#newFolder(), experimental })
    } catch (error) {
      this.#options.log.error({ err: error }, 'workers: a process could not be started')
      return NOT_STARTED
    }
  }

  #workerOf({ accountId, scriptName, id }: WorkerVersion): Worker {
    const key = `${accountId}/${scriptName}`
    const known = this.#workers.get(key)
    if (known) return known
    const worker = { running: new Map(), newest: id, crashes: 0, notBefore: 0 }
    this.#workers.set(key, worker)
    return worker
  }

  /** An idle one makes room: one of its own for an account that has its share, so that what is left is for others. */
  #hasRoom(accountId: string): boolean {
    const { mostProcesses: most } = this.#options
    const staying = [...this.#alive].filter((running) => !this.#retired.has(running))
    const own = staying.filter(({ version }) => version.accountId === accountId)
    const starting = this.#starting.filter((account) => account === accountId)
    const hasShare = own.length + starting.length >= Math.ceil(most * SHARE)
    if (!hasShare && staying.length + this.#starting.length < most) return true
    const [longest] = (hasShare ? own : staying)
      .filter(({ inFlight }) => inFlight === 0)
      .sort((a, b) => a.idleSince - b.idleSince)
    if (!longest) return false
    void this.#retire(longest)
    return true
  }

  async #start(version: WorkerVersion, worker: Worker): Promise<RunningWorker | Failure> {
    this.#starting.push(version.accountId)
    try {
      const startedAt = performance.now()
      const running = await this.#run(version, { experimental: true })
      if ('kind' in running) return running
      if ('detail' in running) {
        this.#countCrash(worker)
        return { kind: 'unavailable', message: running.detail }
      }
      this.#alive.add(running)
      void this.#afterEnd(running, worker, startedAt)
      return running
    } finally {
      this.#starting.splice(this.#starting.indexOf(version.accountId), 1)
    }
  }

  async #afterEnd(running: RunningWorker, worker: Worker, startedAt: number): Promise<void> {
    await running.ended
    this.#alive.delete(running)
    if (this.#retired.has(running)) return
    this.#forget(running, worker)
    if (performance.now() - startedAt >= STEADY_MS) worker.crashes = 0
    this.#countCrash(worker)
  }

  /** Nothing new comes to it. */
  #retire(running: RunningWorker): Promise<void> {
    this.#retired.add(running)
    const worker = this.#workers.get(`${running.version.accountId}/${running.version.scriptName}`)
    if (worker) this.#forget(running, worker)
    const stopping = this.#stopWhenDone(running).finally(() => this.#stopping.delete(stopping))
    this.#stopping.add(stopping)
    return stopping
  }

  async #stopWhenDone(running: RunningWorker): Promise<void> {
    const end = performance.now() + this.#options.graceMs
    // At least once: somebody may have been given it just now.
    do await new Promise((resolve) => setTimeout(resolve, 20))
    while (running.inFlight > 0 && performance.now() < end)
    await running.stop(Math.max(0, end - performance.now()))
  }

  #forget(running: RunningWorker, worker: Worker): void {
    worker.running.delete(running.version.id)
  }

  /** The first crash costs nothing: it may have been one message. */
  #countCrash(worker: Worker): void {
    worker.crashes++
    if (worker.crashes < 2) return
    const rest = Math.min(LONGEST_REST_MS, 1000 * 2 ** (worker.crashes - 2))
    worker.notBefore = performance.now() + rest
  }

  #stopIdle(): void {
    const now = performance.now()
    for (const running of this.#alive) {
      if (running.inFlight > 0 || this.#retired.has(running)) continue
      const { accountId, scriptName, id } = running.version
      const worker = this.#workers.get(`${accountId}/${scriptName}`)
      const isNewest = worker?.newest === id
      const { idleMs, replacedMs } = this.#options
      if (now - running.idleSince > (isNewest ? idleMs : replacedMs)) void this.#retire(running)
    }
  }

  /** Short: the path of a socket in it may have 107 octets in all. */
  #newFolder(): string {
    return join(this.#options.folder, randomBytes(4).toString('hex'))
  }
}

const STOPPED: Failure = { kind: 'unavailable', message: 'Workers are being stopped.' }
const RESTS: Failure = {
  kind: 'unavailable',
  message: 'The Worker crashed several times and rests for a while.',
}
const NOT_STARTED: Failure = {
  kind: 'unavailable',
  message: 'The Worker could not be started because of a problem in the service.',
}
const NO_ROOM: Failure = { kind: 'unavailable', message: 'Too many Workers are at work.' }
