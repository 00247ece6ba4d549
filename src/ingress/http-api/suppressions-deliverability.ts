import type { FastifyReply, FastifyRequest } from 'fastify'
import type { DeliverabilityResult } from '#contract/suppressions.ts'
import type { ForeseenCheck } from '#outbound/accept/foresee.ts'
import { succeed, turnAway } from './answer.ts'
import type { HttpWorld } from './http-world.ts'
import { readQuery } from './read-query.ts'
import { answerRefusal } from './refusal-answers.ts'
import { suppressionDetail } from './suppressions-answers.ts'
import { principalOf } from './suppressions-door.ts'

/** `GET …/deliverability?recipient=…&from=…`: would a message be sent, and if not, why? Ours. Nothing is sent or
 *  counted; the question is well formed whatever stands in it, so the answer is 200. */
export async function deliverabilityRoute(
  request: FastifyRequest,
  reply: FastifyReply,
  world: HttpWorld,
): Promise<FastifyReply> {
  const by = principalOf(request)
  const values = readQuery(request.query)
  if ('twice' in values) {
    return turnAway(reply, 'invalidSchema', `The parameter '${values.twice}' must stand once.`)
  }
  const recipient = values.get('recipient')
  const from = values.get('from')
  if (recipient === undefined || from === undefined) {
    const detail = 'Ask with both parameters, as in ?recipient=user@example.com&from=app@yourdomain.com.'
    return turnAway(reply, 'invalidSchema', detail)
  }
  const { checks, refusal } = await world.foresee({ recipient, from }, by)
  const answer = refusal && answerRefusal(refusal)
  const result: DeliverabilityResult = {
    recipient,
    from,
    would_send: checks.every(({ passed }) => passed === true),
    refusal: answer
      ? { status: answer.status, code: answer.error.code, name: answer.error.error_chain?.[0]?.name ?? '' }
      : null,
    checks: checks.map(checkOf),
  }
  return succeed(reply, result)
}

function checkOf({
  check,
  passed,
  detail,
  suppression,
  quota,
}: ForeseenCheck): DeliverabilityResult['checks'][number] {
  return {
    check,
    passed,
    detail,
    ...(suppression && { suppression: suppressionDetail(suppression) }),
    ...(quota && { quota }),
  }
}
