import type { FastifyReply } from 'fastify'
import type { ApiError, Envelope } from '#contract/envelope.ts'
import type { Fault } from './fault.ts'

const THROTTLED = 10004
const SOON_S = 5

/** An expected no in the envelope. */
export function refuseFault(reply: FastifyReply, fault: Fault): FastifyReply {
  const { status, code, message, detail, detailCode = code, pointer, retryAfterS = SOON_S } = fault
  const error: ApiError = {
    code,
    message,
    ...(detail !== undefined && { error_chain: [{ code: detailCode, message: detail }] }),
    ...(pointer !== undefined && { source: { pointer } }),
  }
  if (code === THROTTLED && !reply.hasHeader('retry-after')) reply.header('retry-after', retryAfterS)
  const refused: Envelope<never> = { success: false, errors: [error], messages: [], result: null }
  return reply.code(status).send(refused)
}
