import { z } from 'zod'
import { EXAMPLE_ACCOUNT, EXAMPLE_PERMISSION_GROUP } from './example-ids.ts'
import { operation } from './operation.ts'
import { pageQuery } from './paging.ts'

/** API tokens of a user and of an account: what they may do, where, from where and until when. Who holds a token reads,
 *  makes and changes those that may do no more than itself. */
const ipRanges = z.array(z.string()).max(100, 'at most 100 ranges')
const time = z.iso.datetime({
  offset: true,
  error: 'must be a time of RFC 3339, such as 2027-01-01T00:00:00Z',
})

export const writtenResources = z.record(z.string(), z.union([z.string(), z.record(z.string(), z.string())]))

export const tokenCondition = z.object({
  request_ip: z
    .object({ in: ipRanges.nullish(), not_in: ipRanges.nullish() })
    .nullish()
    .describe('From where the token works: addresses and ranges in CIDR notation'),
})

const policy = z.object({
  effect: z.enum(['allow', 'deny']),
  permission_groups: z
    .array(z.object({ id: z.string() }))
    .min(1)
    .max(100),
  resources: writtenResources.describe(
    'com.cloudflare.api.account.<id>, com.cloudflare.api.account.zone.<id> or com.cloudflare.api.user.<id>, each with "*"; or of an account, in place of "*", its zones',
  ),
})

/** What a client that sends back what it read has in it as well. */
const echoed = {
  id: z.unknown().optional(),
  issued_on: z.unknown().optional(),
  modified_on: z.unknown().optional(),
  last_used_on: z.unknown().optional(),
  creator_email_at_creation: z.unknown().optional(),
}

export const tokenWish = z.strictObject({
  ...echoed,
  name: z.string().min(1).max(120),
  policies: z.array(policy).min(1).max(50),
  condition: tokenCondition.nullish(),
  not_before: time.nullish(),
  expires_on: time.nullish(),
  status: z.enum(['active', 'disabled', 'expired']).optional(),
})
const EXAMPLE = {
  examples: [
    {
      name: 'Newsletter',
      policies: [
        {
          effect: 'allow',
          permission_groups: [{ id: EXAMPLE_PERMISSION_GROUP }],
          resources: { [`com.cloudflare.api.account.${EXAMPLE_ACCOUNT}`]: '*' },
        },
      ],
    },
  ],
}

export type TokenWish = z.output<typeof tokenWish>

export const tokenBody = z
  .object({
    id: z.string(),
    name: z.string(),
    status: z.enum(['active', 'disabled', 'expired']),
    issued_on: z.string(),
    modified_on: z.string(),
    not_before: z.string().optional(),
    expires_on: z.string().optional(),
    creator_email_at_creation: z.string().optional(),
    policies: z.array(
      z.object({
        id: z.string(),
        effect: z.enum(['allow', 'deny']),
        permission_groups: z.array(z.object({ id: z.string(), name: z.string() })),
        resources: writtenResources,
      }),
    ),
    condition: z
      .object({
        request_ip: z.object({ in: z.array(z.string()).optional(), not_in: z.array(z.string()).optional() }),
      })
      .optional(),
  })
  .meta({ id: 'ApiToken' })
export type TokenBody = z.output<typeof tokenBody>

const madeToken = tokenBody.extend({ value: z.string().describe('The secret, shown here and nowhere else') })

const verified = z.object({
  id: z.string(),
  status: z.literal('active'),
  not_before: z.string().nullable(),
  expires_on: z.string().nullable(),
})

const permissionGroup = z
  .object({
    id: z.string(),
    name: z.string(),
    category: z.string(),
    is_selectable: z.boolean(),
    scopes: z.array(z.string()),
  })
  .meta({ id: 'PermissionGroup' })

const listQuery = pageQuery.extend({
  direction: z.enum(['asc', 'desc']).default('desc'),
  include_expired: z.enum(['true', 'false']).default('false'),
})
const groupsQuery = z.object({ name: z.string().optional(), scope: z.string().optional() })

const READ = 'Account Settings:Read'
const EDIT = 'Account Settings:Edit'

/** The same operations twice: a user's own tokens, and an account's. */
function tokenOperationsOf(scope: 'user' | 'account') {
  const base = scope === 'user' ? ('/user/tokens' as const) : ('/accounts/{account_id}/tokens' as const)
  const id = (verb: string) => `${scope}.tokens.${verb}` as const
  const whose = scope === 'user' ? 'the user' : 'the account'
  return {
    list: operation({
      id: id('list'),
      method: 'GET',
      path: base,
      summary: `Lists the API tokens of ${whose}.`,
      permission: READ,
      scope,
      query: listQuery,
      result: z.array(tokenBody),
      paging: 'pages',
    }),
    create: operation({
      id: id('create'),
      method: 'POST',
      path: base,
      summary: `Makes an API token of ${whose} and shows its secret, once.`,
      permission: EDIT,
      scope,
      body: tokenWish.meta(EXAMPLE),
      result: madeToken,
    }),
    get: operation({
      id: id('get'),
      method: 'GET',
      path: `${base}/{token_id}` as const,
      summary: 'Shows an API token without its secret.',
      permission: READ,
      scope,
      result: tokenBody,
    }),
    update: operation({
      id: id('update'),
      method: 'PUT',
      path: `${base}/{token_id}` as const,
      summary: 'Replaces what an API token may do, where and when.',
      permission: EDIT,
      scope,
      body: tokenWish.meta(EXAMPLE),
      refusals: [409],
      result: tokenBody,
    }),
    delete: operation({
      id: id('delete'),
      method: 'DELETE',
      path: `${base}/{token_id}` as const,
      summary: 'Revokes an API token.',
      permission: EDIT,
      scope,
      result: z.object({ id: z.string() }),
    }),
    roll: operation({
      id: id('roll'),
      method: 'PUT',
      path: `${base}/{token_id}/value` as const,
      summary: 'Gives an API token a new secret in place of the old one, which stops at once.',
      permission: EDIT,
      scope,
      refusals: [409],
      result: z.string(),
    }),
    permissionGroups: operation({
      id: id('permission_groups'),
      method: 'GET',
      path: `${base}/permission_groups` as const,
      summary: 'Lists what a token can be given.',
      permission: 'none',
      scope,
      query: groupsQuery,
      result: z.array(permissionGroup),
    }),
    verify: operation({
      id: id('verify'),
      method: 'GET',
      path: `${base}/verify` as const,
      summary: `Tells whether the token that asks works, and is ${scope === 'user' ? "a user's" : "the account's"}.`,
      permission: 'none',
      scope,
      result: verified,
    }),
  }
}

export const userTokens = tokenOperationsOf('user')
export const accountTokens = tokenOperationsOf('account')
export type TokenOperations = ReturnType<typeof tokenOperationsOf>

export const tokensOperations = [...Object.values(userTokens), ...Object.values(accountTokens)]
