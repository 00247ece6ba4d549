import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { ApiError, Envelope } from '#contract/envelope.ts'
import type { Operation } from '#contract/operation.ts'
import type { ResultInfo } from '#contract/paging.ts'
import type { Log } from '#observe/log.ts'
import type { Accounts, Principal, Token } from '#registry/accounts/accounts.ts'
import { readJson } from './read-json.ts'

/** One operation of the control plane, served: who asks and may they, is the request in its shape, and the envelope
 *  around what the handler says. */
export interface ServedBy {
  readonly accounts: Accounts
  readonly log: Log
  /** The account that a zone belongs to; undefined for an id that is none's. */
  readonly accountOfZone: (zoneId: string) => Promise<string | undefined>
}

/** Who asks. `principal` is there for operations of an account or a zone. */
export interface Actor {
  readonly token: Token
  readonly principal: Principal
  readonly address: string
}

export interface Call<Query, Body> {
  readonly by: Actor
  /** Of the account in whose name it is: the path's, or the zone's owner. */
  readonly accountId: string
  readonly params: Readonly<Record<string, string>>
  readonly query: Query
  readonly body: Body
}

/** What a handler answers. */
export type Answer<Result> = { readonly result: Result; readonly info?: ResultInfo } | Fault

/** An expected no. Clients choose by the status and read the code; `detail` is the sentence for a person. */
export interface Fault {
  readonly status: 400 | 403 | 404 | 409 | 422 | 429
  readonly code: number
  readonly message: string
  readonly detail?: string
  /** The field that is at fault (RFC 6901). */
  readonly pointer?: string
}

/** Another account's id answers as one that nobody has (promise 6). */
export const NO_SUCH_OBJECT: Fault = {
  status: 404,
  code: 7003,
  message: 'Could not route to this path, perhaps your object identifier is invalid?',
}

const paramsShape = z.record(z.string(), z.string())

export function serveOperation<Query, Body, Result extends object | null>(
  api: FastifyInstance,
  { operation, world }: { readonly operation: Operation<Query, Body, Result>; readonly world: ServedBy },
  handle: (call: Call<Query, Body>) => Promise<Answer<Result>>,
): void {
  api.route({
    method: operation.method,
    url: operation.path.replaceAll(/\{(\w+)\}/g, ':$1'),
    handler: async (request, reply) => {
      const params = paramsShape.parse(request.params)
      const admitted = await admit(request, params, operation, world)
      if ('status' in admitted) return refuse(reply, admitted)
      const query = readQuery(request.query, operation)
      if ('fault' in query) return refuse(reply, query.fault)
      const body = readBody(request.body, operation)
      if ('fault' in body) return refuse(reply, body.fault)
      const { by, accountId } = admitted
      const answer = await handle({ by, accountId, params, query: query.value, body: body.value })
      if ('status' in answer) return refuse(reply, answer)
      return reply.code(200).send(envelope(answer.result, answer.info))
    },
  })
}

async function admit(
  request: FastifyRequest,
  params: Readonly<Record<string, string>>,
  { permission, scope }: Pick<Operation, 'permission' | 'scope'>,
  { accounts, accountOfZone, log }: ServedBy,
): Promise<
  { readonly by: Actor; readonly accountId: string } | (Omit<Fault, 'status'> & { status: number })
> {
  const secret = readSecret(request)
  if (typeof secret === 'object') return secret
  try {
    const found = await accounts.authenticate(secret)
    if (found.kind !== 'valid') {
      return { ...NOT_VALID, detail: 'The API token is not valid: unknown, expired or revoked.' }
    }
    const { token } = found
    const accountId =
      scope === 'account'
        ? params['account_id']?.toLowerCase()
        : scope === 'zone'
          ? await accountOfZone(params['zone_id']?.toLowerCase() ?? '')
          : (token.accountId ?? undefined)
    const principal = accountId === undefined ? undefined : await accounts.principal(token, accountId)
    if (accountId === undefined || !principal) return NO_SUCH_OBJECT
    if (permission !== 'none' && !principal.permissions.has(permission)) {
      return { ...LACKING, detail: `The API token lacks the permission "${permission}".` }
    }
    return { by: { token, principal, address: request.ip }, accountId }
  } catch (error) {
    log.error({ err: error }, 'http: the token store is out of reach')
    return { status: 503, code: 10100, message: 'The token could not be checked; try again.' }
  }
}

const NOT_VALID = { status: 401, code: 10000, message: 'Authentication error' } as const
const LACKING = { status: 403, code: 9109, message: 'Unauthorized to access requested resource' } as const

function readSecret(request: FastifyRequest): string | { status: number; code: number; message: string } {
  const { authorization } = request.headers
  if (authorization === undefined) {
    return { status: 401, code: 9106, message: 'Missing Authorization header: send "Bearer <API token>"' }
  }
  const secret = /^Bearer ([\x21-\x7e]{1,512})$/i.exec(authorization)?.[1]
  return secret ?? { status: 400, code: 6003, message: 'Invalid request headers' }
}

type Read<T> = { readonly value: T } | { readonly fault: Fault }

function readQuery<Query>(given: unknown, { query }: Operation<Query>): Read<Query> {
  // Without a shape the handler looks at none.
  if (!query) return { value: undefined as Query }
  const parsed = query.safeParse(given)
  if (parsed.success) return { value: parsed.data }
  const [issue] = parsed.error.issues
  const name = issue?.path.join('.') ?? ''
  const detail = `The query parameter '${name}': ${issue?.message ?? 'not valid'}.`
  return { fault: { status: 400, code: 1004, message: 'Invalid query', detail, pointer: `?${name}` } }
}

function readBody<Body>(
  given: unknown,
  { body, bodyMayBeMissing = false }: Operation<unknown, Body>,
): Read<Body> {
  if (!body) return { value: undefined as Body }
  const missing = !Buffer.isBuffer(given) || given.length === 0
  const read = readJson(missing && bodyMayBeMissing ? Buffer.from('{}') : given, body, {})
  if (read.ok) return { value: read.value }
  const { detail, pointer } = read.refusal
  const message = 'Request body is invalid'
  return {
    fault: { status: 400, code: 1001, message, detail, ...(pointer !== undefined && { pointer }) },
  }
}

function refuse(
  reply: FastifyReply,
  fault: Omit<Fault, 'status'> & { readonly status: number },
): FastifyReply {
  const { status, code, message, detail, pointer } = fault
  const error: ApiError = {
    code,
    message,
    ...(detail !== undefined && { error_chain: [{ code, message: detail }] }),
    ...(pointer !== undefined && { source: { pointer } }),
  }
  const refused: Envelope<never> = { success: false, errors: [error], messages: [], result: null }
  return reply.code(status).send(refused)
}

function envelope(result: object | null, info: ResultInfo | undefined): object {
  return { success: true, errors: [], messages: [], result, ...(info && { result_info: info }) }
}
