import { setTimeout } from 'node:timers/promises'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Metrics } from '#observe/metrics.ts'
import type { Accounts } from '#registry/accounts/accounts.ts'
import type { OperatorToken } from '#registry/accounts/operator-token.ts'
import { turnAway } from './answer.ts'
import { letIn } from './credentials.ts'
import { sessionSecretOf } from './session-cookie.ts'

export interface ProbesWorld {
  readonly accounts: Accounts
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
 *  everywhere. With the operator's token, and to an operator who is signed in, `/readyz` says what is wrong. `/metrics` tells how much
 *  mail there is, so it wants the operator's token, also from this machine: behind a proxy here everybody comes from this
 *  machine. */
export function probeRoutes(app: FastifyInstance, world: ProbesWorld): void {
  app.get('/healthz', (_request, reply) => plain(reply, 200).send('ok\n'))

  app.get('/readyz', async (request, reply) => {
    const found = await world.readiness()
    const ready = found.every((part) => part.ready)
    const isTold = hasOperatorToken(request, world) || (await isSignedInOperator(request, world))
    const parts = isTold ? found : found.map(({ part, ready }) => ({ part, ready }))
    return reply
      .code(ready ? 200 : 503)
      .header('cache-control', 'no-store')
      .send({ ready, parts })
  })

  app.get('/metrics', async (request, reply) => {
    if (!hasOperatorToken(request, world))
      return turnAway(reply, 'unauthorized', 'Send the operator token as "Authorization: Bearer <token>".')
    return plain(reply, 200)
      .type(world.metrics.contentType)
      .send(await world.metrics.text())
  })
}

function hasOperatorToken({ headers }: FastifyRequest, { operatorToken }: ProbesWorld): boolean {
  const secret = /^Bearer ([\x21-\x7e]{1,512})$/i.exec(headers.authorization ?? '')?.[1]
  return secret !== undefined && operatorToken.matches(secret)
}

/** Where sessions cannot be read that is what is wrong, and everybody is told no more than a stranger. */
async function isSignedInOperator(request: FastifyRequest, { accounts }: ProbesWorld): Promise<boolean> {
  if (sessionSecretOf(request) === undefined) return false
  const late = setTimeout(PATIENCE_MS, undefined, { ref: false })
  const found = await Promise.race([letIn(request, accounts).catch(() => undefined), late])
  return found?.kind === 'valid' && found.token.session?.operator === true
}

/** A probe that asks has an answer within seconds. */
const PATIENCE_MS = 2000

function plain(reply: FastifyReply, status: number): FastifyReply {
  return reply.code(status).type('text/plain; charset=utf-8').header('cache-control', 'no-store')
}
