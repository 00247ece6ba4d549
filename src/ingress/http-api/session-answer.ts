import type { FastifyReply, FastifyRequest } from 'fastify'
import type { z } from 'zod'
import type { SessionBody } from '#contract/session.ts'
import type { NotSignedIn } from '#registry/accounts/people.ts'
import { type Client, csrfTokenOf, type Session } from '#registry/accounts/sessions.ts'
import { succeed } from './answer.ts'
import type { Fault } from './fault.ts'
import { hostName, isLoopback } from './guard.ts'
import { readJson } from './read-json.ts'
import { holdsNul } from './read-operation.ts'
import { refuseFault } from './refuse-fault.ts'
import { sessionSecretOf } from './session-cookie.ts'
import { sessionForgery } from './session-guard.ts'
import type { SessionWorld } from './session-world.ts'

/** Who is signed in, as `GET /session/v1` says it, by the secret of a session. */
export async function answerSession(
  request: FastifyRequest,
  reply: FastifyReply,
  world: SessionWorld,
  secret: string | undefined,
): Promise<FastifyReply> {
  const { people } = world.accounts
  const session = secret === undefined ? undefined : await people.sessions.find(secret)
  const isHere = isOneClick(request, world)
  const { ca, ...service } = world.dashboard.service()
  const body: SessionBody = {
    development: isHere,
    password_resets: isResetByMail(request, world),
    user: session ? { id: session.userId, email: session.email, operator: session.operator } : null,
    csrf_token: session && secret !== undefined ? csrfTokenOf(secret) : null,
    accounts: session ? await accountsOf(session, world) : [],
    // A path of this machine is nobody else's business.
    service: { ...service, ...(session && isHere && ca !== undefined && { ca }) },
  }
  return succeed(reply, body)
}

async function accountsOf({ userId }: Session, { accounts }: SessionWorld): Promise<SessionBody['accounts']> {
  const memberships = await accounts.memberships(userId)
  const found = await Promise.all(
    memberships.map(async ({ accountId, role }) => {
      const account = await accounts.account(accountId)
      return account && { id: account.id, name: account.name, role, sending_enabled: account.sendingEnabled }
    }),
  )
  return found.filter((account) => account !== undefined)
}

/** One click signs in whoever sits at this machine: a name that others may reach it by is none to click at, and a proxy,
 *  which may ask for others, often says `localhost`. */
export function isOneClick({ headers }: FastifyRequest, { dashboard }: SessionWorld): boolean {
  if (dashboard.developmentUser === undefined || OF_PROXIES.some((name) => name in headers)) return false
  return isLoopback(hostName(headers.host) ?? '')
}

/** A link is mailed where its mail reaches the one whom it is for. In development that is the inbox, which whoever reaches
 *  this door reads: so there only for who sits at this machine. */
export function isResetByMail(request: FastifyRequest, world: SessionWorld): boolean {
  const { mailArrives, developmentUser } = world.dashboard
  return mailArrives && (developmentUser === undefined || isOneClick(request, world))
}

const OF_PROXIES = [
  ...['forwarded', 'via', 'x-real-ip', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto'],
  ...['x-forwarded-server', 'x-forwarded-port', 'cf-connecting-ip', 'true-client-ip'],
]

export function clientOf({ ip, headers }: FastifyRequest): Client {
  return { address: ip, userAgent: headers['user-agent'] ?? '' }
}

/** Who is signed in, and may this be done in their name? Out: undefined once the reply has said no. */
export async function signedIn(
  request: FastifyRequest,
  reply: FastifyReply,
  { accounts }: SessionWorld,
): Promise<Session | undefined> {
  const secret = sessionSecretOf(request)
  const detail = secret === undefined ? undefined : sessionForgery(request, secret)
  if (detail !== undefined) {
    refuseFault(reply, { status: 403, code: 10102, message: 'Cross-site request refused', detail })
    return undefined
  }
  const session = secret === undefined ? undefined : await accounts.people.sessions.find(secret)
  if (!session) refuseFault(reply, NOBODY)
  return session
}

const NOBODY: Fault = {
  status: 401,
  code: 10000,
  message: 'Authentication error',
  detail: 'Nobody is signed in, or no longer; sign in first.',
}

/** The body in its shape; undefined once the reply has said what is wrong with it. */
export function readBody<T>(
  request: FastifyRequest,
  reply: FastifyReply,
  schema: z.ZodType<T>,
): T | undefined {
  const read = readJson(request.body, schema, {})
  if (read.ok && !holdsNul(read.value)) return read.value
  const { detail, pointer } = read.ok ? { detail: 'The body holds a NUL character.' } : read.refusal
  refuseFault(reply, { ...INVALID, detail, ...(pointer !== undefined && { pointer }) })
  return undefined
}

export const INVALID = { status: 400, code: 1001, message: 'Request body is invalid' } as const

/** The same for an address that nobody has and for a password that is another. */
export function refuseSignIn(reply: FastifyReply, not: NotSignedIn, wrong: string): FastifyReply {
  if (not.kind === 'wrong')
    return refuseFault(reply, { status: 401, code: 10000, message: 'Authentication error', detail: wrong })
  const seconds = not.kind === 'limited' ? Math.ceil(not.retryAfterMs / 1000) : 1
  reply.header('retry-after', seconds)
  const detail =
    not.kind === 'limited'
      ? `There were too many wrong passwords; try again in ${Math.ceil(seconds / 60)} minutes.`
      : 'Too many sign in at once; try again in a second.'
  return refuseFault(reply, { status: 429, code: 10004, message: 'Throttled', detail })
}
