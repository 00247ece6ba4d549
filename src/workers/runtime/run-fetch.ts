import type { FetchOutcome, WorkerRequest } from './host-services.ts'
import type { RunningWorker } from './running-worker.ts'
import { fetchFrom } from './worker-client.ts'

interface FetchRun {
  readonly request: WorkerRequest
  readonly entrypoint: string | undefined
  /** Until the head of the answer. */
  readonly limitMs: number
}

/** The Worker counts as busy until the body of its answer is read, or left. */
export async function runFetch(
  running: RunningWorker,
  { request, entrypoint, limitMs }: FetchRun,
): Promise<FetchOutcome> {
  const release = running.hold()
  const stop = new AbortController()
  const signal = request.signal ? AbortSignal.any([request.signal, stop.signal]) : stop.signal
  const socket = running.socket(entrypoint === undefined ? 'fetch' : 'entry')
  const response = await running.during(limitMs, () => fetchFrom(socket, { ...request, signal }, entrypoint))
  if ('kind' in response) {
    stop.abort()
    release()
    return response
  }
  return { kind: 'answered', response: { ...response, body: untilRead(response.body, release) } }
}

async function* untilRead(body: AsyncIterable<Uint8Array>, release: () => void): AsyncIterable<Uint8Array> {
  try {
    yield* body
  } finally {
    release()
  }
}
