import { type Address, domainOf, foldAddress } from '#model/address.ts'
import { type Store, statement } from '#store/store.ts'
import { FROM_RULES, type RoutingRule, type RuleAction, type RuleRow, ruleOf, SELECT_RULES } from './rule.ts'

/** The mail that a Worker's configuration wants, whole: what is not in it, the Worker gives up. */
export interface PlanRequest {
  readonly ownerWorkerTag: string
  readonly rules: readonly { readonly address: Address; readonly action: RuleAction }[]
  readonly catchAlls: readonly { readonly domain: string; readonly action: RuleAction }[]
  /** Whether whoever asks may see the rules of a zone of the account; the others are not there. */
  readonly maySee: (zoneId: string) => boolean
}

export type Plan =
  | { readonly kind: 'planned'; readonly zones: readonly PlannedZone[] }
  /** No domain of the account that takes mail. */
  | { readonly kind: 'unknown-domain'; readonly target: string }
  | { readonly kind: 'named-twice'; readonly target: string }
  /** The client that asks would set the zone's own catch-all in its place (DECISIONS, Routing). */
  | { readonly kind: 'subdomain-catch-all'; readonly target: string }

export interface PlannedZone {
  readonly zoneId: string
  readonly zoneName: string
  /** Never empty. */
  readonly changes: readonly PlannedChange[]
}

export interface PlannedChange {
  /** `conflict`: somebody else has the address, and would have to give it up. */
  readonly type: 'added' | 'updated' | 'deleted' | 'conflict'
  /** An address, or `*@` and a domain. */
  readonly target: string
  /** The rule as it is; absent where there is none. */
  readonly remote?: RoutingRule
}

const routedDomain = statement<{ readonly zone_id: string; readonly zone_name: string }>(
  'rules-plan.domain',
  `select zone.id as zone_id, zone.name as zone_name from domain join zone on zone.id = domain.zone_id
   where domain.account_id = $1 and domain.name = $2 and domain.routing in ('pending', 'active')
   order by case zone.status when 'active' then 0 else 1 end, length(zone.name) desc limit 1`,
)

const rulesOfDomain = statement<RuleRow>(
  'rules-plan.rules-of-domain',
  `${SELECT_RULES} ${FROM_RULES} where rule.account_id = $1 and rule.zone_id = $2 and rule.domain = $3
   order by rule.priority, rule.created_at, rule.id`,
)

const rulesOfOwner = statement<RuleRow>(
  'rules-plan.rules-of-owner',
  `${SELECT_RULES} ${FROM_RULES} where rule.account_id = $1 and rule.owner_worker_tag = $2
   order by rule.created_at, rule.id`,
)

interface Target {
  readonly target: string
  /** `foldAddress` of an address; of a catch-all what is no address. */
  readonly key: string
  readonly matcher: RoutingRule['matcher']
  readonly domain: string
  readonly action: RuleAction
}

interface Domain {
  readonly zoneId: string
  readonly zoneName: string
  /** In the order in which they are tried. */
  readonly rules: readonly RoutingRule[]
}

/** Compares what a Worker wants with what there is. */
export async function planRules(store: Store, accountId: string, request: PlanRequest): Promise<Plan> {
  const targets = targetsOf(request)
  const twice = targets.find(({ key }, index) => targets.findIndex((other) => other.key === key) < index)
  if (twice) return { kind: 'named-twice', target: twice.target }

  const domains = new Map<string, Domain>()
  for (const { domain, target } of targets) {
    if (domains.has(domain)) continue
    const found = await readDomain(store, accountId, domain)
    if (!found || !request.maySee(found.zoneId)) return { kind: 'unknown-domain', target }
    domains.set(domain, found)
  }

  const zones = new Map<string, { readonly zoneName: string; readonly changes: PlannedChange[] }>()
  const change = (zone: Pick<Domain, 'zoneId' | 'zoneName'>, planned: PlannedChange): void => {
    const known = zones.get(zone.zoneId) ?? { zoneName: zone.zoneName, changes: [] }
    known.changes.push(planned)
    zones.set(zone.zoneId, known)
  }
  for (const wanted of targets) {
    const domain = domains.get(wanted.domain)
    if (!domain) throw new Error('every wanted domain was read')
    const planned = compare(wanted, domain, request.ownerWorkerTag)
    if (!planned) continue
    if (wanted.matcher === 'all' && wanted.domain !== domain.zoneName)
      return { kind: 'subdomain-catch-all', target: wanted.target }
    change(domain, planned)
  }
  const keys = new Set(targets.map(({ key }) => key))
  const owned = (await store.all(rulesOfOwner, [accountId, request.ownerWorkerTag])).map(ruleOf)
  for (const rule of owned) {
    const { target, key } = targetOf(rule)
    // What the client resets is the zone's own catch-all, whatever the target says.
    const beyondReach = rule.matcher === 'all' && rule.domain !== rule.zoneName
    if (!keys.has(key) && !beyondReach && request.maySee(rule.zoneId))
      change(rule, { type: 'deleted', target, remote: rule })
  }
  return { kind: 'planned', zones: [...zones].map(([zoneId, zone]) => ({ zoneId, ...zone })) }
}

function targetsOf({ rules, catchAlls }: PlanRequest): readonly Target[] {
  return [
    ...rules.map(({ address, action }) => ({
      ...{ target: address, key: foldAddress(address), domain: domainOf(address), action },
      matcher: 'literal' as const,
    })),
    ...catchAlls.map(({ domain, action }) => ({
      ...{ ...catchAllTarget(domain), domain, action, matcher: 'all' as const },
    })),
  ]
}

function targetOf(rule: RoutingRule): { readonly target: string; readonly key: string } {
  return rule.matcher === 'all' ? catchAllTarget(rule.domain) : { target: rule.address, key: rule.addressKey }
}

function catchAllTarget(domain: string): { readonly target: string; readonly key: string } {
  return { target: `*@${domain}`, key: `all ${domain}` }
}

async function readDomain(store: Store, accountId: string, name: string): Promise<Domain | undefined> {
  const row = await store.get(routedDomain, [accountId, name])
  if (!row) return undefined
  const rules = await store.all(rulesOfDomain, [accountId, row.zone_id, name])
  return { zoneId: row.zone_id, zoneName: row.zone_name, rules: rules.map(ruleOf) }
}

/** Of several rules for one address, the one that counts is the one that is tried first. */
function compare(
  { target, key, action }: Target,
  { rules }: Domain,
  ownerWorkerTag: string,
): PlannedChange | undefined {
  const remote = rules.find((rule) => targetOf(rule).key === key)
  if (!remote || isUnset(remote)) return { type: 'added', target }
  if (remote.managed.ownerWorkerTag !== ownerWorkerTag) return { type: 'conflict', target, remote }
  const same = remote.wanted && sameAction(remote.action, action)
  return same ? undefined : { type: 'updated', target, remote }
}

/** A catch-all that was set back to what it is by default: taking it takes it from nobody. */
function isUnset(rule: RoutingRule): boolean {
  return (
    rule.matcher === 'all' && rule.managed.source === 'api' && !rule.wanted && rule.action.type === 'drop'
  )
}

function sameAction(one: RuleAction, other: RuleAction): boolean {
  if (one.type === 'forward') return other.type === 'forward' && one.to === other.to
  return one.type === 'worker' ? other.type === 'worker' && one.name === other.name : other.type === 'drop'
}
