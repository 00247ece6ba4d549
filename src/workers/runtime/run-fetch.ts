import { setTimeout as sleep } from 'node:timers/promises'
import { type Begun, requestEvent, traceFailure } from './failure-trace.ts'
import type { FetchOutcome, WorkerRequest } from './host-services.ts'
import type { RunningWorker } from './running-worker.ts'
import { fetchFrom } from './worker-client.ts'

interface FetchRun extends Omit<Begun, 'event'> {
  readonly request: WorkerRequest
  readonly entrypoint: string | undefined
  /** Until the head of the answer. */
  readonly limitMs: number
}

/** The Worker counts as busy until the body of its answer is read, or left. */
export async function runFetch(
  running: RunningWorker,
  { request, entrypoint, limitMs, at, onTrace }: FetchRun,
): Promise<FetchOutcome> {
  const begun = { event: () => requestEvent(request), at, onTrace }
  const release = running.hold()
  const stop = new AbortController()
  const signal = request.signal ? AbortSignal.any([request.signal, stop.signal]) : stop.signal
  const socket = running.socket(entrypoint === undefined ? 'fetch' : 'entry')
  const response = await running.during(limitMs, () => fetchFrom(socket, { ...request, signal }, entrypoint))
  if ('kind' in response) {
    stop.abort()
    release()
    traceFailure(running, response, begun)
    return response
  }
  // Who is gone reads no answer, and may not have begun to.
  signal.addEventListener('abort', release, { once: true })
  const body = untilRead(running, response.body, { release, begun })
  return { kind: 'answered', response: { ...response, body } }
}

async function* untilRead(
  running: RunningWorker,
  body: AsyncIterable<Uint8Array>,
  { release, begun }: { readonly release: () => void; readonly begun: Begun },
): AsyncIterable<Uint8Array> {
  try {
    yield* body
  } catch (error) {
    void traceEnd(running, begun)
    throw error
  } finally {
    release()
  }
}

/** The connection ends before its process is known to. */
async function traceEnd(running: RunningWorker, begun: Begun): Promise<void> {
  const failure = await Promise.race([running.ended, sleep(ENDED_MS, undefined, { ref: false })])
  if (failure) traceFailure(running, failure, begun)
}

const ENDED_MS = 1000
