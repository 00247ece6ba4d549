import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { turnAway } from './answer.ts'
import { authenticate } from './authenticate.ts'
import type { HttpWorld } from './http-world.ts'

/** Routes of Email Sending that the specification has and this version has not. Their callers learn that (10003), where
 *  a route that nobody knows is 404/7003. */
const NOT_BUILT = ['limits', 'zones']
const params = z.object({ accountId: z.string() })

export function notBuiltRoutes(api: FastifyInstance, world: HttpWorld): void {
  for (const resource of NOT_BUILT) {
    for (const path of ['', '/*']) {
      api.all(`/accounts/:accountId/email/sending/${resource}${path}`, async (request, reply) => {
        const { accountId } = params.parse(request.params)
        const permission = 'Email Sending:Read'
        const by = await authenticate(request, reply, { ...world, accountId, permission })
        if (!by) return reply
        // An SDK would repeat it on a 5xx, to no avail.
        reply.header('x-should-retry', 'false')
        return turnAway(
          reply,
          'notImplemented',
          `/email/sending/${resource} is not part of this version yet.`,
        )
      })
    }
  }
}
