import type { AddressResult } from '#contract/addresses.ts'
import type { CatchAllResult, RuleBody, RuleResult } from '#contract/rules.ts'
import type { ScriptBody } from '#contract/workers.ts'
import type { Targets } from './use-targets.ts'

/** What a rule does, as a form has it: `target` is an address or the name of a Worker, and '' for `drop`. */
export interface RuleAction {
  readonly type: 'forward' | 'worker' | 'drop'
  readonly target: string
}

export function actionOf({ actions: [action] }: Pick<CatchAllResult, 'actions'>): RuleAction {
  return { type: action?.type ?? 'drop', target: action?.value?.[0] ?? '' }
}

export function actionsOf({ type, target }: RuleAction): RuleBody['actions'] {
  return type === 'drop' ? [{ type }] : [{ type, value: [target] }]
}

/** The address that a rule is for. */
export function addressOf({ matchers: [matcher] }: Pick<RuleResult, 'matchers'>): string {
  return matcher?.value ?? ''
}

export function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1)
}

/** Whether what it leads to was deleted, which switches a rule off. */
export function isGone({ type, target }: RuleAction, { addresses, workers }: Targets): boolean {
  if (type === 'worker') return workers.every(({ id }) => id !== target)
  const same = (email: string) => email.toLowerCase() === target.toLowerCase()
  return type === 'forward' && !addresses.some(({ email }) => same(email))
}

export type RuleState = 'active' | 'disabled' | 'unverified'

/** A rule that waits for the proof of its destination looks switched off to the API. */
export function stateOf(
  rule: Pick<CatchAllResult, 'enabled' | 'actions'>,
  addresses: readonly AddressResult[],
): RuleState {
  if (rule.enabled) return 'active'
  const { type, target } = actionOf(rule)
  if (type !== 'forward') return 'disabled'
  const same = (email: string) => email.toLowerCase() === target.toLowerCase()
  return addresses.some(({ email, verified }) => verified === null && same(email)) ? 'unverified' : 'disabled'
}

type Change = Partial<Pick<RuleBody, 'enabled' | 'priority'>>

/** The rule as it is apart from `change`. One that `wrangler deploy` manages stays so, as long as the Worker that it is
 *  managed for can be told: the API does not say it, but such rules lead to their own Worker. */
export function changedRule(rule: RuleResult, change: Change, workers: readonly ScriptBody[]): RuleBody {
  const { type, target } = actionOf(rule)
  const owner = type === 'worker' ? workers.find(({ id }) => id === target) : undefined
  const isManaged = rule.source === 'wrangler' && owner !== undefined
  return {
    ...{ matchers: rule.matchers, actions: rule.actions, ...change },
    ...(isManaged && { source: 'wrangler', owner_worker_tag: owner.tag }),
  }
}
