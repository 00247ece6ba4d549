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

/** Calls from one Worker to another, as many that those of one that calls itself have an end. */
export function openWorkerCalls(
  fetchWorker: (place: WorkerPlace, request: WorkerRequest, entrypoint?: string) => Promise<FetchOutcome>,
): HostServices['fetchWorker'] {
  const underWay = new Map<string, number>()
  return async ({ entrypoint, ...place }, request) => {
    const { accountId } = place
    const others = underWay.get(accountId) ?? 0
    if (others >= MOST) return TOO_MANY
    underWay.set(accountId, others + 1)
    try {
      return await fetchWorker(place, request, entrypoint)
    } finally {
      const left = (underWay.get(accountId) ?? 1) - 1
      if (left > 0) underWay.set(accountId, left)
      else underWay.delete(accountId)
    }
  }
}
