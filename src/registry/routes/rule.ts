import type { Address } from '#model/address.ts'

export type RuleAction =
  /** To a destination address of the account. */
  | { readonly type: 'forward'; readonly to: string }
  | { readonly type: 'worker'; readonly name: string }
  | { readonly type: 'drop' }

/** Who manages a rule: people and programs over the API, or `wrangler deploy` for the Worker with that tag. */
export type RuleSource =
  | { readonly source: 'api'; readonly ownerWorkerTag: null }
  | { readonly source: 'wrangler'; readonly ownerWorkerTag: string }

interface Common {
  readonly id: string
  readonly zoneId: string
  readonly zoneName: string
  /** The zone's own name, or one below it. */
  readonly domain: string
  readonly name: string
  /** Whether its owner wants it. */
  readonly wanted: boolean
  /** Whether it works: wanted and, where it forwards, its destination is verified. */
  readonly enabled: boolean
  readonly action: RuleAction
  readonly managed: RuleSource
  /** Milliseconds since 1970; 0 for a catch-all that nobody has set yet. */
  readonly createdAt: number
  readonly modifiedAt: number
}

/** What becomes of the mail for one address. */
export interface LiteralRule extends Common {
  readonly matcher: 'literal'
  readonly address: string
  /** `foldAddress` of it. */
  readonly addressKey: string
  /** The lowest goes first; of equals the oldest. */
  readonly priority: number
}

/** What becomes of a domain's mail that no rule is for. */
export interface CatchAll extends Common {
  readonly matcher: 'all'
}

export type RoutingRule = LiteralRule | CatchAll

/** What a rule is to be. What is absent stays as it was, or is as it is by default: on, without a name, priority 0. */
export interface RuleWish {
  readonly address: Address
  readonly action: RuleAction
  readonly managed: RuleSource
  readonly name?: string | undefined
  readonly priority?: number | undefined
  readonly enabled?: boolean | undefined
}

export type CatchAllWish = Omit<RuleWish, 'address' | 'priority'>

export interface RuleRow {
  readonly id: string
  readonly zone_id: string
  readonly zone_name: string
  readonly domain: string
  readonly matcher: string
  readonly address: string
  readonly address_key: string
  readonly name: string
  readonly priority: number
  readonly enabled: number
  readonly works: number
  readonly action: string
  readonly action_value: string
  readonly source: string
  readonly owner_worker_tag: string | null
  readonly created_at: number
  readonly modified_at: number
}

/** 1 where the rule works. */
export const WORKS = `case when rule.enabled = 1
    and (rule.action <> 'forward' or destination.verified_at is not null) then 1 else 0 end`

/** With `where` and whatever follows, a query for `RuleRow`s. */
export const SELECT_RULES = `select rule.id, rule.zone_id, zone.name as zone_name, rule.domain, rule.matcher, rule.address,
    rule.address_key, rule.name, rule.priority, rule.enabled, ${WORKS} as works, rule.action, rule.action_value,
    rule.source, rule.owner_worker_tag, rule.created_at, rule.modified_at`

export const FROM_RULES = `from routing_rule rule join zone on zone.id = rule.zone_id
    left join destination on destination.account_id = rule.account_id
      and destination.email_key = rule.destination_key`

export function ruleOf(row: RuleRow): RoutingRule {
  const common: Common = {
    id: row.id,
    zoneId: row.zone_id,
    zoneName: row.zone_name,
    domain: row.domain,
    name: row.name,
    wanted: row.enabled === 1,
    enabled: row.works === 1,
    action: actionOf(row),
    managed:
      row.source === 'wrangler' && row.owner_worker_tag !== null
        ? { source: 'wrangler', ownerWorkerTag: row.owner_worker_tag }
        : { source: 'api', ownerWorkerTag: null },
    createdAt: row.created_at,
    modifiedAt: row.modified_at,
  }
  if (row.matcher === 'all') return { ...common, matcher: 'all' }
  const { address, address_key: addressKey, priority } = row
  return { ...common, matcher: 'literal', address, addressKey, priority }
}

function actionOf({ action, action_value: value }: RuleRow): RuleAction {
  if (action === 'forward') return { type: 'forward', to: value }
  return action === 'worker' ? { type: 'worker', name: value } : { type: 'drop' }
}
