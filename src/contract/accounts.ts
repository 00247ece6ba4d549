import { z } from 'zod'
import { operation } from './operation.ts'
import { pageQuery } from './paging.ts'

/** Accounts, and the user who asks with its memberships. */
export const accountBody = z
  .object({
    id: z.string(),
    name: z.string(),
    type: z.literal('standard'),
    created_on: z.string(),
    settings: z.object({ enforce_twofactor: z.boolean() }),
  })
  .meta({ id: 'Account' })
export type AccountBody = z.output<typeof accountBody>

const direction = z.enum(['asc', 'desc']).default('asc')

export const listAccounts = operation({
  id: 'accounts.list',
  method: 'GET',
  path: '/accounts',
  summary: 'Lists the accounts in which the token acts.',
  permission: 'none',
  scope: 'user',
  query: pageQuery.extend({ name: z.string().optional(), direction }),
  result: z.array(accountBody),
  paging: 'pages',
})

export const getAccount = operation({
  id: 'accounts.get',
  method: 'GET',
  path: '/accounts/{account_id}',
  summary: 'Shows an account.',
  permission: 'Account Settings:Read',
  scope: 'account',
  result: accountBody,
})

export const updateAccount = operation({
  id: 'accounts.update',
  method: 'PUT',
  path: '/accounts/{account_id}',
  summary: 'Renames an account.',
  permission: 'Account Settings:Edit',
  scope: 'account',
  // Clients send back what they read.
  body: z.object({ name: z.string().trim().min(1).max(100) }).meta({ examples: [{ name: 'Our company' }] }),
  result: accountBody,
})

export const userBody = z
  .object({
    id: z.string(),
    email: z.string(),
    first_name: z.string().nullable(),
    last_name: z.string().nullable(),
    telephone: z.string().nullable(),
    country: z.string().nullable(),
    zipcode: z.string().nullable(),
    two_factor_authentication_enabled: z.boolean(),
    suspended: z.boolean(),
  })
  .meta({ id: 'User' })

export const getUser = operation({
  id: 'user.get',
  method: 'GET',
  path: '/user',
  summary: 'Shows the user whose token asks.',
  permission: 'none',
  scope: 'user',
  result: userBody,
})

export const newApiKey = operation({
  id: 'user.api_key.update',
  method: 'PUT',
  path: '/user/api_key',
  summary: 'Makes the API key of the user, in place of the one it had, and shows it, once.',
  permission: 'Account Settings:Edit',
  scope: 'user',
  result: z.object({ api_key: z.string() }),
})

export const membershipBody = z
  .object({
    id: z.string(),
    account: z.object({ id: z.string(), name: z.string(), type: z.literal('standard') }),
    status: z.literal('accepted'),
    api_access_enabled: z.null(),
    roles: z.array(z.string()),
  })
  .meta({ id: 'Membership' })
export type MembershipBody = z.output<typeof membershipBody>

export const listMemberships = operation({
  id: 'memberships.list',
  method: 'GET',
  path: '/memberships',
  summary: 'Lists the accounts of which the user is a member, with its roles.',
  permission: 'none',
  scope: 'user',
  query: pageQuery.extend({
    'account.name': z.string().optional(),
    name: z.string().optional(),
    status: z.enum(['accepted', 'pending', 'rejected']).optional(),
    order: z.enum(['id', 'account.name', 'status']).optional(),
    direction,
  }),
  result: z.array(membershipBody),
  paging: 'pages',
})

export const getMembership = operation({
  id: 'memberships.get',
  method: 'GET',
  path: '/memberships/{membership_id}',
  summary: 'Shows a membership of the user.',
  permission: 'none',
  scope: 'user',
  result: membershipBody,
})

export const accountsOperations = [
  listAccounts,
  getAccount,
  updateAccount,
  getUser,
  newApiKey,
  listMemberships,
  getMembership,
]
