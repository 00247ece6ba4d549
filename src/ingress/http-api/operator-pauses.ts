import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { type PauseBody, type PauseRequest, pauseRequest } from '#contract/operator.ts'
import type { Pause } from '#outbound/queue/pauses.ts'
import { refuse, succeed, turnAway } from './answer.ts'
import { iso } from './delivery-body.ts'
import type { SelectionFault } from './operator-selection.ts'
import type { OperatorWorld } from './operator-world.ts'
import { readDomain } from './read-domain.ts'
import { readJson } from './read-json.ts'
import { readDuration, readTime } from './read-moment.ts'

/** Every poll of the queue passes over as many domains. */
const MOST_PAUSES = 5000

export async function listPauses(
  _request: FastifyRequest,
  reply: FastifyReply,
  { hands }: OperatorWorld,
): Promise<FastifyReply> {
  return succeed(reply, hands.pauses.list().map(pauseBody))
}

/** `POST /pauses`; of one that is there it changes the reason and the end. */
export async function pauseRoute(
  request: FastifyRequest,
  reply: FastifyReply,
  { hands, now }: OperatorWorld,
): Promise<FastifyReply> {
  const body = readJson(request.body, pauseRequest, { domain: 'name', host: 'name' })
  if (!body.ok) return refuse(reply, body.refusal)
  const { kind, reason = '' } = body.value
  const name = readDomain(body.value.name)
  if (name === undefined) {
    const detail = 'name must be a domain name, or the name of an MX host.'
    return refuse(reply, { kind: 'field-invalid', detail, pointer: '/name' })
  }
  const until = readEnd(body.value, now())
  if (typeof until === 'object') return refuse(reply, { kind: 'field-invalid', ...until })
  if (hands.pauses.list().length >= MOST_PAUSES)
    return turnAway(reply, 'overloaded', `There are ${MOST_PAUSES} pauses already; end some of them.`)
  return succeed(reply, pauseBody(await hands.pauses.pause(kind, name, reason, until)))
}

function readEnd({ until, for: duration }: PauseRequest, now: number): number | undefined | SelectionFault {
  if (until !== undefined && duration !== undefined)
    return { pointer: '/for', detail: 'Give either until or for, not both.' }
  if (duration !== undefined) {
    const ms = readDuration(duration)
    return ms ? now + ms : { pointer: '/for', detail: 'for must be a duration, such as 90s, 15m, 2h or 7d.' }
  }
  if (until === undefined) return undefined
  const at = readTime(until)
  if (at === undefined || at <= now)
    return { pointer: '/until', detail: 'until must be a time to come, with its offset.' }
  return at
}

const path = z.object({ kind: z.string(), name: z.string() })

/** `DELETE /pauses/{kind}/{name}`. */
export async function resumeRoute(
  request: FastifyRequest,
  reply: FastifyReply,
  { hands }: OperatorWorld,
): Promise<FastifyReply> {
  const asked = path.parse(request.params)
  const kind = (['domain', 'host'] as const).find((known) => known === asked.kind)
  const name = readDomain(asked.name)
  const pause = hands.pauses.list().find((each) => each.kind === kind && each.name === name)
  const resumed = kind && name !== undefined && (await hands.pauses.resume(kind, name))
  if (!resumed) return turnAway(reply, 'notFound', 'There is no such pause.')
  return succeed(reply, pause ? pauseBody(pause) : { kind, name })
}

export function pauseBody({ kind, name, reason, until, createdAt }: Pause): PauseBody {
  return { kind, name, reason, until: until === null ? null : iso(until), created_at: iso(createdAt) }
}
