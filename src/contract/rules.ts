import { z } from 'zod'
import { EXAMPLE_WORKER } from './example-ids.ts'
import { operation } from './operation.ts'
import { pageQuery } from './paging.ts'

/** Routing rules, catch-alls, and the plan that `wrangler deploy` asks for (api-routing-rules.md,
 *  api-routing-catch-all.md, clients.md §3.3). A client may send back a whole rule as it got it: what of it cannot be
 *  set is passed over. What values may be, beyond their shape, the registry says. */
const matcher = z
  .object({
    type: z.enum(['literal', 'all'], '"literal" or "all"'),
    field: z.literal('to', '"to"').optional(),
    /** The address that a literal matcher is for. */
    value: z.string().optional(),
  })
  .meta({ id: 'RuleMatcher' })

const action = z
  .object({
    type: z.enum(['forward', 'worker', 'drop'], '"forward", "worker" or "drop"'),
    /** One: a destination address, or the name of a Worker. None for `drop`. */
    value: z.array(z.string()).optional(),
  })
  .meta({ id: 'RuleAction' })

const source = z.enum(['api', 'wrangler'], '"api" or "wrangler"')

const MOST_CHARACTERS = 256
const name = z
  .string()
  .max(MOST_CHARACTERS, `${MOST_CHARACTERS} characters at most`)
  .refine((text) => text.isWellFormed() && !text.includes('\0'), 'text without NUL and halves of characters')

const HIGHEST_PRIORITY = 2_147_483_647
const priority = z
  .number('a number')
  .int('a whole number')
  .min(0, `from 0 to ${HIGHEST_PRIORITY}`)
  .max(HIGHEST_PRIORITY, `from 0 to ${HIGHEST_PRIORITY}`)

const WORKER_TAG = /^[\w-]{1,64}$/

const catchAllBody = z.object({
  matchers: z.array(matcher),
  actions: z.array(action),
  enabled: z.boolean().optional(),
  name: name.optional(),
  /** `api` unless given. */
  source: source.optional(),
  /** The tag of the Worker that manages the rule: there with `source: "wrangler"`, and only then kept. Never shown. */
  owner_worker_tag: z.string().regex(WORKER_TAG, 'the tag of a Worker').nullish(),
})

const ruleBody = catchAllBody.extend({ priority: priority.optional() })

const RULE = {
  examples: [
    {
      name: 'Support',
      matchers: [{ type: 'literal', field: 'to', value: 'support@yourdomain.com' }],
      actions: [{ type: 'forward', value: ['me@example.com'] }],
    },
  ],
}
const CATCH_ALL = { examples: [{ enabled: true, matchers: [{ type: 'all' }], actions: [{ type: 'drop' }] }] }

export type RuleBody = z.output<typeof ruleBody>
export type CatchAllBody = z.output<typeof catchAllBody>

const catchAll = z
  .object({
    id: z.string(),
    /** The id, under its older name. */
    tag: z.string(),
    name: z.string(),
    /** False, too, while the destination of a forward is not verified. */
    enabled: z.boolean(),
    source,
    matchers: z.array(matcher),
    actions: z.array(action),
  })
  .meta({ id: 'CatchAll' })

const ordered = catchAll.extend({ priority: z.number().int() })
const rule = ordered.meta({ id: 'RoutingRule' })
const accountRule = ordered
  .extend({ zone: z.object({ tag: z.string(), name: z.string() }) })
  .meta({ id: 'AccountRoutingRule' })

export type CatchAllResult = z.output<typeof catchAll>
export type RuleResult = z.output<typeof rule>
export type AccountRuleResult = z.output<typeof accountRule>

const listQuery = pageQuery.extend({
  enabled: z
    .enum(['true', 'false'], '"true" or "false"')
    .transform((text) => text === 'true')
    .optional(),
  /** `priority` is the order in which they are tried. */
  order: z.enum(['priority', 'created'], '"priority" or "created"').default('priority'),
  direction: z.enum(['asc', 'desc'], '"asc" or "desc"').default('asc'),
})

export type RulesQuery = z.output<typeof listQuery>

const RULES = '/zones/{zone_id}/email/routing/rules'
const EDIT = { permission: 'Email Routing Rules:Edit', scope: 'zone' } as const
const READ = { permission: 'Email Routing Rules:Read', scope: 'zone' } as const

export const listRules = operation({
  ...READ,
  id: 'rules.list',
  method: 'GET',
  path: RULES,
  summary: 'Lists the routing rules of a zone, in the order in which they are tried; catch-alls are apart.',
  query: listQuery,
  result: z.array(rule),
  paging: 'pages',
})

export const listAccountRules = operation({
  id: 'account_rules.list',
  method: 'GET',
  path: '/accounts/{account_id}/email/routing/rules',
  summary: 'Lists the routing rules of every zone of an account.',
  permission: 'Email Routing Rules:Read',
  scope: 'account',
  query: listQuery,
  result: z.array(accountRule),
  paging: 'pages',
})

export const createRule = operation({
  ...EDIT,
  id: 'rules.create',
  method: 'POST',
  path: RULES,
  summary: 'Creates a routing rule: what becomes of the mail for one address.',
  body: ruleBody.meta(RULE),
  result: rule,
})

export const getRule = operation({
  ...READ,
  id: 'rules.get',
  method: 'GET',
  path: `${RULES}/{rule_identifier}`,
  summary: 'Gets a routing rule.',
  result: rule,
})

export const updateRule = operation({
  ...EDIT,
  id: 'rules.update',
  method: 'PUT',
  path: `${RULES}/{rule_identifier}`,
  summary:
    'Replaces matcher, action and source of a routing rule; name, priority and state stay unless given.',
  body: ruleBody.meta(RULE),
  result: rule,
})

export const deleteRule = operation({
  ...EDIT,
  id: 'rules.delete',
  method: 'DELETE',
  path: `${RULES}/{rule_identifier}`,
  summary: 'Deletes a routing rule.',
  result: rule,
})

const catchAllQuery = z.object({
  /** A domain below the zone that has routing: its full name, or its part before the zone's. */
  subdomain: z.string().optional(),
})

export const getCatchAll = operation({
  ...READ,
  id: 'catch_all.get',
  method: 'GET',
  path: `${RULES}/catch_all`,
  summary: 'Gets the catch-all of a zone, or with `subdomain` of a domain below it.',
  query: catchAllQuery,
  result: catchAll,
})

export const updateCatchAll = operation({
  ...EDIT,
  id: 'catch_all.update',
  method: 'PUT',
  path: `${RULES}/catch_all`,
  summary: 'Sets the catch-all of a zone, or with `subdomain` of a domain below it.',
  query: catchAllQuery,
  body: catchAllBody.meta(CATCH_ALL),
  result: catchAll,
})

const MOST_PLANNED = 1000
const planned = z.object({ matchers: z.array(matcher), actions: z.array(action) })
const planBody = z.object({
  owner_worker_tag: z.string().regex(WORKER_TAG, 'the tag of a Worker'),
  rules: z.array(planned).max(MOST_PLANNED, `${MOST_PLANNED} entries at most`).default([]),
  catch_all_rules: z
    .array(z.object({ target: z.string(), rule: planned }))
    .max(MOST_PLANNED, `${MOST_PLANNED} entries at most`)
    .default([]),
})

export type PlanBody = z.output<typeof planBody>

const planResult = z.object({
  zones: z.array(
    z.object({
      zone_id: z.string(),
      zone_name: z.string(),
      changes: z.array(
        z.object({
          type: z.enum(['added', 'updated', 'deleted', 'conflict']),
          target: z.string(),
          remote: catchAll
            .omit({ tag: true, name: true })
            .extend({ owner_worker_name: z.string().optional() })
            .optional(),
        }),
      ),
    }),
  ),
})

export type PlanResult = z.output<typeof planResult>

export const planRules = operation({
  id: 'rules.plan',
  method: 'POST',
  path: '/accounts/{account_id}/email/routing/rules/plan',
  summary: 'Says what would change for a Worker to have exactly these addresses; changes nothing.',
  permission: 'Email Routing Rules:Read',
  scope: 'account',
  refusals: [422],
  body: planBody.meta({
    examples: [
      {
        owner_worker_tag: EXAMPLE_WORKER,
        rules: [
          {
            matchers: [{ type: 'literal', field: 'to', value: 'support@yourdomain.com' }],
            actions: [{ type: 'worker', value: ['email-worker'] }],
          },
        ],
      },
    ],
  }),
  result: planResult,
})

export const ruleOperations = [
  ...[listRules, listAccountRules, createRule, getRule, updateRule, deleteRule],
  ...[getCatchAll, updateCatchAll, planRules],
]
