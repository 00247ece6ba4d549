import type { FastifyReply } from 'fastify'
import { turnAway } from './answer.ts'

/** 429 with the time after which another try is welcome. */
export function overloaded(reply: FastifyReply, detail: string, seconds = 5): FastifyReply {
  reply.header('retry-after', String(seconds))
  return turnAway(reply, 'overloaded', detail)
}
