import { once } from 'node:events'
import type { WorkerBinding } from '#model/worker.ts'
import { answerStatus, type HostRequest } from './host-door.ts'
import type { FetchOutcome, HostServices, WorkerRequest } from './host-services.ts'
import { headerPairs } from './worker-client.ts'

interface ServiceWorld {
  readonly binding: Extract<WorkerBinding, { readonly type: 'service' }>
  readonly accountId: string
  readonly services: Pick<HostServices, 'fetchWorker'>
}

/** `fetch()` of a service binding; it goes to another Worker of the same account, in a process of its own. */
export function serveService(
  asked: HostRequest,
  { binding: { service, entrypoint }, accountId, services }: ServiceWorld,
): Promise<void> {
  const target = { accountId, scriptName: service, ...(entrypoint !== undefined && { entrypoint }) }
  return relayFetch(asked, (request) => services.fetchWorker(target, request))
}

/** A request of a Worker's, whose answer is made here. */
export async function relayFetch(
  { request, response }: HostRequest,
  answered: (request: WorkerRequest) => Promise<FetchOutcome>,
): Promise<void> {
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  const outcome = await answered({
    method: request.method ?? 'GET',
    url: request.url ?? '',
    headers: headerPairs(request.rawHeaders),
    body: request,
    signal: gone.signal,
  })
  if (outcome.kind !== 'answered') return answerStatus(response, 503, 'The Worker is not available')
  const { status, statusText, headers, body } = outcome.response
  response.writeHead(status, statusText, headers.flat())
  try {
    for await (const chunk of body) {
      if (response.destroyed) return
      if (!response.write(chunk)) await once(response, 'drain', { signal: gone.signal })
    }
    response.end()
  } catch {
    // Either of them broke off, as often as it likes: that is theirs to know, and nothing for the log.
    response.destroy()
  }
}
