import { type Address, domainOf, foldAddress, localPartOf } from '#model/address.ts'
import type { CatchAll, LiteralRule, RoutingRule } from '#registry/routes/rule.ts'

export interface Matching {
  /** The zone's setting: mail for `user+detail` is for `user`, unless a rule is for all of it. */
  readonly subaddressing: boolean
}

/** Which rule decides about mail for a recipient. In: the rules and the catch-all of any domains, in any order. Out: the
 *  rule, or undefined where the recipient is nobody's.
 *
 *  Rules that do not work (switched off, or their destination is not verified) are passed over, as if they were not
 *  there. Of several for one address the lowest priority number goes first, then the oldest. An address is compared
 *  without regard to case. A domain's catch-all is for that domain alone: the apex's takes no subdomain's mail. */
export function matchRule(
  rules: readonly LiteralRule[],
  catchAll: CatchAll | undefined,
  recipient: Address,
  { subaddressing }: Matching,
): RoutingRule | undefined {
  const exact = firstOf(rules, foldAddress(recipient))
  if (exact) return exact
  const base = subaddressing ? baseOf(recipient) : undefined
  const ofBase = base && firstOf(rules, foldAddress(base))
  if (ofBase) return ofBase
  return catchAll?.enabled === true && catchAll.domain === domainOf(recipient) ? catchAll : undefined
}

/** Keys of the addresses whose rules may decide about mail for a recipient. */
export function matchingKeys(recipient: Address, { subaddressing }: Matching): readonly string[] {
  const base = subaddressing ? baseOf(recipient) : undefined
  return [recipient, ...(base === undefined ? [] : [base])].map(foldAddress)
}

/** The address without its detail: what stands before the first `+` (RFC 5233 §4, with the separator that the
 *  specification names). A `+` at the start separates nothing, and a quoted local part has no detail. */
export function baseOf(address: Address): Address | undefined {
  const local = localPartOf(address)
  const at = local.indexOf('+')
  if (at < 1 || local.startsWith('"')) return undefined
  const base = local.slice(0, at)
  // `a.+b` is an address, and `a.` is none.
  return base.endsWith('.') ? undefined : (`${base}@${domainOf(address)}` as Address)
}

function firstOf(rules: readonly LiteralRule[], key: string): LiteralRule | undefined {
  let first: LiteralRule | undefined
  for (const rule of rules) {
    if (rule.addressKey === key && rule.enabled && (!first || isBefore(rule, first))) first = rule
  }
  return first
}

/** The id settles what was made in the same millisecond. */
function isBefore(one: LiteralRule, other: LiteralRule): boolean {
  if (one.priority !== other.priority) return one.priority < other.priority
  if (one.createdAt !== other.createdAt) return one.createdAt < other.createdAt
  return one.id < other.id
}
