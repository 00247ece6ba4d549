import type {
  FetchOutcome,
  HostServices,
  WorkerPlace,
  WorkerRequest,
} from '#workers/runtime/host-services.ts'

/** Of one account at once. */
const MOST = 100

const TOO_MANY: FetchOutcome = {
  kind: 'unavailable',
  message: "Too many calls between the account's Workers are under way.",
}

/** Calls from one Worker to another, as many that those of one that calls itself have an end. A call is under way until
 *  its answer is read, or who asked is gone: it holds connections as long. */
export function openWorkerCalls(
  fetchWorker: (place: WorkerPlace, request: WorkerRequest, entrypoint?: string) => Promise<FetchOutcome>,
): HostServices['fetchWorker'] {
  const underWay = new Map<string, number>()

  function begin(accountId: string): () => void {
    underWay.set(accountId, (underWay.get(accountId) ?? 0) + 1)
    let isOver = false
    return () => {
      if (isOver) return
      isOver = true
      const left = (underWay.get(accountId) ?? 1) - 1
      if (left > 0) underWay.set(accountId, left)
      else underWay.delete(accountId)
    }
  }

  return async ({ entrypoint, ...place }, request) => {
    if ((underWay.get(place.accountId) ?? 0) >= MOST) return TOO_MANY
    const end = begin(place.accountId)
    try {
      const outcome = await fetchWorker(place, request, entrypoint)
      if (outcome.kind !== 'answered') {
        end()
        return outcome
      }
      const { response } = outcome
      request.signal?.addEventListener('abort', end, { once: true })
      if (request.signal?.aborted) end()
      return { kind: 'answered', response: { ...response, body: untilRead(response.body, end) } }
    } catch (error) {
      end()
      throw error
    }
  }
}

async function* untilRead(body: AsyncIterable<Uint8Array>, end: () => void): AsyncIterable<Uint8Array> {
  try {
    yield* body
  } finally {
    end()
  }
}
