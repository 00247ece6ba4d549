import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { QueueBody } from '#contract/operator.ts'
import { QUEUE_ACTIONS } from '#contract/operator.ts'
import type { OperatorHands } from '#outbound/queue/operator-hands.ts'
import type { QueueStats } from '#outbound/queue/queue-stats.ts'
import { succeed, turnAway } from './answer.ts'
import { letIn } from './credentials.ts'
import { iso } from './delivery-body.ts'
import { actRoute } from './operator-act.ts'
import { deliveriesRoute, timelineRoute } from './operator-deliveries.ts'
import { listPauses, pauseBody, pauseRoute, resumeRoute } from './operator-pauses.ts'
import { type OperatorQuotaWorld, quotaRoute, setQuotaRoute } from './operator-quota.ts'
import { type OperatorUsersWorld, setUserRoute } from './operator-users.ts'
import type { OperatorWorld } from './operator-world.ts'
import { explainLongScan } from './scan-too-long.ts'
import { type ServiceDomainWorld, serviceDomainRoutes } from './service-domain.ts'

type Route = (request: FastifyRequest, reply: FastifyReply, world: OperatorWorld) => Promise<FastifyReply>

const SMALL_BODY = 65_536

/** The queue of the whole installation, what accounts may send and who signs in, for whoever runs it: `/operator/v1`. No
 *  account's token opens it, and this token opens nothing else; somebody who is signed in and an operator needs none. */
export function operatorRoutes(
  api: FastifyInstance,
  world: OperatorWorld & OperatorQuotaWorld & OperatorUsersWorld & ServiceDomainWorld,
): void {
  explainLongScan(api, 'Narrow the selection.')
  // Before a single byte of a body is kept.
  api.addHook('onRequest', async (request, reply) => {
    const secret = /^Bearer ([\x21-\x7e]{1,512})$/i.exec(request.headers.authorization ?? '')?.[1]
    if (secret !== undefined && world.operatorToken.matches(secret)) return undefined
    if (request.headers.authorization === undefined) {
      const found = await letIn(request, world.accounts)
      if (found.kind === 'forged') return turnAway(reply, 'foreignOrigin', found.detail)
      if (found.kind === 'valid' && found.token.session?.operator === true) return undefined
      if (found.kind === 'valid') return turnAway(reply, 'forbidden', 'Only an operator may do this.')
    }
    return turnAway(reply, 'unauthorized', 'Send the operator token as "Authorization: Bearer <token>".')
  })
  const handler = (route: Route) => (request: FastifyRequest, reply: FastifyReply) =>
    route(request, reply, world)
  const small = { bodyLimit: SMALL_BODY }
  api.get('/queue', handler(queueRoute))
  api.get('/deliveries', handler(deliveriesRoute))
  api.get('/deliveries/:id/timeline', handler(timelineRoute))
  for (const action of QUEUE_ACTIONS)
    api.post(`/deliveries/${action}`, small, (request, reply) => actRoute(request, reply, world, action))
  api.get('/pauses', handler(listPauses))
  api.post('/pauses', small, handler(pauseRoute))
  api.delete('/pauses/:kind/:name', small, handler(resumeRoute))
  serviceDomainRoutes(api, world)
  api.get('/accounts/:account_id/quota', (request, reply) => quotaRoute(request, reply, world))
  api.put('/accounts/:account_id/quota', small, (request, reply) => setQuotaRoute(request, reply, world))
  api.post('/users', small, (request, reply) => setUserRoute(request, reply, world))
}

async function queueRoute(
  _request: FastifyRequest,
  reply: FastifyReply,
  { hands }: OperatorWorld,
): Promise<FastifyReply> {
  return succeed(reply, queueBody(await hands.stats(), hands))
}

function queueBody(stats: QueueStats, { pauses }: OperatorHands): QueueBody {
  const { totals, accounts, domains, lanes, failing, oldest } = stats
  return {
    totals,
    accounts: accounts.map(({ accountId, ...rest }) => ({ account_id: accountId, ...rest })),
    domains,
    lanes,
    failing: failing.map(({ accountId, domain, failures, nextAttemptAt }) => ({
      account_id: accountId,
      domain,
      failures,
      next_attempt_at: iso(nextAttemptAt),
    })),
    oldest: oldest && {
      id: oldest.id,
      domain: oldest.domain,
      state: oldest.state,
      created_at: iso(oldest.createdAt),
      expires_at: iso(oldest.expiresAt),
    },
    paused: pauses.list().map(pauseBody),
  }
}
