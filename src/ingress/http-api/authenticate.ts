import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Log } from '#observe/log.ts'
import type { Accounts, Permission, Principal } from '#registry/accounts/accounts.ts'
import type { AuditActor } from '#registry/accounts/audit.ts'
import { isGrantedSomewhere } from '#registry/accounts/policy.ts'
import { turnAway } from './answer.ts'
import { checkCredentials, readCredentials } from './credentials.ts'

export interface Ask {
  readonly accounts: Accounts
  readonly log: Log
  readonly accountId: string
  readonly permission: Permission
  /** A permission in one of the account's zones is enough to be let in: what is asked for is checked against its zone
   *  later. */
  readonly inSomeZone?: boolean
}

const actors = new WeakMap<FastifyRequest, AuditActor>()

/** Who was let in, for the audit log. */
export function actorOf(request: FastifyRequest): AuditActor {
  const actor = actors.get(request)
  if (!actor) throw new Error('nobody was let in with this request')
  return actor
}

/** Who asks, and may they? Out: the principal, or undefined once the reply has said no. The path's account id chooses
 *  the account; one in which the token cannot act answers as one that does not exist (promise 6). */
export async function authenticate(
  request: FastifyRequest,
  reply: FastifyReply,
  ask: Ask,
): Promise<Principal | undefined> {
  const { log, accountId, permission, inSomeZone = false } = ask
  let principal: Principal | 'no-token' | 'invalid-token' | 'other-account'
  try {
    principal = await principalOf(request, ask.accounts, accountId.toLowerCase())
  } catch (error) {
    log.error({ err: error }, 'http: the token store is out of reach')
    turnAway(reply, 'authenticationUnavailable', 'The token could not be checked; try again.')
    return undefined
  }
  if (principal === 'no-token') {
    turnAway(reply, 'unauthorized', 'Send an API token as "Authorization: Bearer <token>".')
    return undefined
  }
  if (principal === 'invalid-token') {
    turnAway(reply, 'unauthorized', 'The API token is not valid, or not valid here and now.')
    return undefined
  }
  if (principal === 'other-account') {
    turnAway(reply, 'notFound', 'There is no such account for this token.')
    return undefined
  }
  if (inSomeZone ? !isGrantedSomewhere(principal, permission) : !principal.permissions.has(permission)) {
    turnAway(reply, 'forbidden', `The API token lacks the permission "${permission}".`)
    return undefined
  }
  return principal
}

async function principalOf(
  request: FastifyRequest,
  accounts: Accounts,
  accountId: string,
): Promise<Principal | 'no-token' | 'invalid-token' | 'other-account'> {
  const { headers, ip } = request
  const credentials = readCredentials(headers)
  if (credentials.kind === 'missing' || credentials.kind === 'malformed') return 'no-token'
  const found = await checkCredentials(accounts, credentials, ip)
  if (found.kind !== 'valid') return 'invalid-token'
  actors.set(request, { tokenId: found.token.id, userId: found.token.userId, address: ip })
  return (await accounts.principal(found.token, accountId)) ?? 'other-account'
}
