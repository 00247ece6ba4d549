import { z } from 'zod'
import { operation } from './operation.ts'
import { pageQuery } from './paging.ts'

/** The members of an account, with the shapes of the original: who may sign in and act in it, and who is invited. */
export const ROLE_IDS = {
  admin: '05784afa30c1afe1440e79d9351c7430',
  member: '1c3a2f5f0d8e4a7fb4a6c0d1e2f3a4b5',
} as const

export const roleBody = z
  .object({
    id: z.string(),
    name: z.enum(['Administrator', 'Member']),
    description: z.string(),
    /** By what they are about, as the original groups them. */
    permissions: z.record(z.string(), z.object({ read: z.boolean(), write: z.boolean() })),
  })
  .meta({ id: 'Role' })
export type RoleBody = z.output<typeof roleBody>

export const memberBody = z
  .object({
    id: z.string(),
    /** `pending`: invited, and has not accepted. */
    status: z.enum(['accepted', 'pending']),
    user: z.object({
      /** Null while the member is invited. */
      id: z.string().nullable(),
      email: z.string(),
      first_name: z.null(),
      last_name: z.null(),
      two_factor_authentication_enabled: z.boolean(),
    }),
    roles: z.array(roleBody),
    created_on: z.string(),
    /** Until when an invitation can be accepted; of members that have, null. */
    expires_on: z.string().nullable(),
  })
  .meta({ id: 'Member' })
export type MemberBody = z.output<typeof memberBody>

export const invitedMemberBody = memberBody
  .extend({
    /** Where the invitation is accepted, for who invites to hand over where the installation cannot send mail; shown here
     *  and nowhere else. Null where it was mailed: whoever accepts then reads the mail of the address. */
    invitation_url: z.string().nullable(),
  })
  .meta({ id: 'InvitedMember' })
export type InvitedMemberBody = z.output<typeof invitedMemberBody>

const roles = z.array(z.string()).length(1, 'must be one role')

export const inviteMemberRequest = z
  .object({ email: z.string().min(3).max(320), roles })
  .meta({ examples: [{ email: 'user@example.com', roles: [ROLE_IDS.member] }] })

/** Clients send back what they read: a role is its id, or an object with it. */
export const updateMemberRequest = z
  .object({
    roles: z.array(z.union([z.string(), z.object({ id: z.string() })])).length(1, 'must be one role'),
  })
  .meta({ examples: [{ roles: [{ id: ROLE_IDS.member }] }] })

const READ = { permission: 'Account Settings:Read', scope: 'account' } as const
const EDIT = { permission: 'Account Settings:Edit', scope: 'account' } as const

export const listMembers = operation({
  id: 'account.members.list',
  method: 'GET',
  path: '/accounts/{account_id}/members',
  summary: 'Lists the members of an account and those who are invited.',
  ...READ,
  query: pageQuery.extend({
    status: z.enum(['accepted', 'pending', 'rejected']).optional(),
    order: z.enum(['user.email', 'status']).optional(),
    direction: z.enum(['asc', 'desc']).default('asc'),
  }),
  result: z.array(memberBody),
  paging: 'pages',
})

export const inviteMember = operation({
  id: 'account.members.create',
  method: 'POST',
  path: '/accounts/{account_id}/members',
  summary:
    'Invites somebody by mail; where no mail can be sent, shows the link. Invited again, they get a new one, and the one before stops working.',
  ...EDIT,
  body: inviteMemberRequest,
  result: invitedMemberBody,
})

export const getMember = operation({
  id: 'account.members.get',
  method: 'GET',
  path: '/accounts/{account_id}/members/{member_id}',
  summary: 'Shows a member.',
  ...READ,
  result: memberBody,
})

export const updateMember = operation({
  id: 'account.members.update',
  method: 'PUT',
  path: '/accounts/{account_id}/members/{member_id}',
  summary: 'Gives a member another role. The last administrator remains one.',
  ...EDIT,
  body: updateMemberRequest,
  result: memberBody,
})

export const deleteMember = operation({
  id: 'account.members.delete',
  method: 'DELETE',
  path: '/accounts/{account_id}/members/{member_id}',
  summary: 'Takes a member out of the account, or takes an invitation back. The last administrator remains.',
  ...EDIT,
  result: z.object({ id: z.string() }),
})

export const listRoles = operation({
  id: 'account.roles.list',
  method: 'GET',
  path: '/accounts/{account_id}/roles',
  summary: 'Lists the roles that members have.',
  ...READ,
  query: pageQuery,
  result: z.array(roleBody),
  paging: 'pages',
})

export const memberOperations = [listMembers, inviteMember, getMember, updateMember, deleteMember, listRoles]
