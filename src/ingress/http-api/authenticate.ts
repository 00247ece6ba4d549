import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Log } from '#observe/log.ts'
import type { Accounts, Permission, Principal } from '#registry/accounts/accounts.ts'
import { turnAway } from './answer.ts'

/** Who asks, and may they? Out: the principal, or undefined once the reply has said no. The path's account id chooses
 *  the account; one in which the token cannot act answers as one that does not exist (promise 6). */
export async function authenticate(
  request: FastifyRequest,
  reply: FastifyReply,
  ask: { accounts: Accounts; log: Log; accountId: string; permission: Permission },
): Promise<Principal | undefined> {
  const { accounts, log, accountId, permission } = ask
  const secret = /^Bearer ([\x21-\x7e]{1,512})$/i.exec(request.headers.authorization ?? '')?.[1]
  if (secret === undefined) {
    turnAway(reply, 'unauthorized', 'Send an API token as "Authorization: Bearer <token>".')
    return undefined
  }
  let principal: Principal | 'invalid-token' | 'other-account'
  try {
    principal = await principalOf(accounts, secret, accountId.toLowerCase())
  } catch (error) {
    log.error({ err: error }, 'http: the token store is out of reach')
    turnAway(reply, 'authenticationUnavailable', 'The token could not be checked; try again.')
    return undefined
  }
  if (principal === 'invalid-token') {
    turnAway(reply, 'unauthorized', 'The API token is not valid: unknown, expired or revoked.')
    return undefined
  }
  if (principal === 'other-account') {
    turnAway(reply, 'notFound', 'There is no such account for this token.')
    return undefined
  }
  if (!principal.permissions.has(permission)) {
    turnAway(reply, 'forbidden', `The API token lacks the permission "${permission}".`)
    return undefined
  }
  return principal
}

async function principalOf(
  accounts: Accounts,
  secret: string,
  accountId: string,
): Promise<Principal | 'invalid-token' | 'other-account'> {
  const found = await accounts.authenticate(secret)
  if (found.kind !== 'valid') return 'invalid-token'
  return (await accounts.principal(found.token, accountId)) ?? 'other-account'
}
