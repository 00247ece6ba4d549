/** Customers' Workers at work. In: versions, and what happens to them: mail, requests, batches, crons. Out: how each
 *  ended. Promise: one process of workerd for each Worker, never shared, so that one that loops, eats memory or crashes
 *  harms no other; whatever becomes of it there is an answer, and what a Worker asked of the host was refused once its
 *  handler was over; nothing of an earlier host's runs on.
 *
 *  Customers' code gets at the host by its bindings alone, at public addresses by `fetch()`, and at no file. Accounts
 *  that are each other's enemies want a machine or container each: workerd calls itself no such boundary. */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { WorkerVersion } from '#model/worker.ts'
import type { Log } from '#observe/log.ts'
import { ConnectionShare } from './connection-share.ts'
import { endLeftovers } from './end-leftovers.ts'
import type { EmailHost, FetchOutcome, HostServices, WorkerRequest } from './host-services.ts'
import { type EmailMessage, type EmailOutcome, runEmail } from './run-email.ts'
import {
  type QueueEvent,
  type QueueOutcome,
  runQueue,
  runScheduled,
  type ScheduledOutcome,
} from './run-event.ts'
import { runFetch } from './run-fetch.ts'
import { askWorker } from './worker-client.ts'
import { WorkerPool } from './worker-pool.ts'
import { parsed, type WorkerTrace } from './worker-trace.ts'

export interface Runtime {
  email(version: WorkerVersion, message: EmailMessage, host: EmailHost): Promise<EmailOutcome>
  /** `entrypoint`: one of the version's named ones, in place of its default export. */
  fetch(version: WorkerVersion, request: WorkerRequest, entrypoint?: string): Promise<FetchOutcome>
  queue(version: WorkerVersion, batch: QueueEvent): Promise<QueueOutcome>
  /** `at`: in milliseconds since 1970, when it was due. */
  scheduled(version: WorkerVersion, cron: string, at: number): Promise<ScheduledOutcome>
  /** Starts a version once, beside what runs: which handlers its default export has, or why it does not start. */
  tryOut(
    version: WorkerVersion,
  ): Promise<{ readonly handlers: readonly string[] } | { readonly detail: string }>
  /** For a Worker that is gone: what it has begun may end. */
  stop(accountId: string, scriptName: string): Promise<void>
  /** Of all Workers, now. */
  processes(): number
  /** Lets all of them end what they have begun, and ends them. */
  close(): Promise<void>
}

export interface RuntimeOptions {
  /** The data folder; what is needed is in `workers/` below it. */
  readonly directory: string
  readonly services: HostServices
  readonly log: Log
  readonly now: () => number
  /** Each invocation that is wholly over, for whoever tails. */
  readonly onTrace?: (trace: WorkerTrace) => void
  readonly limits?: Partial<RuntimeLimits>
}

export interface RuntimeLimits {
  /** Of the processor, in one stretch. */
  readonly cpuMs: number
  /** Of the JavaScript heap. */
  readonly heapMb: number
  /** Of a process with all that it has; that follows the heap unless it is said. */
  readonly residentBytes: number
  /** Until it listens. */
  readonly startMs: number
  readonly emailMs: number
  /** Until the head of the answer. */
  readonly fetchMs: number
  /** `queue()` and `scheduled()`. */
  readonly eventMs: number
  readonly idleMs: number
  readonly replacedMs: number
  readonly graceMs: number
  readonly mostProcesses: number
}

const LIMITS: Omit<RuntimeLimits, 'residentBytes'> = {
  cpuMs: 30_000,
  heapMb: 128,
  startMs: 10_000,
  // Senders wait 10 minutes after the final dot (RFC 5321 §4.5.3.2.6), many of them less.
  emailMs: 120_000,
  fetchMs: 100_000,
  eventMs: 15 * 60_000,
  idleMs: 5 * 60_000,
  replacedMs: 30_000,
  graceMs: 30_000,
  mostProcesses: 64,
}

/** A busy one levels off near 320 MiB, its heap included: what is beside that is the binary, messages on their way, and
 *  the heaps of what stands beside the customer's code. */
const BESIDE_HEAP_MB = 384

/** What the system has for the path of a socket, without the folder and name of the longest. */
const LONGEST_FOLDER = 107 - '/00000000/dispatch.sock'.length

/** Ends what an earlier host left. Throws where the data folder's path is too long for sockets. */
export async function openRuntime(options: RuntimeOptions): Promise<Runtime> {
  const { services, log, now, onTrace = () => undefined } = options
  const { heapMb = LIMITS.heapMb } = options.limits ?? {}
  const residentBytes = (heapMb + BESIDE_HEAP_MB) * 1_048_576
  const limits: RuntimeLimits = { ...LIMITS, residentBytes, ...options.limits }
  const folder = join(options.directory, 'workers')
  if (Buffer.byteLength(folder) > LONGEST_FOLDER) {
    throw new Error(
      `The data folder's path is too long for sockets: ${folder} may have ${LONGEST_FOLDER} octets`,
    )
  }
  await endLeftovers(folder)
  const pool = new WorkerPool({
    ...{ workerd: workerdBinary(), folder, limits, services, log, now, onTrace },
    connections: new ConnectionShare(),
    ...{ idleMs: limits.idleMs, replacedMs: limits.replacedMs, graceMs: limits.graceMs },
    mostProcesses: limits.mostProcesses,
  })
  const begun = () => ({ at: now(), onTrace })

  return {
    async email(version, message, host) {
      const running = await pool.running(version)
      if ('kind' in running) return { ...running, traced: Promise.resolve(undefined) }
      return runEmail(running, { message, host, limitMs: limits.emailMs, onTrace, now })
    },

    async fetch(version, request, entrypoint) {
      const running = await pool.running(version)
      return 'kind' in running
        ? running
        : runFetch(running, { request, entrypoint, limitMs: limits.fetchMs, ...begun() })
    },

    async queue(version, batch) {
      const running = await pool.running(version)
      return 'kind' in running ? running : runQueue(running, batch, { limitMs: limits.eventMs, ...begun() })
    },

    async scheduled(version, cron, at) {
      const running = await pool.running(version)
      return 'kind' in running
        ? running
        : runScheduled(running, { cron, scheduledTime: at }, { limitMs: limits.eventMs, ...begun() })
    },

    tryOut: (version) =>
      pool.tryOut(version, async (running) => {
        const failed = { detail: 'The Worker did not say which handlers it has.' }
        const look = { socketPath: running.socket('entry'), method: 'GET', headers: [] }
        const found = await running.during(limits.startMs, (signal) =>
          readText({ ...look, url: 'http://posthorn.internal/handlers', signal }),
        )
        const handlers = typeof found === 'string' ? parsed(found) : undefined
        return Array.isArray(handlers) ? { handlers: handlers.map(String) } : failed
      }),

    stop: (accountId, scriptName) => pool.stop(accountId, scriptName),
    processes: () => pool.processes,
    close: () => pool.close(),
  }
}

async function readText(request: Parameters<typeof askWorker>[0]): Promise<string> {
  let text = ''
  for await (const chunk of await askWorker(request)) text += String(chunk)
  return text
}

/** The binary itself: the package's own command is a Node program that starts it. */
function workerdBinary(): string {
  const require = createRequire(import.meta.url)
  const { default: binary }: { default: string } = require('workerd')
  return binary
}
