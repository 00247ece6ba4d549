import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { bindServer, type Listening, listenLoopback } from '#net/listen-loopback.ts'
import type { Log } from '#observe/log.ts'
import type {
  Failure,
  FetchOutcome,
  WorkerPlace,
  WorkerRequest,
  WorkerResponse,
} from '#workers/runtime/host-services.ts'
import type { Exception } from '#workers/runtime/worker-trace.ts'
import type { LocalEvents } from './local-email.ts'
import { plantsSession } from './session-cookies.ts'
import { type Target, targetOf, workerRequest } from './worker-request.ts'
import { exceptionPage, type FoundWorker, failurePage, noWorkerPage, type Page } from './workers-pages.ts'

/** The HTTP door of Workers. In: a request for a host name of a Worker, for one of its routes or custom domains. Out: what
 *  the Worker's `fetch()` answers, streamed both ways. Promise: a client that goes away ends what was asked for it; who
 *  asks for a Worker that fails has an answer, which says nothing of why to strangers; and no Worker gets the session of
 *  somebody who is signed in to the dashboard, nor gives one. */
export interface WorkersDoorOptions {
  readonly port: number
  /** Both loopback addresses unless an operator configured others. */
  readonly hosts?: readonly string[]
  /** Whose a request is. */
  readonly at: (host: string, path: string) => Promise<WorkerPlace | undefined>
  readonly fetchWorker: (place: WorkerPlace, request: WorkerRequest) => Promise<FetchOutcome>
  readonly log: Log
  /** Told of each answer that is over; `broken` of one whose client went away, or that ended before its end. */
  readonly onAnswer?: (status: number | 'broken') => void
  readonly development?: WorkersDevelopment
  readonly limits?: Partial<WorkersDoorLimits>
}

/** What only a development instance has. */
export interface WorkersDevelopment {
  /** Whose plain `localhost` is. */
  readonly local: () => WorkerPlace | undefined
  readonly workers: () => Promise<readonly FoundWorker[]>
  readonly events: LocalEvents
  /** Why a Worker does not run, for its author. */
  readonly problem: (place: WorkerPlace) => string | undefined
  /** What a request failed with, which is known by the name that it got here. */
  readonly exceptionOf: (ray: string) => Promise<Exception | undefined>
}

export interface WorkersDoorLimits {
  /** At once, on each address that the door listens on. */
  readonly connections: number
  /** Octets of a request's body. */
  readonly bodyOctets: number
  /** For a connection on which nothing moves. */
  readonly idleMs: number
}

const LIMITS: WorkersDoorLimits = { connections: 2000, bodyOctets: 100 * 1_048_576, idleMs: 300_000 }
const TIMES = { requestTimeout: 300_000, keepAliveTimeout: 75_000, requireHostHeader: false }
const GRACE_MS = 5000

export async function openWorkersDoor(options: WorkersDoorOptions): Promise<Listening> {
  const limits = { ...LIMITS, ...options.limits }
  const servers: Server[] = []
  const create = () => {
    const server = createServer(TIMES, (request, response) => {
      response.once('close', () =>
        options.onAnswer?.(response.writableFinished ? response.statusCode : 'broken'),
      )
      answer(request, response, { ...options, bodyOctets: limits.bodyOctets }).catch((error: unknown) => {
        options.log.error({ err: error }, 'workers: a request failed inside')
        if (response.headersSent) response.destroy()
        else say(response, { status: 500, text: 'The server failed; see its log.\n' })
      })
    })
    server.maxConnections = limits.connections
    server.timeout = limits.idleMs
    servers.push(server)
    return server
  }
  const listening = await listenLoopback(bindServer(create), {
    door: 'Workers',
    variable: 'POSTHORN_WORKERS_PORT',
    port: options.port,
    ...(options.hosts && { hosts: options.hosts }),
  })
  return {
    port: listening.port,
    async close() {
      const closed = listening.close()
      for (const server of servers) server.closeIdleConnections()
      const late = setTimeout(() => {
        for (const server of servers) server.closeAllConnections()
      }, GRACE_MS)
      await closed
      clearTimeout(late)
    },
  }
}

type AnswerWorld = WorkersDoorOptions & Pick<WorkersDoorLimits, 'bodyOctets'>

async function answer(request: IncomingMessage, response: ServerResponse, world: AnswerWorld): Promise<void> {
  const target = targetOf(request)
  if (!target)
    return say(response, { status: 400, text: 'Send one Host header, and a path as the request target.\n' })
  const { development } = world
  const isLocal = isLoopback(target.host)
  const place = isLocal ? development?.local() : await world.at(target.host, target.path)
  if (development && target.path.startsWith('/cdn-cgi/handler/') && (isLocal || place)) {
    if (!isOwnPage(request))
      return say(response, { status: 403, text: 'Pages of other sites may not send this.\n' })
    if (await development.events(request, response, isLocal ? undefined : place)) return
  }
  if (!place) return say(response, await noWorker(target, world))
  await passOn(request, response, { place, target, world })
}

/** Names of Workers are for this machine's user: not for a page whose name was made to lead here. */
async function noWorker({ host }: Target, { development }: AnswerWorld): Promise<Page> {
  const mayKnow = isLoopback(host) || host.endsWith('.localhost')
  return noWorkerPage(host, development && mayKnow ? await development.workers() : undefined)
}

async function passOn(
  request: IncomingMessage,
  response: ServerResponse,
  {
    place,
    target,
    world,
  }: { readonly place: WorkerPlace; readonly target: Target; readonly world: AnswerWorld },
): Promise<void> {
  const { bodyOctets: limit } = world
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  response.on('error', () => undefined)
  let isTooLarge = Number(request.headers['content-length'] ?? 0) > limit
  if (isTooLarge) return say(response, TOO_LARGE)
  const ray = randomBytes(8).toString('hex')
  const tooLarge = () => {
    isTooLarge = true
  }
  const asked = workerRequest(request, { target, ray, limit, signal: gone.signal, tooLarge })
  const outcome = await world.fetchWorker(place, asked)
  const page = await pageOf(outcome, { place, ray, world })
  if (isTooLarge) return say(response, TOO_LARGE)
  if (page && !response.destroyed) return say(response, page)
  if (outcome.kind === 'answered') await stream(response, outcome.response, gone.signal)
}

/** What to say in the place of an answer that there is none of, or that says nothing. */
async function pageOf(
  outcome: FetchOutcome,
  {
    place,
    ray,
    world: { development },
  }: { readonly place: WorkerPlace; readonly ray: string; readonly world: AnswerWorld },
): Promise<Page | undefined> {
  if (outcome.kind !== 'answered') {
    const { kind, message } = outcome
    const detail = development && (development.problem(place) ?? message)
    return failurePage(STATUS[kind], { kind, detail })
  }
  const { response } = outcome
  const exception = development && isBare(response) ? await development.exceptionOf(ray) : undefined
  if (!exception) return undefined
  for await (const chunk of response.body) void chunk
  return exceptionPage(exception)
}

/** As workerd itself answers for a handler that threw. */
function isBare({ status, headers }: WorkerResponse): boolean {
  return status === 500 && !headers.some(([name]) => name.toLowerCase() === 'content-type')
}

const TOO_LARGE: Page = { status: 413, text: 'The request body is larger than a Worker takes.\n' }

const STATUS: Record<Failure['kind'], number> = {
  unavailable: 503,
  crashed: 500,
  timeout: 504,
  'exceeded-cpu': 503,
  'exceeded-memory': 503,
}

/** The body is begun in any case: only then its Worker counts as idle again. */
async function stream(
  response: ServerResponse,
  { status, statusText, headers, body }: WorkerResponse,
  gone: AbortSignal,
): Promise<void> {
  try {
    const own = headers.filter(([name, value]) => !plantsSession(name, value))
    response.writeHead(status, statusText, own.flat())
    response.flushHeaders()
    for await (const chunk of body) {
      if (response.destroyed) return
      if (!response.write(chunk)) await once(response, 'drain', { signal: gone })
    }
    response.end()
  } catch {
    // Half an answer must not pass for a whole one.
    response.destroy()
  }
}

function say(response: ServerResponse, { status, text }: Page): void {
  // Who is refused may have a body to send, which nobody reads.
  response.shouldKeepAlive = false
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'x-content-type-options': 'nosniff',
  })
  response.end(text)
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host)
}

/** Whether a browser says that no other site's page sent this; other clients say nothing. */
function isOwnPage({ headers }: IncomingMessage): boolean {
  const { origin, 'sec-fetch-site': site } = headers
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return false
  return (
    origin === undefined || (URL.canParse(origin) && new URL(origin).host === headers.host?.toLowerCase())
  )
}
