import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Metrics } from '#observe/metrics.ts'
import type { OperatorToken } from '#registry/accounts/operator-token.ts'
import { turnAway } from './answer.ts'

export interface ProbesWorld {
  readonly operatorToken: OperatorToken
  readonly metrics: Pick<Metrics, 'text' | 'contentType'>
  /** Must not reject, and must answer within seconds. */
  readonly readiness: () => Promise<readonly PartReadiness[]>
}

/** Whether one part of the service can do its work. */
export interface PartReadiness {
  readonly part: string
  readonly ready: boolean
  /** What is wrong, for the operator alone: it may name hosts of the inside. */
  readonly detail?: string
  /** What is wrong, for the operator alone, with a part that mail can do without. */
  readonly warning?: string
}

/** For those who watch the service. `/healthz`: does the process answer? Restart it if not. `/readyz`: may mail come here?
 *  These two tell strangers nothing that they could use, so that a load balancer needs no token; Host is looked at as
 *  everywhere. With the operator's token `/readyz` says what is wrong. `/metrics` tells how much mail there is, so it wants the operator's token, also from this machine: behind a
 *  proxy here everybody comes from this machine. */
export function probeRoutes(app: FastifyInstance, world: ProbesWorld): void {
  app.get('/healthz', (_request, reply) => plain(reply, 200).send('ok\n'))

  app.get('/readyz', async (request, reply) => {
    const found = await world.readiness()
    const ready = found.every((part) => part.ready)
    const parts = isOperator(request, world) ? found : found.map(({ part, ready }) => ({ part, ready }))
    return reply
      .code(ready ? 200 : 503)
      .header('cache-control', 'no-store')
      .send({ ready, parts })
  })

  app.get('/metrics', async (request, reply) => {
    if (!isOperator(request, world))
      return turnAway(reply, 'unauthorized', 'Send the operator token as "Authorization: Bearer <token>".')
    return plain(reply, 200)
      .type(world.metrics.contentType)
      .send(await world.metrics.text())
  })
}

function isOperator({ headers }: FastifyRequest, { operatorToken }: ProbesWorld): boolean {
  const secret = /^Bearer ([\x21-\x7e]{1,512})$/i.exec(headers.authorization ?? '')?.[1]
  return secret !== undefined && operatorToken.matches(secret)
}

function plain(reply: FastifyReply, status: number): FastifyReply {
  return reply.code(status).type('text/plain; charset=utf-8').header('cache-control', 'no-store')
}
