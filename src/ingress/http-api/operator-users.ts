import { randomBytes } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { type OperatorUser, setUserRequest } from '#contract/operator-users.ts'
import { isAddress, parseAddress } from '#protocol/address.ts'
import type { Accounts } from '#registry/accounts/accounts.ts'
import { auditWrite } from '#registry/accounts/audit.ts'
import { refuse, succeed, turnAway } from './answer.ts'
import { overloaded } from './overloaded.ts'
import { readJson } from './read-json.ts'

export interface OperatorUsersWorld {
  readonly accounts: Accounts
  readonly now: () => number
}

/** `POST /users`: how an installation gets its first operator, and how whoever lost a password gets another. Audit logs
 *  tell of it, as of the service's own doing. */
export async function setUserRoute(
  request: FastifyRequest,
  reply: FastifyReply,
  world: OperatorUsersWorld,
): Promise<FastifyReply> {
  const { accounts } = world
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
  if (accountId !== undefined) await makeAdministrator({ accountId, userId: set.id, email }, world)
  const user = await accounts.people.user(set.id)
  const result: OperatorUser = {
    ...{ id: set.id, email: user?.email ?? email, operator: user?.operator ?? false },
    ...{ created: set.created, password: made ?? null },
  }
  return succeed(reply, result)
}

async function makeAdministrator(
  user: { readonly accountId: string; readonly userId: string; readonly email: string },
  { accounts, now }: OperatorUsersWorld,
): Promise<void> {
  const { accountId, userId, email } = user
  const member = (await accounts.team.list(accountId)).find((each) => each.userId === userId)
  if (member?.role === 'admin') return
  const audit = auditWrite({
    ...{ accountId, actor: 'system', at: now() },
    action: member ? 'member.update' : 'member.create',
    resource: { type: 'member', id: member?.id ?? userId },
    before: member && { email: member.email, role: member.role },
    after: { email: member?.email ?? email, role: 'admin' },
  })
  if (member) await accounts.team.setRole(member, accountId, 'admin', [audit])
  else await accounts.addMember(accountId, userId, 'admin', [audit])
}
