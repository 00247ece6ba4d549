import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Principal } from '#registry/accounts/accounts.ts'
import { turnAway } from './answer.ts'
import { authenticate } from './authenticate.ts'
import type { BodyBudget } from './body-budget.ts'
import type { HttpWorld } from './http-world.ts'
import { overloaded } from './overloaded.ts'

const params = z.object({ accountId: z.string() })
const principals = new WeakMap<FastifyRequest, Principal>()

/** Before a single byte of a body is kept. newer-facts.md asks for Edit on every call, the reading ones too. */
export async function admitToSuppressions(
  request: FastifyRequest,
  reply: FastifyReply,
  world: HttpWorld,
): Promise<FastifyReply | undefined> {
  const { accountId } = params.parse(request.params)
  const { accounts, log } = world
  const permission = 'Email Sending:Edit'
  const by = await authenticate(request, reply, { accounts, log, accountId, permission })
  if (!by) return reply
  principals.set(request, by)
  return undefined
}

export function principalOf(request: FastifyRequest): Principal {
  const by = principals.get(request)
  if (!by) throw new Error('a request that was not admitted reached its handler')
  return by
}

/** Room for a body of this route, for as long as its connection lasts. Out: the reply, once it has said no. */
export function reserveBody(
  request: FastifyRequest,
  reply: FastifyReply,
  { bodies, limit }: { readonly bodies: BodyBudget; readonly limit: number },
): FastifyReply | undefined {
  const length = request.headers['content-length']
  // A body without its length may become as long as the route takes.
  const bytes = length === undefined ? limit : Number(length)
  if (bytes > limit) {
    return turnAway(reply, 'tooBig', `The request body has ${bytes} bytes; this route takes ${limit}.`)
  }
  if (bodies.reserve(bytes, reply)) return undefined
  return overloaded(reply, 'Too many large requests at once; try again in a few seconds.')
}
