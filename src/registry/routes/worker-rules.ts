import { type Store, statement, type Write } from '#store/store.ts'
import { FROM_RULES, type RoutingRule, type RuleRow, ruleOf, SELECT_RULES } from './rule.ts'

/** Rules that lead to a Worker. One that goes must not leave rules behind that look as if they worked. */
export interface WorkerRules {
  /** Those that their owner wants. */
  leadingTo(accountId: string, scriptName: string): Promise<readonly RoutingRule[]>
  /** For the commit that removes the Worker: switches the rule off, unless it leads elsewhere by now. */
  switchOff(accountId: string, rule: RoutingRule): { readonly after: RoutingRule; readonly write: Write }
}

const leading = statement<RuleRow>(
  'worker-rules.leading-to',
  `${SELECT_RULES} ${FROM_RULES}
   where rule.account_id = $1 and rule.action = 'worker' and rule.action_value = $2 and rule.enabled = 1
   order by rule.created_at, rule.id`,
)

const switchOff = statement(
  'worker-rules.switch-off',
  `update routing_rule set enabled = 0, modified_at = $4
   where id = $1 and account_id = $2 and action = 'worker' and action_value = $3`,
)

export function openWorkerRules({
  store,
  clock,
}: {
  readonly store: Store
  readonly clock: () => number
}): WorkerRules {
  return {
    leadingTo: async (accountId, name) => (await store.all(leading, [accountId, name])).map(ruleOf),
    switchOff(accountId, rule) {
      const modifiedAt = Math.max(clock(), rule.modifiedAt + 1)
      const name = rule.action.type === 'worker' ? rule.action.name : ''
      return {
        after: { ...rule, wanted: false, enabled: false, modifiedAt },
        write: { statement: switchOff, params: [rule.id, accountId, name, modifiedAt] },
      }
    },
  }
}
