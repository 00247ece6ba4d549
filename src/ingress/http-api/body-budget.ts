import type { FastifyReply } from 'fastify'

/** Bodies in memory at one time, all requests together, each until its answer is out. */
export interface BodyBudget {
  /** False when there is no room. What was reserved is given back with the connection's answer, however it ends. */
  reserve(bytes: number, reply: FastifyReply): boolean
}

const MOST_BYTES = 256 * 1_048_576

export function openBodyBudget(most = MOST_BYTES): BodyBudget {
  let reserved = 0
  return {
    reserve(bytes, reply) {
      if (reserved + bytes > most) return false
      reserved += bytes
      reply.raw.once('close', () => {
        reserved -= bytes
      })
      return true
    },
  }
}
