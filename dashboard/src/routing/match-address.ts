import type { CatchAllResult, RuleResult } from '#contract/rules.ts'
import { addressOf, domainOf } from './read-rule.ts'

/** What becomes of mail for an address. */
export type Match =
  | { readonly kind: 'rule'; readonly rule: RuleResult; readonly subaddress: boolean }
  | { readonly kind: 'catch-all'; readonly rule: CatchAllResult }
  /** The domain takes mail, and nothing of it is for this address. */
  | { readonly kind: 'refused' }
  | { readonly kind: 'elsewhere' }

export interface MatchWorld {
  /** In the order in which they are tried. */
  readonly rules: readonly RuleResult[]
  /** By their domain. */
  readonly catchAlls: ReadonlyMap<string, CatchAllResult>
  /** Names of domains that take mail. */
  readonly domains: readonly string[]
  readonly subaddressing: boolean
}

/** As the service itself decides: rules that do not work are not there, the whole address counts before the one without
 *  its detail, and a catch-all is for its domain alone. */
export function matchAddress(address: string, world: MatchWorld): Match {
  const wanted = address.trim().toLowerCase()
  const domain = domainOf(wanted)
  if (!world.domains.includes(domain)) return { kind: 'elsewhere' }
  const first = (key: string | undefined) =>
    world.rules.find((rule) => rule.enabled && addressOf(rule).toLowerCase() === key)
  const whole = first(wanted)
  if (whole) return { kind: 'rule', rule: whole, subaddress: false }
  const base = world.subaddressing ? first(withoutDetail(wanted)) : undefined
  if (base) return { kind: 'rule', rule: base, subaddress: true }
  const rule = world.catchAlls.get(domain)
  return rule?.enabled === true ? { kind: 'catch-all', rule } : { kind: 'refused' }
}

function withoutDetail(address: string): string | undefined {
  const at = address.lastIndexOf('@')
  const plus = address.indexOf('+')
  const isDetail = plus > 0 && plus < at && !address.startsWith('"') && address[plus - 1] !== '.'
  return isDetail ? address.slice(0, plus) + address.slice(at) : undefined
}
