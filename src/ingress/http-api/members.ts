import type { FastifyInstance } from 'fastify'
import {
  deleteMember,
  getMember,
  type InvitedMemberBody,
  inviteMember,
  listMembers,
  listRoles,
  type MemberBody,
  updateMember,
} from '#contract/members.ts'
import { pageInfo } from '#contract/paging.ts'
import type { InvitationMail } from '#outbound/notices/invitation-mail.ts'
import { isAddress, parseAddress } from '#protocol/address.ts'
import { auditWrite } from '#registry/accounts/audit.ts'
import type { Invitation } from '#registry/accounts/invitations.ts'
import type { Member, TeamChange } from '#registry/accounts/members.ts'
import type { Write } from '#store/store.ts'
import { invitedBody, memberBody, ROLES, roleOfId } from './member-body.ts'
import {
  type Actor,
  type Answer,
  type Call,
  type Fault,
  LACKING,
  NO_SUCH_OBJECT,
  type ServedBy,
  serveOperation,
} from './serve-operation.ts'

export interface MembersWorld extends ServedBy {
  readonly invitationMail: InvitationMail
  /** What is mailed to people gets to them, and to nobody else. Where it does not, whoever invites hands the link over;
   *  elsewhere nobody sees it who does not read the mail of the address. */
  readonly mailArrives: boolean
  /** Where people reach this door. Never what a request says: its sender would choose where links of our mail lead. */
  readonly publicUrl: () => string
  readonly now: () => number
}

/** The page of the dashboard that accepts. */
const INVITATION_PATH = '/invitations'

/** `/accounts/{account_id}/members` and `…/roles`. Only an administrator changes who is one of them. */
export function memberRoutes(api: FastifyInstance, world: MembersWorld): void {
  const { team, people } = world.accounts

  serveOperation(api, { operation: listRoles, world }, async ({ query }) => {
    const { page, per_page } = query
    const result = ROLES.slice((page - 1) * per_page, page * per_page)
    return { result, info: pageInfo(query, result.length, ROLES.length) }
  })

  serveOperation(api, { operation: listMembers, world }, async ({ accountId, query }) => {
    const [members, invitations] = await Promise.all([
      team.list(accountId),
      people.invitations.list(accountId),
    ])
    const all = [...members.map(memberBody), ...invitations.map(invitedBody)].filter(
      ({ status }) => query.status === undefined || query.status === status,
    )
    const key = ({ user, status }: MemberBody) =>
      query.order === 'user.email' ? user.email.toLowerCase() : status
    if (query.order !== undefined) all.sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0))
    if (query.direction === 'desc') all.reverse()
    const { page, per_page } = query
    const result = all.slice((page - 1) * per_page, page * per_page)
    return { result, info: pageInfo(query, result.length, all.length) }
  })

  serveOperation(api, { operation: inviteMember, world }, (call) => invite(call, world))

  serveOperation(api, { operation: getMember, world }, async (call) => {
    const found = await find(call, world)
    return found ? { result: found.body } : NO_SUCH_OBJECT
  })

  serveOperation(api, { operation: updateMember, world }, async (call) => {
    const { by, accountId, body } = call
    const found = await find(call, world)
    if (!found) return NO_SUCH_OBJECT
    if (!by.principal.administrator) return NO_ADMINISTRATOR
    const [wish] = body.roles
    const role = roleOfId(typeof wish === 'object' ? wish.id : wish)
    if (!role) return NO_SUCH_ROLE
    const after = found.member
      ? memberBody({ ...found.member, role })
      : invitedBody({ ...found.invitation, role })
    const audit = line(call, world, 'member.update', { before: found.body, after })
    const changed = found.member
      ? await team.setRole(found.member, accountId, role, [audit])
      : doneIf(await people.invitations.setRole(accountId, found.invitation.id, role, [audit]))
    return changed === 'done' ? { result: after } : unchanged(changed)
  })

  serveOperation(api, { operation: deleteMember, world }, async (call) => {
    const { by, accountId } = call
    const found = await find(call, world)
    if (!found) return NO_SUCH_OBJECT
    if (!by.principal.administrator) return NO_ADMINISTRATOR
    const audit = line(call, world, 'member.delete', { before: found.body })
    const removed = found.member
      ? await team.remove(found.member, accountId, [audit])
      : doneIf(await people.invitations.withdraw(accountId, found.invitation.id, [audit]))
    return removed === 'done' ? { result: { id: found.body.id } } : unchanged(removed)
  })
}

type Found =
  | { readonly body: MemberBody; readonly member: Member; readonly invitation?: never }
  | { readonly body: MemberBody; readonly invitation: Invitation; readonly member?: never }

async function find(
  { accountId, params }: Pick<Call<unknown, unknown>, 'accountId' | 'params'>,
  { accounts }: MembersWorld,
): Promise<Found | undefined> {
  const id = params['member_id']?.toLowerCase() ?? ''
  const member = await accounts.team.get(accountId, id)
  if (member) return { body: memberBody(member), member }
  const invitation = await accounts.people.invitations.get(accountId, id)
  return invitation && { body: invitedBody(invitation), invitation }
}

async function invite(
  call: Call<unknown, { readonly email: string; readonly roles: readonly string[] }>,
  world: MembersWorld,
): Promise<Answer<InvitedMemberBody>> {
  const { by, accountId, body } = call
  const { invitationMail, mailArrives, publicUrl, now, accounts } = world
  if (!by.principal.administrator) return NO_ADMINISTRATOR
  const role = roleOfId(body.roles[0])
  if (!role) return NO_SUCH_ROLE
  const to = parseAddress(body.email)
  if (!isAddress(to)) return { ...INVALID, detail: to.detail, pointer: '/email' }
  const members = await accounts.team.list(accountId)
  if (members.some(({ email }) => email.toLowerCase() === to.toLowerCase())) {
    return { ...INVALID, detail: `${to} is a member of the account already.`, pointer: '/email' }
  }
  const at = now()
  if (!invitationMail.take({ accountId, to, at })) {
    const detail = 'This address, or this account, was sent many invitations; try again in an hour.'
    return { status: 429, code: 10004, message: 'Throttled', detail }
  }
  const linkOf = (token: string) => `${publicUrl()}${INVITATION_PATH}/${token}`
  const invited = await accounts.people.invitations.invite(
    accountId,
    { email: to, role },
    async (invitation, token) => [
      ...(mailArrives ? await invitationMail.promise({ accountId, to, link: linkOf(token), at }) : []),
      line(call, world, 'member.invite', { after: invitedBody(invitation) }),
    ],
  )
  if (mailArrives) invitationMail.promised()
  const invitation_url = mailArrives ? null : linkOf(invited.token)
  return { result: { ...invitedBody(invited.invitation), invitation_url } }
}

function line(
  { by, accountId }: { readonly by: Actor; readonly accountId: string },
  { now }: MembersWorld,
  action: string,
  { before, after }: { readonly before?: MemberBody; readonly after?: MemberBody },
): Write {
  const shown = (member: MemberBody | undefined) =>
    member && { email: member.user.email, status: member.status, role: member.roles[0]?.name }
  return auditWrite({
    ...{ accountId, actor: by.audit, action, at: now() },
    resource: { type: 'member', id: (after ?? before)?.id ?? '' },
    before: shown(before),
    after: shown(after),
  })
}

function doneIf(done: boolean): TeamChange {
  return done ? 'done' : 'gone'
}

function unchanged(change: Exclude<TeamChange, 'done'>): Fault {
  return change === 'gone' ? NO_SUCH_OBJECT : LAST_ADMINISTRATOR
}

const INVALID = { status: 400, code: 1001, message: 'Request body is invalid' } as const

const NO_SUCH_ROLE: Fault = {
  ...INVALID,
  detail: `'roles' takes the id of one role: ${ROLES.map(({ id, name }) => `${id} (${name})`).join(' or ')}.`,
  pointer: '/roles/0',
}

const LAST_ADMINISTRATOR: Fault = {
  status: 400,
  code: 1001,
  message: 'The last administrator remains',
  detail: 'Nobody would administer the account any more: make somebody else an administrator first.',
}

const NO_ADMINISTRATOR: Fault = {
  ...LACKING,
  detail: 'Only an administrator of the account, with "Account Settings:Edit", changes its members.',
}
