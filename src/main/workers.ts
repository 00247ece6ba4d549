import type { WorkerWorld } from '#inbound/act/hand-to-worker.ts'
import { openSendEmail } from '#workers/binding/send-email.ts'
import { openCrons } from '#workers/crons/crons.ts'
import type {
  FetchOutcome,
  HostServices,
  WorkerPlace,
  WorkerRequest,
} from '#workers/runtime/host-services.ts'
import { openRuntime } from '#workers/runtime/runtime.ts'
import type { WorkerTrace } from '#workers/runtime/worker-trace.ts'
import { readDataPoint } from '#workers/storage/data-point.ts'
import { openQueuePump, type QueueAnswer, type QueueDelivery } from '#workers/storage/queue-pump.ts'
import { openTails } from '#workers/tails/tails.ts'
import { openCurrentVersions } from './current-versions.ts'
import type { Kept } from './kept.ts'
import { openLastExceptions } from './last-exceptions.ts'
import { workerOutcome } from './metered.ts'
import { meteredRuntime } from './metered-runtime.ts'
import { ownPolicy } from './own-policy.ts'
import type { Receiving } from './receiving.ts'
import type { Registries } from './registries.ts'
import type { Sending } from './sending.ts'
import { openWorkerCalls } from './worker-calls.ts'
import type { WorkersDevelopment } from './workers-development.ts'
import type { WorkersStorage } from './workers-storage.ts'

/** What mail that came in asks of Workers. */
export type WorkerHands = Pick<WorkerWorld, 'runWorker' | 'sendReply'>

/** Customers' Workers at work: the runtime with what their bindings lead to, and what brings them mail, batches and
 *  crons. */
export async function openWorkersAtWork(
  kept: Kept,
  {
    registries,
    receiving,
    sending: { acceptor },
    storage: { kv, queues, analytics },
    development,
  }: {
    readonly registries: Registries
    readonly receiving: Receiving
    readonly sending: Sending
    readonly storage: WorkersStorage
    readonly development: WorkersDevelopment
  },
  opened: AsyncDisposableStack,
) {
  const { config, log, metrics, store, accounts, service, now } = kept
  const { workers } = registries
  const current = openCurrentVersions(workers)
  const tails = openTails({ now })
  const exceptions = openLastExceptions()
  const { sendEmail, sendReply } = openSendEmail({ acceptor, accounts, waitMs: config.SEND_WAIT_MS, log })

  const onTrace = (trace: WorkerTrace): void => {
    tails.publish(trace)
    exceptions.note(trace)
    metrics.workerInvocations({ outcome: workerOutcome(trace.outcome) })
    development?.console.trace(trace)
  }
  const services: HostServices = {
    ...{ kv, queues },
    sendEmail: development?.console.sends(sendEmail) ?? sendEmail,
    async writeDataPoint({ accountId }, dataset, wish) {
      const point = readDataPoint(typeof wish === 'object' && wish !== null ? wish : {})
      // Not louder: a Worker may write as many as it likes.
      if ('detail' in point) log.debug({ accountId, dataset }, 'workers: a data point was none')
      else await analytics.write(accountId, dataset, point)
    },
    fetchWorker: openWorkerCalls(fetchWorker),
    ownHosts: ownPolicy(service.mtaStsPolicy, (host) => registries.domains.policyAt(host)),
  }
  const opening = openRuntime({
    ...{ directory: config.DATA, services, log, now, onTrace },
    limits: {
      cpuMs: config.WORKERS_CPU_MS,
      heapMb: config.WORKERS_MEMORY_MB,
      residentBytes: (config.WORKERS_MEMORY_MB + BESIDE_HEAP_MB) * 1_048_576,
      mostProcesses: config.WORKERS_PROCESSES,
      idleMs: config.WORKERS_IDLE_MS,
      graceMs: GRACE_MS,
    },
  })
  const runtime = meteredRuntime(await opening, metrics)
  metrics.workerProcesses(() => [{ labels: {}, value: runtime.processes() }])
  let isClosing = false

  async function fetchWorker(
    place: WorkerPlace,
    request: WorkerRequest,
    entrypoint?: string,
  ): Promise<FetchOutcome> {
    const version = await current(place)
    return version ? runtime.fetch(version, request, entrypoint) : NO_WORKER
  }

  async function deliver({ queueName, messages, ...place }: QueueDelivery): Promise<QueueAnswer> {
    const version = await current(place)
    if (!version) return { kind: 'unavailable' }
    const outcome = await runtime.queue(version, { queueName, messages })
    if (outcome.kind === 'done' || outcome.kind === 'failed') return outcome
    // What we end ourselves costs no retry.
    if (outcome.kind === 'unavailable' || isClosing) return { kind: 'unavailable' }
    return { kind: 'failed', acks: [], retries: [] }
  }

  const pump = openQueuePump({
    ...{ queues, deliver },
    onError: (error) => log.error({ err: error }, 'workers: a queue could not be drained'),
    onFailed: ({ name, accountId }, ids) =>
      log.info({ accountId, queue: name, messages: ids.length }, 'workers: messages failed too often'),
  })
  const crons = openCrons({
    ...{ store, workers, log, now },
    async run({ cron, ...place }, at) {
      const version = await current(place)
      const outcome = version && (await runtime.scheduled(version, cron, at))
      return outcome?.kind === 'unavailable' ? 'unavailable' : 'over'
    },
  })
  opened.defer(async () => {
    isClosing = true
    await Promise.all([pump.close(), crons.close(), runtime.close()])
    tails.close()
  })

  registries.workersRunBy({ runtime, tails })
  receiving.handTo({
    async runWorker(place, message, host) {
      const version = await current(place)
      return version ? runtime.email(version, message, host) : 'no-worker'
    },
    sendReply,
  })
  return { runtime, fetchWorker, tails, exceptions }
}

export type WorkersAtWork = Awaited<ReturnType<typeof openWorkersAtWork>>

const GRACE_MS = 5000
/** MiB of a process besides its JavaScript heap: most of a busy one is its binary, and messages on their way. */
const BESIDE_HEAP_MB = 384
const NO_WORKER: FetchOutcome = { kind: 'unavailable', message: 'There is no such Worker.' }
