import { type Param, statement, type Write } from '#store/store.ts'
import type { RoutingRule } from './rule.ts'

/** A rule as the table has it. */
export interface RuleFields
  extends Pick<
    RoutingRule,
    'id' | 'zoneId' | 'domain' | 'matcher' | 'name' | 'wanted' | 'managed' | 'createdAt' | 'modifiedAt'
  > {
  readonly address: string
  readonly addressKey: string
  readonly priority: number
  readonly action: string
  readonly actionValue: string
  readonly destinationKey: string
}

const columns = `id, zone_id, account_id, domain, matcher, address, address_key, name, priority, enabled, action,
  action_value, destination_key, source, owner_worker_tag, created_at, modified_at`

const insertLiteral = statement(
  'routing-rule.insert',
  `insert into routing_rule (${columns})
   select $1, $2, $3, $4, $5, $6, $7, $8, cast($9 as integer), cast($10 as integer), $11, $12, $13, $14, $15,
     cast($16 as bigint), cast($17 as bigint)
   where (select count(*) from routing_rule where zone_id = $2 and domain = $4 and matcher = 'literal')
     < cast($18 as integer)`,
)

// The time last seen makes this a compare-and-set: of two changes that read the same row, one begins again.
const updateLiteral = statement(
  'routing-rule.update',
  `update routing_rule set domain = $4, address = $6, address_key = $7, name = $8, priority = $9, enabled = $10,
     action = $11, action_value = $12, destination_key = $13, source = $14, owner_worker_tag = $15, modified_at = $17
   where id = $1 and zone_id = $2 and account_id = $3 and matcher = $5 and created_at = $16 and modified_at = $18
     and (domain = $4 or (select count(*) from routing_rule other
        where other.zone_id = $2 and other.domain = $4 and other.matcher = 'literal') < $19)`,
)

// As above; a catch-all that nobody has set was last seen at 0.
const upsertCatchAll = statement(
  'routing-rule.save-catch-all',
  `insert into routing_rule (${columns})
   values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
   on conflict (id) do update set name = excluded.name, enabled = excluded.enabled, action = excluded.action,
     action_value = excluded.action_value, destination_key = excluded.destination_key, source = excluded.source,
     owner_worker_tag = excluded.owner_worker_tag, modified_at = excluded.modified_at
   where routing_rule.account_id = excluded.account_id and routing_rule.modified_at = $18`,
)

const removeLiteral = statement(
  'routing-rule.delete',
  `delete from routing_rule where id = $1 and zone_id = $2 and account_id = $3 and matcher = 'literal'`,
)

/** One row, or none where the domain has `limit` rules. */
export function insertRule(accountId: string, rule: RuleFields, limit: number): Write {
  return { statement: insertLiteral, params: [...paramsOf(accountId, rule), limit], rows: 1 }
}

/** One row, or none where the rule was changed after `seenAt`, or goes to a domain that has `limit` rules. */
export function updateRule(
  accountId: string,
  rule: RuleFields,
  { seenAt, limit }: { readonly seenAt: number; readonly limit: number },
): Write {
  return { statement: updateLiteral, params: [...paramsOf(accountId, rule), seenAt, limit], rows: 1 }
}

/** One row, or none where it was changed after `seenAt`. */
export function saveCatchAll(accountId: string, rule: RuleFields, seenAt: number): Write {
  return { statement: upsertCatchAll, params: [...paramsOf(accountId, rule), seenAt], rows: 1 }
}

export function deleteRule(
  scope: { readonly accountId: string; readonly zoneId: string },
  id: string,
): Write {
  return { statement: removeLiteral, params: [id, scope.zoneId, scope.accountId], rows: 1 }
}

function paramsOf(accountId: string, rule: RuleFields): Param[] {
  return [
    ...[rule.id, rule.zoneId, accountId, rule.domain, rule.matcher, rule.address, rule.addressKey, rule.name],
    ...[rule.priority, rule.wanted ? 1 : 0, rule.action, rule.actionValue, rule.destinationKey],
    ...[rule.managed.source, rule.managed.ownerWorkerTag, rule.createdAt, rule.modifiedAt],
  ]
}
