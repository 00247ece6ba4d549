import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Log } from '#observe/log.ts'
import { ScanTimeout } from '#store/scan-timeout.ts'
import { StoreFull } from '#store/store.ts'
import { turnAway } from './answer.ts'

/** What no route has explained. */
export function explainError(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  log: Log,
): FastifyReply {
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined
  if (status === 413) return turnAway(reply, 'tooBig', 'The request body is larger than this route takes.')
  if (typeof status === 'number' && status < 500) {
    return turnAway(
      reply,
      'invalidSchema',
      error instanceof Error ? error.message : 'The request is not valid.',
    )
  }
  if (error instanceof StoreFull) {
    log.error({ route: request.routeOptions.url }, 'http: the disk is full, nothing is accepted')
    // Whatever was announced before: nothing was committed, so trying again is safe.
    reply.removeHeader('x-should-retry').header('retry-after', '30')
    return turnAway(reply, 'internal', 'The disk is full; nothing was accepted.')
  }
  // Nothing was to be changed. Lists that can be narrowed say by what (`scan-too-long.ts`).
  if (error instanceof ScanTimeout && (request.method === 'GET' || request.method === 'HEAD')) {
    log.warn({ err: error, route: request.routeOptions.url }, 'http: looking for something took too long')
    return turnAway(reply, 'overloaded', 'Looking for it took too long. Narrow it, or try again.')
  }
  log.error({ err: error, route: request.routeOptions.url }, 'http: a request failed inside')
  return turnAway(reply, 'internal', 'The server failed; see its log.')
}
