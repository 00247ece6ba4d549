import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { WorkerBinding, WorkerVersion } from '#model/worker.ts'
import type { Log } from '#observe/log.ts'
import type { ConnectionShare } from './connection-share.ts'
import type { HostServices } from './host-services.ts'
import type { Invocations } from './invocations.ts'
import { OctetBudget } from './octet-budget.ts'
import { readBody, takeUntilSent } from './read-body.ts'
import { readOutgoing } from './read-outgoing.ts'
import { serveInvocation } from './serve-invocation.ts'
import { serveKv } from './serve-kv.ts'
import { serveQueue } from './serve-queue.ts'
import { relayFetch, serveService } from './serve-service.ts'
import { parsed, readTraceReport, type WorkerTrace } from './worker-trace.ts'
import { BINDING_HEADER, DOOR_HEADER } from './workerd-config.ts'

export interface HostDoorOptions {
  readonly version: WorkerVersion
  readonly services: HostServices
  readonly invocations: Invocations
  readonly connections: ConnectionShare
  /** Of invocations other than `email()`, whose own are told of their end. */
  readonly onTrace: (trace: WorkerTrace) => void
  readonly log: Log
  readonly now: () => number
}

/** What a door has to answer with. */
export interface HostRequest {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** As much as `limit`; undefined for more, which is answered already. */
  readonly body: (limit: number) => Promise<Buffer | undefined>
  /** Waits until so many octets of an answer may be in memory, which they may until it is sent. */
  readonly room: (octets: number) => Promise<void>
}

/** workerd sends absolute URLs and no Host. A verdict travels as a header: `inside/entry.js` says how long it may be. */
const SERVER = { requireHostHeader: false, requestTimeout: 0, maxHeaderSize: 131_072 }
/** Of what one Worker may have the host hold at once. */
const MOST_OCTETS = 64 * 1_048_576
/** Calls that wait while this thread is busy: past them the system refuses the Worker's connection. */
const BACKLOG = 4096
/** A raw message of 25 MiB as base64 in JSON, and some. */
const LARGEST_MESSAGE = 36 * 1_048_576
const LARGEST_POINT = 65_536
const LARGEST_TRACE = 1_048_576

/** The host as one process of one Worker sees it: a socket in that process's folder, so that who asks is known by where.
 *  Which of the Worker's bindings asks is in a header that workerd sets and the Worker cannot. */
export async function openHostDoor(path: string, options: HostDoorOptions): Promise<Server> {
  const budget = new OctetBudget(MOST_OCTETS)
  const server = createServer(SERVER, (request, response) => {
    response.on('error', () => undefined)
    const asked: HostRequest = {
      ...{ request, response, body: (limit) => readBody(request, response, { limit, budget }) },
      room: (octets) => takeUntilSent(response, octets, budget),
    }
    serve(asked, options).catch((error: unknown) => {
      // A request that its Worker broke off is nobody's fault here.
      if (!request.errored) options.log.error({ err: error }, 'workers: a call of a binding failed inside')
      if (response.headersSent) response.destroy()
      else response.writeHead(500).end()
    })
  })
  options.connections.limit(server)
  server.listen({ path, backlog: BACKLOG })
  await once(server, 'listening')
  return server
}

async function serve(asked: HostRequest, options: HostDoorOptions): Promise<void> {
  const { request, response } = asked
  const { version, services } = options
  const door = request.headers[DOOR_HEADER]
  if (door === 'invocation') return serveInvocation(asked, options.invocations)
  if (door === 'trace') return takeTrace(asked, options)
  const { ownHosts } = services
  if (door === 'own-host' && ownHosts) return relayFetch(asked, (request) => ownHosts.fetch(request))
  const binding = version.bindings[Number(request.headers[BINDING_HEADER])]
  switch (binding?.type) {
    case 'kv_namespace':
      return serveKv(asked, {
        kv: services.kv,
        place: { accountId: version.accountId, namespaceId: binding.namespaceId },
        now: options.now(),
      })
    case 'queue':
      return serveQueue(asked, { queues: services.queues, accountId: version.accountId, binding })
    case 'service':
      return serveService(asked, { binding, accountId: version.accountId, services })
    case 'send_email': {
      const message = await readOutgoing(asked, LARGEST_MESSAGE)
      if (message) answerJson(response, await services.sendEmail(version, binding, message))
      return
    }
    case 'analytics_engine':
      return takeDataPoint(asked, binding, options)
    default:
      response.writeHead(404).end()
  }
}

async function takeDataPoint(
  { response, body }: HostRequest,
  { dataset }: Extract<WorkerBinding, { type: 'analytics_engine' }>,
  { version, services }: HostDoorOptions,
): Promise<void> {
  const text = await body(LARGEST_POINT)
  if (!text) return
  await services.writeDataPoint(version, dataset, parsed(text.toString()))
  response.end()
}

async function takeTrace(
  { response, body }: HostRequest,
  { invocations, onTrace, version }: HostDoorOptions,
): Promise<void> {
  const text = await body(LARGEST_TRACE)
  if (!text) return
  response.end()
  const report = readTraceReport(text.toString())
  if (!report) return
  const { token, trace } = report
  const { accountId, scriptName, id: versionId } = version
  if (token === undefined) {
    const outcome = invocations.takeCancelled(trace.event) ? 'canceled' : trace.outcome
    onTrace({ accountId, scriptName, versionId, ...trace, outcome })
  } else invocations.takeUntraced(token)?.(trace)
}

export function answerJson(response: ServerResponse, value: unknown): void {
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify(value))
}

/** `reason` reaches the Worker in the message of its error, as far as a status line can say it. */
export function answerStatus(response: ServerResponse, status: number, reason: string): void {
  response.writeHead(status, reason.replaceAll(/[^\x20-\x7e]/g, '?')).end()
}
