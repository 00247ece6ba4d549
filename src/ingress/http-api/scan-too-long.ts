import type { FastifyInstance } from 'fastify'
import { ScanTimeout } from '#store/scan-timeout.ts'
import { turnAway } from './answer.ts'

/** What asks for too much at once is told so; everything else is the door's to explain. */
export function explainLongScan(routes: FastifyInstance, advice: string): void {
  routes.setErrorHandler((error, _request, reply) => {
    if (!(error instanceof ScanTimeout)) throw error
    return turnAway(reply, 'overloaded', `Looking for it took too long. ${advice}`)
  })
}
