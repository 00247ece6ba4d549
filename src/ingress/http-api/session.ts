import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { changePasswordRequest, type SessionEntry } from '#contract/session.ts'
import { succeed } from './answer.ts'
import { apiTime } from './api-time.ts'
import { refuseFault } from './refuse-fault.ts'
import { NO_SUCH_OBJECT } from './serve-operation.ts'
import { answerSession, clientOf, readBody, refuseSignIn, signedIn } from './session-answer.ts'
import { sessionSecretOf } from './session-cookie.ts'
import type { SessionWorld } from './session-world.ts'
import { signInRoutes } from './sign-in.ts'

const SMALL_BODY = 8192
const params = z.object({ id: z.string() })

/** `/session/v1`: who is signed in with this browser, and what they may do about it. */
export function sessionRoutes(api: FastifyInstance, world: SessionWorld): void {
  const { people } = world.accounts
  const small = { bodyLimit: SMALL_BODY }
  signInRoutes(api, world)

  api.get('', (request, reply) => answerSession(request, reply, world, sessionSecretOf(request)))

  for (const everywhere of [false, true]) {
    api.post(`/sign-out${everywhere ? '-everywhere' : ''}`, small, async (request, reply) => {
      const session = await signedIn(request, reply, world)
      if (!session) return reply
      const client = clientOf(request)
      await (everywhere ? people.signOutEverywhere(session, client) : people.signOut(session, client))
      reply.header('set-cookie', world.dashboard.cookie.clear)
      return answerSession(request, reply, world, undefined)
    })
  }

  api.get('/sessions', async (request, reply) => {
    const session = await signedIn(request, reply, world)
    if (!session) return reply
    const all = await people.sessions.list(session.userId)
    const result: SessionEntry[] = all.map((each) => ({
      id: each.id,
      current: each.id === session.id,
      created_at: apiTime(each.createdAt),
      last_used_at: apiTime(each.lastUsedAt),
      expires_at: apiTime(each.expiresAt),
      address: each.address,
      user_agent: each.userAgent,
    }))
    return succeed(reply, result)
  })

  api.delete('/sessions/:id', small, async (request, reply) => {
    const session = await signedIn(request, reply, world)
    if (!session) return reply
    const id = params.parse(request.params).id.toLowerCase()
    const ended = /^[0-9a-f]{32}$/.test(id) && (await people.endSession(session, clientOf(request), id))
    if (!ended) return refuseFault(reply, NO_SUCH_OBJECT)
    if (id === session.id) reply.header('set-cookie', world.dashboard.cookie.clear)
    return succeed(reply, { id })
  })

  api.post('/password', small, async (request, reply) => {
    const session = await signedIn(request, reply, world)
    if (!session) return reply
    const body = readBody(request, reply, changePasswordRequest)
    if (!body) return reply
    const change = { current: body.current_password, next: body.new_password }
    const changed = await people.changePassword(session, clientOf(request), change)
    if (changed !== 'changed') return refuseSignIn(reply, changed, 'The current password is another.')
    return answerSession(request, reply, world, sessionSecretOf(request))
  })
}
