import { randomBytes } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { type OperatorUser, setUserRequest } from '#contract/operator-users.ts'
import { isAddress, parseAddress } from '#protocol/address.ts'
import type { Accounts } from '#registry/accounts/accounts.ts'
import { refuse, succeed, turnAway } from './answer.ts'
import { overloaded } from './overloaded.ts'
import { readJson } from './read-json.ts'

export interface OperatorUsersWorld {
  readonly accounts: Accounts
}

/** `POST /users`: how an installation gets its first operator, and how whoever lost a password gets another. */
export async function setUserRoute(
  request: FastifyRequest,
  reply: FastifyReply,
  { accounts }: OperatorUsersWorld,
): Promise<FastifyReply> {
  const body = readJson(request.body, setUserRequest, {})
  if (!body.ok) return refuse(reply, body.refusal)
  const { password, operator, account_id } = body.value
  const email = parseAddress(body.value.email)
  if (!isAddress(email))
    return refuse(reply, { kind: 'field-invalid', detail: email.detail, pointer: '/email' })
  const accountId = account_id?.toLowerCase()
  if (accountId !== undefined && !(await accounts.account(accountId)))
    return turnAway(reply, 'invalidSchema', 'There is no such account.', '/account_id')
  const known = await accounts.people.userOfEmail(email)
  const isNeeded = password === undefined && known?.password === undefined
  const made = isNeeded ? randomBytes(15).toString('base64url') : undefined
  const given = password ?? made
  const set = await accounts.people.setUser({
    email,
    ...(given !== undefined && { password: given }),
    ...(operator !== undefined && { operator }),
  })
  if (set === 'busy') return overloaded(reply, 'Too many sign in at once; try again in a second.')
  if (accountId !== undefined) await accounts.addMember(accountId, set.id, 'admin')
  const user = await accounts.people.user(set.id)
  const result: OperatorUser = {
    ...{ id: set.id, email: user?.email ?? email, operator: user?.operator ?? false },
    ...{ created: set.created, password: made ?? null },
  }
  return succeed(reply, result)
}
