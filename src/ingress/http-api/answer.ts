import type { FastifyReply } from 'fastify'
import type { ApiError, Envelope } from '#contract/envelope.ts'
import type { Refusal } from '#model/refusal.ts'
import { answerRefusal, DOOR } from './refusal-answers.ts'

/** Every answer is 200 with `success: true` or an error status with `success: false`: clients trust either alone. */
export function succeed(reply: FastifyReply, result: object): FastifyReply {
  const envelope: Envelope<object> = { success: true, errors: [], messages: [], result }
  return reply.code(200).send(envelope)
}

export function refuse(reply: FastifyReply, refusal: Refusal): FastifyReply {
  const { status, error } = answerRefusal(refusal)
  // RFC 9110 §10.2.3: whole seconds.
  if (refusal.retryAfterMs !== undefined) reply.header('retry-after', Math.ceil(refusal.retryAfterMs / 1000))
  return fail(reply, status, error)
}

/** A refusal by the door itself. `detail` is the sentence for a person, `pointer` the field it is about. */
export function turnAway(
  reply: FastifyReply,
  reason: keyof typeof DOOR,
  detail: string,
  pointer?: string,
): FastifyReply {
  const [status, code, message] = DOOR[reason]
  const error: ApiError = { code, message, error_chain: [{ code, message: detail }] }
  return fail(reply, status, pointer === undefined ? error : { ...error, source: { pointer } })
}

function fail(reply: FastifyReply, status: number, error: ApiError): FastifyReply {
  const envelope: Envelope<never> = { success: false, errors: [error], messages: [], result: null }
  return reply.code(status).send(envelope)
}
