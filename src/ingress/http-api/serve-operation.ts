import type { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Operation } from '#contract/operation.ts'
import type { ResultInfo } from '#contract/paging.ts'
import type { Log } from '#observe/log.ts'
import type { Accounts, Permission, Principal, Token } from '#registry/accounts/accounts.ts'
import type { AuditActor } from '#registry/accounts/audit.ts'
import { permissionsIn } from '#registry/accounts/policy.ts'
import type { BodyBudget } from './body-budget.ts'
import { letIn, MALFORMED } from './credentials.ts'
import type { Fault } from './fault.ts'
import { holdsNul, readOperation } from './read-operation.ts'
import { refuseFault } from './refuse-fault.ts'
import { reserveBody } from './suppressions-door.ts'

/** One operation of the control plane, served: who asks and may they, is the request in its shape, and the envelope
 *  around what the handler says. */
export interface ServedBy {
  readonly accounts: Accounts
  readonly log: Log
  /** The account that a zone belongs to; undefined for an id that is none's. */
  readonly accountOfZone: (zoneId: string) => Promise<string | undefined>
}

/** Who asks. */
export interface Asker {
  readonly token: Token
  readonly address: string
  /** The same, for the audit log. */
  readonly audit: AuditActor
  /** What the token may do in an account; undefined where it may do nothing, and for an id that is no account's. */
  readonly principalIn: (accountId: string) => Promise<Principal | undefined>
}

/** Who asks about an account or a zone. */
export interface Actor extends Asker {
  /** In the account that it is about. */
  readonly principal: Principal
}

export interface Call<Query, Body> {
  readonly by: Actor
  /** The path's, or the zone's owner. */
  readonly accountId: string
  readonly params: Readonly<Record<string, string>>
  readonly query: Query
  readonly body: Body
  /** What the request says that its body is. */
  readonly contentType: string
  /** Where who asks has reached this server: `http://localhost:8025`. */
  readonly origin: string
}

export interface UserCall<Query, Body> {
  readonly by: Asker
  readonly params: Readonly<Record<string, string>>
  readonly query: Query
  readonly body: Body
}

export type { Fault } from './fault.ts'

/** What a handler answers. */
export type Answer<Result> =
  | {
      readonly result: Result
      readonly info?: ResultInfo
      readonly messages?: readonly { readonly code: number; readonly message: string; readonly type: null }[]
    }
  | Fault

/** What an operation with `resultTypes` answers in place of the envelope. A content that fails ends its connection, so
 *  that it does not look whole. */
export interface FileAnswer {
  readonly file: { readonly name: string; readonly type: string; readonly content: Readable }
}

/** Another account's id answers as one that nobody has (promise 6). */
export const NO_SUCH_OBJECT: Fault = {
  status: 404,
  code: 7003,
  message: 'Could not route to this path, perhaps your object identifier is invalid?',
}

/** The token may not do this; the same for what it may not know of. */
export const LACKING = {
  status: 403,
  code: 9109,
  message: 'Unauthorized to access requested resource',
} as const satisfies Fault

/** One answer for unknown, expired, revoked, disabled, not valid yet and not valid from there: who guesses learns
 *  nothing. */
export const NOT_VALID: Fault = {
  status: 401,
  code: 10000,
  message: 'Authentication error',
  detail: 'The credentials are not valid, or not valid here and now.',
}

/** Ids of accounts and zones count in any case. */
const paramsShape = z
  .record(z.string(), z.string())
  .transform((params) =>
    Object.fromEntries(
      Object.entries(params).map(([name, value]) => [name, SCOPES.has(name) ? value.toLowerCase() : value]),
    ),
  )
const SCOPES = new Set(['account_id', 'zone_id'])

interface Described<Query, Body, Result> {
  readonly operation: Operation<Query, Body, Result>
  readonly world: ServedBy
  /** What to say instead of NOT_VALID, where clients expect another code. */
  readonly notValid?: Fault
  /** Bodies longer than those of other operations: only for who has a token, and while there is room. */
  readonly large?: { readonly limit: number; readonly bodies: BodyBudget }
}

/** An operation of an account or a zone: what is another account's is not there (promise 6). */
export function serveOperation<Query, Body, Result>(
  api: FastifyInstance,
  described: Described<Query, Body, Result>,
  handle: (call: Call<Query, Body>) => Promise<Answer<Result> | FileAnswer>,
): void {
  const { operation, world } = described
  const { scope, permission } = operation
  if (scope === 'user') throw new TypeError(`${operation.id}: serveUserOperation serves what is of a user`)
  serve(api, described, async ({ by, params, query, body, contentType, origin }) => {
    const accountId =
      scope === 'account' ? params['account_id'] : await world.accountOfZone(params['zone_id'] ?? '')
    const principal = accountId === undefined ? undefined : await by.principalIn(accountId)
    if (accountId === undefined || !principal) return NO_SUCH_OBJECT
    const granted =
      scope === 'account' ? principal.permissions : permissionsIn(principal, params['zone_id'] ?? '')
    if (permission !== 'none' && !granted.has(permission)) return lacks(permission)
    const asked = readOperation(query, body, operation)
    if ('fault' in asked) return asked.fault
    return handle({ by: { ...by, principal }, accountId, params, contentType, origin, ...asked })
  })
}

/** An operation of whoever has the token, over all accounts in which it acts. Its permission is one that the token has
 *  somewhere: where that is enough, the handler decides. */
export function serveUserOperation<Query, Body, Result>(
  api: FastifyInstance,
  described: Described<Query, Body, Result>,
  handle: (call: UserCall<Query, Body>) => Promise<Answer<Result>>,
): void {
  const { operation } = described
  if (operation.scope !== 'user') throw new TypeError(`${operation.id}: serveOperation serves it`)
  serve(api, described, async ({ by, params, query, body }) => {
    const { permission } = operation
    if (permission !== 'none' && !by.token.permissions.has(permission)) return lacks(permission)
    const asked = readOperation(query, body, operation)
    if ('fault' in asked) return asked.fault
    return handle({ by, params, ...asked })
  })
}

interface Admitted {
  readonly by: Asker
  readonly params: Readonly<Record<string, string>>
  readonly query: unknown
  readonly body: unknown
  readonly contentType: string
  readonly origin: string
}

/** Who was let in before the body came. */
const admitted = new WeakMap<FastifyRequest, Asker>()

function serve<Query, Body, Result>(
  api: FastifyInstance,
  { operation, world, notValid = NOT_VALID, large }: Described<Query, Body, Result>,
  answer: (admitted: Admitted) => Promise<Answer<Result> | FileAnswer>,
): void {
  api.route({
    method: operation.method,
    url: operation.path.replaceAll(/\{(\w+)\}/g, ':$1'),
    ...(large && {
      bodyLimit: large.limit,
      // Before a single byte of the body is kept: strangers cost nothing.
      onRequest: async (request, reply) => {
        const asker = await authenticate(request, world, notValid)
        if ('status' in asker) return refuseFault(reply, asker)
        admitted.set(request, asker)
        return reserveBody(request, reply, large)
      },
    }),
    handler: async (request, reply) => {
      const asker = admitted.get(request) ?? (await authenticate(request, world, notValid))
      if ('status' in asker) return refuseFault(reply, asker)
      const params = paramsShape.parse(request.params)
      if (holdsNul(params)) return refuseFault(reply, NO_SUCH_OBJECT)
      const contentType = request.headers['content-type'] ?? ''
      const asked = { params, query: request.query, body: request.body, contentType }
      const answered = await answer({ by: asker, origin: originOf(request), ...asked })
      if ('status' in answered) return refuseFault(reply, answered)
      if ('file' in answered) return sendFile(reply, answered)
      const { result, info, messages = [] } = answered
      return reply
        .code(200)
        .send({ success: true, errors: [], messages, result, ...(info && { result_info: info }) })
    },
  })
}

/** The guard has looked at Host. A proxy before this server says whether TLS ended there; who says so himself is told
 *  what he said. */
function originOf({ headers }: FastifyRequest): string {
  const isSecure = headers['x-forwarded-proto'] === 'https'
  return `${isSecure ? 'https' : 'http'}://${headers.host ?? 'localhost'}`
}

async function authenticate(
  request: FastifyRequest,
  { accounts, log }: ServedBy,
  notValid: Fault,
): Promise<Asker | Fault> {
  const address = request.ip
  try {
    const found = await letIn(request, accounts)
    if (found.kind === 'missing') return NO_CREDENTIALS
    if (found.kind === 'malformed') return malformed(found.header)
    if (found.kind === 'forged') return forged(found.detail)
    if (found.kind !== 'valid') return notValid
    const { token } = found
    return {
      token,
      address,
      audit: { tokenId: token.id, userId: token.userId, address },
      principalIn: (accountId) => accounts.principal(token, accountId),
    }
  } catch (error) {
    log.error({ err: error }, 'http: the token store is out of reach')
    return { status: 503, code: 10100, message: 'The token could not be checked; try again.' }
  }
}

const NO_CREDENTIALS: Fault = {
  status: 401,
  code: 9106,
  message: 'Missing X-Auth-Key, X-Auth-Email or Authorization headers',
  detail: 'Send "Authorization: Bearer <API token>".',
}

function forged(detail: string): Fault {
  return { status: 403, code: 10102, message: 'Cross-site request refused', detail }
}

function malformed(header: keyof typeof MALFORMED): Fault {
  const detail = `Invalid format for ${header} header`
  return {
    status: 400,
    code: 6003,
    message: 'Invalid request headers',
    detail,
    detailCode: MALFORMED[header],
  }
}

function sendFile(reply: FastifyReply, { file }: FileAnswer): FastifyReply {
  return reply
    .code(200)
    .type(file.type)
    .header('content-disposition', `attachment; filename="${file.name}"`)
    .header('cache-control', 'no-store')
    .send(file.content)
}

function lacks(permission: Permission): Fault {
  return { ...LACKING, detail: `The API token lacks the permission "${permission}".` }
}
