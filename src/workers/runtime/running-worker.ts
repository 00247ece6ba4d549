import { rm } from 'node:fs/promises'
import type { Server } from 'node:http'
import { join } from 'node:path'
import type { WorkerVersion } from '#model/worker.ts'
import { type HostDoorOptions, openHostDoor } from './host-door.ts'
import type { Failure } from './host-services.ts'
import { Invocations } from './invocations.ts'
import { type WatchLimits, watchProcess } from './process-watch.ts'
import { makeProcessFolder, startWorkerProcess, type WorkerProcess } from './worker-process.ts'
import { HOST_SOCKET, workerdConfig } from './workerd-config.ts'

/** A version of a Worker that runs, and the host's door for it. */
export interface RunningWorker extends Pick<WorkerProcess, 'socket' | 'ended' | 'kill'> {
  readonly version: WorkerVersion
  readonly invocations: Invocations
  /** Tells why it ended, once, unless what it returns is called first. For whoever waits once for each invocation: what
   *  is chained to `ended` stays as long as the process does. */
  onEnd(tell: (failure: Failure) => void): () => void
  /** It is not idle until that is called. */
  hold(): () => void
  /** Runs `work` as one of the Worker's invocations, for `limitMs` at most: it ends with the process too. The signal
   *  says that nobody waits any more. */
  during<Result>(limitMs: number, work: (signal: AbortSignal) => Promise<Result>): Promise<Result | Failure>
  /** Its process is gone. */
  readonly isOver: boolean
  readonly inFlight: number
  /** When the last invocation ended; by `performance.now()`. */
  readonly idleSince: number
  stop(graceMs: number): Promise<void>
}

export interface RunOptions extends Omit<HostDoorOptions, 'version' | 'invocations'> {
  readonly workerd: string
  /** Of this process alone. */
  readonly folder: string
  readonly limits: WatchLimits & { readonly heapMb: number; readonly startMs: number }
  readonly experimental: boolean
}

/** A refusal is why the customer's code does not start. */
export async function runWorker(
  version: WorkerVersion,
  options: RunOptions,
): Promise<RunningWorker | { readonly detail: string }> {
  const { folder, limits, workerd, experimental } = options
  await using undone = new AsyncDisposableStack()
  await makeProcessFolder(folder)
  undone.defer(() => rm(folder, { recursive: true, force: true }))
  const invocations = new Invocations()
  const door = await openHostDoor(join(folder, HOST_SOCKET), { ...options, version, invocations })
  undone.defer(() => closeDoor(door))
  const ownHosts = options.services.ownHosts?.names ?? []
  const config = workerdConfig(version, { heapMb: limits.heapMb, experimental, ownHosts })
  const started = await startWorkerProcess({ workerd, folder, config, startMs: limits.startMs, experimental })
  if ('detail' in started) return started
  undone.move()
  watchProcess(started, limits)
  return new Running(version, { process: started, door, invocations })
}

interface RunningParts {
  readonly process: WorkerProcess
  readonly door: Server
  readonly invocations: Invocations
}

class Running implements RunningWorker {
  readonly version: WorkerVersion
  readonly invocations: Invocations
  readonly ended: Promise<Failure>
  readonly #process: WorkerProcess
  readonly #listeners = new Set<(failure: Failure) => void>()
  #end: Failure | undefined
  #inFlight = 0
  #idleSince = performance.now()

  constructor(version: WorkerVersion, { process, door, invocations }: RunningParts) {
    this.version = version
    this.invocations = invocations
    this.#process = process
    this.ended = process.ended.then(async (failure) => {
      this.#end = failure
      await closeDoor(door)
      for (const tell of this.#listeners) tell(failure)
      return failure
    })
  }

  get isOver(): boolean {
    return this.#end !== undefined
  }

  get inFlight(): number {
    return this.#inFlight
  }

  get idleSince(): number {
    return this.#idleSince
  }

  socket(name: Parameters<WorkerProcess['socket']>[0]): string {
    return this.#process.socket(name)
  }

  kill(why: Failure): void {
    this.#process.kill(why)
  }

  stop(graceMs: number): Promise<void> {
    return this.#process.stop(graceMs)
  }

  onEnd(tell: (failure: Failure) => void): () => void {
    if (this.#end) tell(this.#end)
    else this.#listeners.add(tell)
    return () => this.#listeners.delete(tell)
  }

  hold(): () => void {
    let isHeld = true
    this.#inFlight++
    return () => {
      if (!isHeld) return
      isHeld = false
      this.#inFlight--
      this.#idleSince = performance.now()
    }
  }

  async during<Result>(
    limitMs: number,
    work: (signal: AbortSignal) => Promise<Result>,
  ): Promise<Result | Failure> {
    const over = new AbortController()
    const release = this.hold()
    const { promise, resolve } = Promise.withResolvers<Result | Failure>()
    const stopListening = this.onEnd(resolve)
    const timer = setTimeout(() => {
      resolve(TOO_LATE)
      over.abort()
    }, limitMs)
    // A connection that breaks tells less than the end of the process, which follows at once.
    void work(over.signal).catch(brokenOff).then(resolve)
    try {
      return await promise
    } finally {
      clearTimeout(timer)
      stopListening()
      release()
    }
  }
}

const TOO_LATE: Failure = { kind: 'timeout', message: 'The Worker did not end in time.' }
const BROKEN_OFF_MS = 1000

async function brokenOff(): Promise<Failure> {
  await new Promise((resolve) => setTimeout(resolve, BROKEN_OFF_MS).unref())
  return { kind: 'crashed', message: 'The connection to the Worker broke off.' }
}

function closeDoor(door: Server): Promise<void> {
  door.closeAllConnections()
  return new Promise((resolve) => door.close(() => resolve()))
}
