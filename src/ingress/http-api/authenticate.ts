import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Log } from '#observe/log.ts'
import type { Accounts, Permission, Principal } from '#registry/accounts/accounts.ts'
import type { AuditActor } from '#registry/accounts/audit.ts'
import { isGrantedSomewhere } from '#registry/accounts/policy.ts'
import { turnAway } from './answer.ts'
import { letIn } from './credentials.ts'

export interface Ask {
  readonly accounts: Accounts
  readonly log: Log
  readonly accountId: string
  readonly permission: Permission
  /** A permission in one of the account's zones is enough to be let in: what is asked for is checked against its zone
   *  later. */
  readonly inSomeZone?: boolean
  /** Who may ask here at all; absent: whoever has a token, and whoever is signed in. */
  readonly only?: 'tokens' | 'sessions'
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
  const { log, permission, inSomeZone = false } = ask
  let principal: Principal | Turned
  try {
    principal = await principalOf(request, ask)
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
  if (principal === 'wrong-kind') {
    turnAway(reply, 'badTokenType', WRONG_KIND[ask.only ?? 'tokens'])
    return undefined
  }
  if (principal === 'other-account') {
    turnAway(reply, 'notFound', 'There is no such account for this token.')
    return undefined
  }
  if ('forged' in principal) {
    turnAway(reply, 'foreignOrigin', principal.forged)
    return undefined
  }
  if (inSomeZone ? !isGrantedSomewhere(principal, permission) : !principal.permissions.has(permission)) {
    turnAway(reply, 'forbidden', `The API token lacks the permission "${permission}".`)
    return undefined
  }
  return principal
}

type Turned = 'no-token' | 'invalid-token' | 'wrong-kind' | 'other-account' | { readonly forged: string }

const WRONG_KIND = {
  tokens: 'This wants an API token, not the session of somebody who is signed in.',
  sessions: 'This is for somebody who is signed in, not for an API token.',
} as const

async function principalOf(
  request: FastifyRequest,
  { accounts, accountId, only }: Ask,
): Promise<Principal | Turned> {
  const found = await letIn(request, accounts)
  switch (found.kind) {
    case 'missing':
    case 'malformed':
      return 'no-token'
    case 'not-valid':
      return 'invalid-token'
    case 'forged':
      return { forged: found.detail }
    case 'valid': {
      const { token } = found
      if (only !== undefined && (only === 'sessions') !== (token.session !== undefined)) return 'wrong-kind'
      actors.set(request, { tokenId: token.id, userId: token.userId, address: request.ip })
      return (await accounts.principal(token, accountId.toLowerCase())) ?? 'other-account'
    }
  }
}
