import type { FastifyInstance } from 'fastify'
import { openBodyBudget } from './body-budget.ts'
import type { HttpWorld } from './http-world.ts'
import { FIELDS, serveSend } from './send.ts'

/** `POST /accounts/{account_id}/test-message`, below /session/v1: what the REST API's `send` takes and answers, for
 *  somebody who is signed in, whom that one refuses (10103). */
export function testMessageRoutes(api: FastifyInstance, world: HttpWorld): void {
  const door = { bodies: openBodyBudget(), only: 'sessions' } as const
  serveSend(api, '/accounts/:accountId/test-message', world, { ...door, ...FIELDS })
}
