import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import {
  acceptPasswordReset,
  lookAtPasswordReset,
  type PasswordResetBody,
  requestPasswordReset,
} from '#contract/session.ts'
import type { Address } from '#model/address.ts'
import { isAddress, parseAddress } from '#protocol/address.ts'
import type { From, SignedIn } from '#registry/accounts/people.ts'
import { succeed } from './answer.ts'
import { apiTime } from './api-time.ts'
import type { Fault } from './fault.ts'
import { overloaded } from './overloaded.ts'
import { refuseFault } from './refuse-fault.ts'
import { clientOf, INVALID, isResetByMail, readBody, refuseSignIn } from './session-answer.ts'
import type { SessionWorld } from './session-world.ts'

const SMALL_BODY = 8192
/** The page of the dashboard that the link leads to. */
const RESET_PATH = '/reset-password'
/** Wishes that are being seen to. */
const MOST_WAITING = 100

export interface BeginsSession {
  readonly from: (request: FastifyRequest) => From
  readonly begin: (request: FastifyRequest, reply: FastifyReply, signed: SignedIn) => Promise<FastifyReply>
}

/** How somebody who forgot a password chooses another: the link of a mail shows whose mailbox it is, and no more than that.
 *  The answer to who asks for one comes before anybody looks whether there is such a user: neither it nor its time can
 *  tell. */
export function passwordResetRoutes(
  api: FastifyInstance,
  world: SessionWorld,
  { from, begin }: BeginsSession,
): void {
  const { people } = world.accounts
  const small = { bodyLimit: SMALL_BODY }
  const wishes = openWishes(world)
  api.addHook('onClose', () => wishes.done())

  api.post('/password-resets', small, async (request, reply) => {
    if (!isResetByMail(request, world)) return refuseFault(reply, NO_MAIL)
    const body = readBody(request, reply, requestPasswordReset)
    if (!body) return reply
    const email = parseAddress(body.email)
    if (!isAddress(email)) return refuseFault(reply, { ...INVALID, detail: email.detail, pointer: '/email' })
    const client = clientOf(request)
    const retryAfterMs = people.takeReset(client)
    if (retryAfterMs > 0) {
      const seconds = Math.ceil(retryAfterMs / 1000)
      const detail = `From your network many passwords were said to be forgotten; try again in ${Math.ceil(seconds / 60)} minutes.`
      return overloaded(reply, detail, seconds)
    }
    if (!wishes.add(() => mailLink(email, client, world)))
      return overloaded(reply, 'Many people ask for a new password at once; try again in a moment.')
    return succeed(reply, {})
  })

  api.post('/password-resets/look', small, async (request, reply) => {
    const body = readBody(request, reply, lookAtPasswordReset)
    if (!body) return reply
    const reset = await people.findReset(body.token)
    if (!reset) return refuseFault(reply, NO_LINK)
    const result: PasswordResetBody = { email: reset.email, expires_at: apiTime(reset.expiresAt) }
    return succeed(reply, result)
  })

  api.post('/password-resets/accept', small, async (request, reply) => {
    const body = readBody(request, reply, acceptPasswordReset)
    if (!body) return reply
    const reset = await people.findReset(body.token)
    const signed = reset && (await people.resetPassword(reset, body.password, from(request)))
    if (!signed || signed.kind === 'gone') return refuseFault(reply, NO_LINK)
    if (signed.kind === 'signed-in') return begin(request, reply, signed)
    return refuseSignIn(reply, signed, 'The password was changed once more meanwhile; sign in with that one.')
  })
}

async function mailLink(
  email: Address,
  client: ReturnType<typeof clientOf>,
  { accounts, dashboard, now }: SessionWorld,
): Promise<void> {
  const { resetMail, service } = dashboard
  const promised = await accounts.people.forgot(email, client, async (to, token) => {
    const address = parseAddress(to)
    // Where a user's own address is none by now, as little comes of it as of nobody's.
    if (!isAddress(address)) return []
    // Behind the '#' no server, log or Referer gets to see it.
    const link = `${service().public_url}${RESET_PATH}#${token}`
    return resetMail.promise({ to: address, link, at: now() })
  })
  if (promised) resetMail.promised()
}

/** What was answered already, one after the other. */
function openWishes({ log }: Pick<SessionWorld, 'log'>) {
  let waiting = 0
  let last: Promise<void> = Promise.resolve()
  return {
    /** False where too many wait. */
    add(work: () => Promise<void>): boolean {
      if (waiting >= MOST_WAITING) return false
      waiting += 1
      last = last
        // In a turn of its own, when the answer is on its way.
        .then(() => new Promise((resolve) => setImmediate(resolve)))
        .then(work)
        .catch((error: unknown) =>
          log.error({ err: error }, 'http: a link to reset a password was not mailed'),
        )
        .finally(() => (waiting -= 1))
      return true
    },
    done: () => last,
  }
}

/** One answer for whatever is wrong with a link: who guesses learns nothing. */
const NO_LINK: Fault = {
  status: 404,
  code: 7003,
  message: 'There is no such password reset',
  detail: 'This link was used, has expired, or a newer one took its place. Ask for another one.',
}

const NO_MAIL: Fault = {
  status: 409,
  code: 1009,
  message: 'Passwords cannot be reset by mail',
  detail: 'This installation cannot send mail to you. Whoever operates it can set a new password for you.',
}
