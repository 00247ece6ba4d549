import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import {
  acceptInvitationRequest,
  type InvitationBody,
  newPassword,
  signInRequest,
} from '#contract/session.ts'
import type { SignedIn } from '#registry/accounts/people.ts'
import { succeed, turnAway } from './answer.ts'
import { apiTime } from './api-time.ts'
import { refuseFault } from './refuse-fault.ts'
import {
  answerSession,
  clientOf,
  INVALID,
  isOneClick,
  isResetByMail,
  readBody,
  refuseSignIn,
} from './session-answer.ts'
import { sessionSecretOf } from './session-cookie.ts'
import { passwordResetRoutes } from './session-resets.ts'
import type { SessionWorld } from './session-world.ts'

const SMALL_BODY = 8192
const params = z.object({ token: z.string() })

/** How a session begins: a password, one click in development, an invitation, the link of a reset. None of them asks for
 *  the token against forgery, which only a session has; that no other page signs its visitors in is the guard's, by
 *  Origin. */
export function signInRoutes(api: FastifyInstance, world: SessionWorld): void {
  const { people } = world.accounts
  const small = { bodyLimit: SMALL_BODY }
  const from = (request: FastifyRequest) => ({
    client: clientOf(request),
    instead: sessionSecretOf(request),
  })

  async function begin(request: FastifyRequest, reply: FastifyReply, { secret }: SignedIn) {
    reply.header('set-cookie', world.dashboard.cookie.set(secret))
    return answerSession(request, reply, world, secret)
  }

  api.post('/sign-in', small, async (request, reply) => {
    const body = readBody(request, reply, signInRequest)
    if (!body) return reply
    const signed = await people.signIn({ ...body, ...from(request) })
    if (signed.kind !== 'signed-in')
      return refuseSignIn(reply, signed, 'The e-mail address or the password is wrong.')
    return begin(request, reply, signed)
  })

  api.post('/sign-in/development', small, async (request, reply) => {
    const email = world.dashboard.developmentUser
    const signed =
      email !== undefined && isOneClick(request, world)
        ? await people.signInAs(email, from(request))
        : undefined
    if (!signed)
      return turnAway(reply, 'noRoute', 'One click signs in on the machine of a development instance only.')
    return begin(request, reply, signed)
  })

  passwordResetRoutes(api, world, { from, begin })

  const find = (request: FastifyRequest) => people.invitations.find(params.parse(request.params).token)

  api.get('/invitations/:token', async (request, reply) => {
    const invitation = await find(request)
    if (!invitation) return noInvitation(reply)
    const body: InvitationBody = {
      email: invitation.email,
      account: { id: invitation.accountId, name: invitation.accountName },
      role: invitation.role,
      expires_at: apiTime(invitation.expiresAt),
      existing_user: await people.isKnown(invitation),
    }
    return succeed(reply, body)
  })

  api.post('/invitations/:token', small, async (request, reply) => {
    const invitation = await find(request)
    if (!invitation) return noInvitation(reply)
    const body = readBody(request, reply, acceptInvitationRequest)
    if (!body) return reply
    if (!(await people.isKnown(invitation))) {
      const fresh = newPassword.safeParse(body.password)
      if (!fresh.success) {
        const detail = `'password': ${fresh.error.issues[0]?.message ?? 'is none'}.`
        return refuseFault(reply, { ...INVALID, detail, pointer: '/password' })
      }
    }
    const signed = await people.accept(invitation, body.password, from(request))
    if (signed.kind === 'signed-in') return begin(request, reply, signed)
    if (signed.kind === 'gone') return noInvitation(reply)
    if (signed.kind === 'unusable') {
      const how = isResetByMail(request, world)
        ? 'Choose one by "Forgot your password?" at the sign-in'
        : 'The operator can set one'
      const detail = `The user of this address has no password yet. ${how}, then open this link again.`
      return refuseFault(reply, { status: 409, code: 1009, message: 'Invitation cannot be accepted', detail })
    }
    return refuseSignIn(reply, signed, 'The password is not that of the user who has this address.')
  })
}

function noInvitation(reply: FastifyReply): FastifyReply {
  return refuseFault(reply, {
    status: 404,
    code: 7003,
    message: 'There is no such invitation',
    detail: 'It has been accepted or taken back, was sent again since, or has expired; ask for a new one.',
  })
}
