import type { RuleResult } from '#contract/rules.ts'

/** Room between two rules, so that the next one that is put there changes no other. */
const STEP = 10

export interface NewPriority {
  readonly rule: RuleResult
  readonly priority: number
}

/** `rules` in their order, with the one at `from` at the place `to`. */
export function movedRules(rules: readonly RuleResult[], from: number, to: number): readonly RuleResult[] {
  const moved = rules[from]
  if (!moved) return rules
  return rules.toSpliced(from, 1).toSpliced(to, 0, moved)
}

/** What has to change for `order` to be the order in which they are tried. The one that moved alone where there is room
 *  between its neighbours; all of them where there is none, since rules are made with the same priority. */
export function newPriorities(order: readonly RuleResult[], movedId: string): readonly NewPriority[] {
  const at = order.findIndex(({ id }) => id === movedId)
  const moved = order[at]
  if (!moved) return []
  const priority = between(order[at - 1]?.priority, order[at + 1]?.priority)
  if (priority !== undefined) return [{ rule: moved, priority }]
  return order
    .map((rule, index) => ({ rule, priority: (index + 1) * STEP }))
    .filter(({ rule, priority }) => rule.priority !== priority)
}

/** `order` as it is once those changes are made. */
export function withPriorities(
  order: readonly RuleResult[],
  changes: readonly NewPriority[],
): readonly RuleResult[] {
  const changed = new Map(changes.map(({ rule, priority }) => [rule.id, priority]))
  return order.map((rule) => ({ ...rule, priority: changed.get(rule.id) ?? rule.priority }))
}

/** A whole number that is neither; undefined where there is none. */
function between(before: number | undefined, after: number | undefined): number | undefined {
  if (before === undefined) return after !== undefined && after > 0 ? Math.floor(after / 2) : undefined
  if (after === undefined) return before + STEP
  return after - before > 1 ? Math.floor((before + after) / 2) : undefined
}
