import { hash } from 'node:crypto'
import { type Address, domainOf, foldAddress } from '#model/address.ts'
import { newId } from '#store/id.ts'
import { type Store, statement, type Write } from '#store/store.ts'
import { listRules, type RulePage } from './list-rules.ts'
import { type Plan, type PlanRequest, planRules } from './plan-rules.ts'
import {
  type CatchAll,
  type CatchAllWish,
  FROM_RULES,
  type LiteralRule,
  type RoutingRule,
  type RuleRow,
  type RuleWish,
  ruleOf,
  SELECT_RULES,
} from './rule.ts'
import { deleteRule, insertRule, type RuleFields, saveCatchAll, updateRule } from './rule-writes.ts'

/** Routing rules and catch-alls: what becomes of mail that comes in. In: what customers wish. Out: rules, and for a
 *  domain all that decides about its mail.
 *  Promise: a rule works only while its owner wants it and, where it forwards, its destination is verified, whichever
 *  of the two changed last; a domain's rules are 200 at most; nothing of one account is seen or changed by another.
 *
 *  Whoever changes something says with `record` what else is to be in the same commit: the audit log's line. */
export interface Rules {
  list(page: RulePage): Promise<{ readonly rules: readonly LiteralRule[]; readonly total: number }>
  rule(scope: ZoneScope, id: string): Promise<LiteralRule | undefined>
  create(
    scope: ZoneScope,
    wish: RuleWish,
    record: RecordChange<LiteralRule>,
  ): Promise<LiteralRule | RuleFault>
  update(
    scope: ZoneScope,
    change: { readonly id: string; readonly wish: RuleWish },
    record: RecordChange<LiteralRule>,
  ): Promise<LiteralRule | RuleFault>
  remove(scope: ZoneScope, id: string, record: RecordChange<LiteralRule>): Promise<LiteralRule | RuleFault>
  /** Of the zone's own name, or of the domain below it that routing is set up for. One that nobody has set drops
   *  nothing: it is off. */
  catchAll(scope: ZoneScope, domain?: string): Promise<CatchAll | RuleFault>
  setCatchAll(
    scope: ZoneScope,
    change: { readonly domain: string | undefined; readonly wish: CatchAllWish },
    record: RecordChange<CatchAll>,
  ): Promise<CatchAll | RuleFault>
  /** What would have to change for a Worker to have the addresses that its configuration names. Changes nothing. */
  plan(accountId: string, request: PlanRequest): Promise<Plan>
  /** What decides about mail for the addresses with these keys, all of one domain, for `inbound/route`; `domain` in
   *  lower-case A-labels. Point reads alone: mail of strangers must not wait behind what customers list. */
  routesOf(zoneId: string, domain: string, addressKeys: readonly string[]): Promise<DomainRoutes>
}

export interface ZoneScope {
  readonly accountId: string
  readonly zoneId: string
}

export interface DomainRoutes {
  /** For each of the addresses the first rule that works, else one that does not. */
  readonly rules: readonly LiteralRule[]
  readonly catchAll: CatchAll | undefined
  /** Whether the domain has any literal rule. */
  readonly hasRules: boolean
}

export type RecordChange<R extends RoutingRule> = (change: {
  readonly before?: R
  readonly after?: R
}) => readonly Write[]

export type RuleFault =
  | { readonly kind: 'unknown-rule' }
  /** Not the zone's name, nor one below it that routing is set up for. */
  | { readonly kind: 'unknown-domain'; readonly domain: string }
  /** The account has no such destination address. */
  | { readonly kind: 'unknown-destination'; readonly address: string }
  | { readonly kind: 'too-many-rules'; readonly domain: string; readonly limit: number }

/** platform-limits.md. */
export const RULES_PER_DOMAIN = 200
// Each lost race means that somebody else made progress.
const RACES = 10

const zoneName = statement<{ readonly name: string }>(
  'routing-rule.zone-name',
  'select name from zone where id = $1 and account_id = $2',
)

const routedDomain = statement<{ readonly id: string }>(
  'routing-rule.routed-domain',
  `select id from domain where zone_id = $1 and account_id = $2 and name = $3 and routing <> 'none'`,
)

const destinationOfKey = statement<{ readonly verified_at: number | null }>(
  'routing-rule.destination',
  'select verified_at from destination where account_id = $1 and email_key = $2',
)

const ruleById = statement<RuleRow>(
  'routing-rule.by-id',
  `${SELECT_RULES} ${FROM_RULES}
   where rule.id = $1 and rule.zone_id = $2 and rule.account_id = $3 and rule.matcher = 'literal'`,
)

const catchAllOf = statement<RuleRow>(
  'routing-rule.catch-all',
  `${SELECT_RULES} ${FROM_RULES}
   where rule.zone_id = $1 and rule.account_id = $2 and rule.domain = $3 and rule.matcher = 'all'`,
)

const firstRuleOf = statement<RuleRow>(
  'routing-rule.first-of-address',
  `${SELECT_RULES} ${FROM_RULES}
   where rule.zone_id = $1 and rule.domain = $2 and rule.matcher = 'literal' and rule.address_key = $3
   order by works desc, rule.priority, rule.created_at, rule.id limit 1`,
)

const catchAllOfDomain = statement<RuleRow>(
  'routing-rule.catch-all-of-domain',
  `${SELECT_RULES} ${FROM_RULES} where rule.zone_id = $1 and rule.domain = $2 and rule.matcher = 'all'`,
)

const anyRuleOf = statement<{ readonly id: string }>(
  'routing-rule.any-of-domain',
  `select id from routing_rule where zone_id = $1 and domain = $2 and matcher = 'literal' limit 1`,
)

export function openRules(world: { readonly store: Store; readonly clock: () => number }): Rules {
  const { store, clock } = world

  async function find({ accountId, zoneId }: ZoneScope, id: string): Promise<LiteralRule | undefined> {
    const row = await store.get(ruleById, [id, zoneId, accountId])
    const rule = row && ruleOf(row)
    return rule?.matcher === 'literal' ? rule : undefined
  }

  /** What a wish says that only the store can judge. */
  async function judge(
    { accountId, zoneId }: ZoneScope,
    {
      domain,
      before,
      action,
    }: { domain: string; before?: RoutingRule | undefined } & Pick<RuleWish, 'action'>,
  ): Promise<{ readonly zoneName: string; readonly verified: boolean } | RuleFault> {
    const zone = await store.get(zoneName, [zoneId, accountId])
    const known =
      zone?.name === domain ||
      // A rule outlives the routing of its domain, and may be changed all the same.
      before?.domain === domain ||
      (await store.get(routedDomain, [zoneId, accountId, domain]))
    if (!zone || !known) return { kind: 'unknown-domain', domain }
    if (action.type !== 'forward') return { zoneName: zone.name, verified: true }
    const destination = await store.get(destinationOfKey, [accountId, keyOf(action.to)])
    if (!destination) return { kind: 'unknown-destination', address: action.to }
    return { zoneName: zone.name, verified: destination.verified_at !== null }
  }

  async function create(
    scope: ZoneScope,
    wish: RuleWish,
    record: RecordChange<LiteralRule>,
  ): Promise<LiteralRule | RuleFault> {
    const domain = domainOf(wish.address)
    const judged = await judge(scope, { domain, action: wish.action })
    if ('kind' in judged) return judged
    const at = clock()
    const rule = literal(wish, { ...scope, ...judged, id: newId(), createdAt: at, modifiedAt: at })
    const committed = await store.commit([
      insertRule(scope.accountId, fieldsOf(rule), RULES_PER_DOMAIN),
      ...record({ after: rule }),
    ])
    return committed.ok ? rule : { kind: 'too-many-rules', domain, limit: RULES_PER_DOMAIN }
  }

  async function update(
    scope: ZoneScope,
    { id, wish }: { readonly id: string; readonly wish: RuleWish },
    record: RecordChange<LiteralRule>,
  ): Promise<LiteralRule | RuleFault> {
    const domain = domainOf(wish.address)
    for (let race = 0; race < RACES; race++) {
      const before = await find(scope, id)
      if (!before) return { kind: 'unknown-rule' }
      const judged = await judge(scope, { domain, before, action: wish.action })
      if ('kind' in judged) return judged
      const modifiedAt = Math.max(clock(), before.modifiedAt + 1)
      const { name, priority, wanted, createdAt } = before
      const kept = { ...wish, name: wish.name ?? name, priority: wish.priority ?? priority }
      const rule = literal(
        { ...kept, enabled: wish.enabled ?? wanted },
        { ...scope, ...judged, id, createdAt, modifiedAt },
      )
      const committed = await store.commit([
        updateRule(scope.accountId, fieldsOf(rule), { seenAt: before.modifiedAt, limit: RULES_PER_DOMAIN }),
        ...record({ before, after: rule }),
      ])
      if (committed.ok) return rule
      const now = await find(scope, id)
      if (now?.modifiedAt === before.modifiedAt)
        return { kind: 'too-many-rules', domain, limit: RULES_PER_DOMAIN }
    }
    throw new Error(`changing rule ${id} lost ${RACES} races in a row`)
  }

  async function remove(
    scope: ZoneScope,
    id: string,
    record: RecordChange<LiteralRule>,
  ): Promise<LiteralRule | RuleFault> {
    const before = await find(scope, id)
    if (!before) return { kind: 'unknown-rule' }
    const committed = await store.commit([deleteRule(scope, id), ...record({ before })])
    return committed.ok ? before : { kind: 'unknown-rule' }
  }

  async function catchAll({ accountId, zoneId }: ZoneScope, domain?: string): Promise<CatchAll | RuleFault> {
    const zone = await store.get(zoneName, [zoneId, accountId])
    if (!zone) return { kind: 'unknown-domain', domain: domain ?? '' }
    const name = domain ?? zone.name
    const row = await store.get(catchAllOf, [zoneId, accountId, name])
    const rule = row && ruleOf(row)
    if (rule?.matcher === 'all') return rule
    const known = name === zone.name || (await store.get(routedDomain, [zoneId, accountId, name]))
    return known ? unsetCatchAll(zoneId, zone.name, name) : { kind: 'unknown-domain', domain: name }
  }

  async function setCatchAll(
    scope: ZoneScope,
    { domain, wish }: { readonly domain: string | undefined; readonly wish: CatchAllWish },
    record: RecordChange<CatchAll>,
  ): Promise<CatchAll | RuleFault> {
    for (let race = 0; race < RACES; race++) {
      const before = await catchAll(scope, domain)
      if ('kind' in before) return before
      const judged = await judge(scope, { domain: before.domain, before, action: wish.action })
      if ('kind' in judged) return judged
      const modifiedAt = Math.max(clock(), before.modifiedAt + 1)
      const wanted = wish.enabled ?? before.wanted
      const { action, managed } = wish
      const after: CatchAll = {
        ...before,
        ...{ action, managed, wanted, enabled: wanted && judged.verified, modifiedAt },
        name: wish.name ?? before.name,
        createdAt: before.createdAt === 0 ? modifiedAt : before.createdAt,
      }
      const committed = await store.commit([
        saveCatchAll(scope.accountId, fieldsOf(after), before.modifiedAt),
        ...record({ before, after }),
      ])
      if (committed.ok) return after
    }
    throw new Error(`setting a catch-all of zone ${scope.zoneId} lost ${RACES} races in a row`)
  }

  return {
    list: (page) => listRules(store, page),
    rule: find,
    create,
    update,
    remove,
    catchAll,
    setCatchAll,
    plan: (accountId, request) => planRules(store, accountId, request),
    async routesOf(zoneId, domain, addressKeys) {
      const [all, any, ...literal] = await Promise.all([
        store.get(catchAllOfDomain, [zoneId, domain]),
        store.get(anyRuleOf, [zoneId, domain]),
        ...addressKeys.map((key) => store.get(firstRuleOf, [zoneId, domain, key])),
      ])
      const rules = [all, ...literal].filter((row) => row !== undefined).map(ruleOf)
      return {
        rules: rules.filter((rule) => rule.matcher === 'literal'),
        catchAll: rules.find((rule) => rule.matcher === 'all'),
        hasRules: any !== undefined,
      }
    },
  }
}

interface Made extends ZoneScope {
  readonly id: string
  readonly zoneName: string
  readonly verified: boolean
  readonly createdAt: number
  readonly modifiedAt: number
}

function literal(wish: RuleWish, made: Made): LiteralRule {
  const { address, action, managed, name = '', priority = 0, enabled: wanted = true } = wish
  const { id, zoneId, zoneName: zone, verified, createdAt, modifiedAt } = made
  return {
    ...{ id, zoneId, zoneName: zone, domain: domainOf(address), matcher: 'literal' },
    ...{ address, addressKey: foldAddress(address), name, priority, action, managed },
    ...{ wanted, enabled: wanted && verified, createdAt, modifiedAt },
  }
}

/** The original's default: off, and it would drop. Its id follows from its domain, so that it has one from the start. */
function unsetCatchAll(zoneId: string, zone: string, domain: string): CatchAll {
  return {
    ...{ id: hash('sha256', `catch-all ${zoneId} ${domain}`).slice(0, 32), zoneId, zoneName: zone, domain },
    ...{ matcher: 'all', name: '', wanted: false, enabled: false, action: { type: 'drop' } },
    ...{ managed: { source: 'api', ownerWorkerTag: null }, createdAt: 0, modifiedAt: 0 },
  }
}

function fieldsOf(rule: RoutingRule): RuleFields {
  const { action } = rule
  return {
    ...rule,
    address: rule.matcher === 'literal' ? rule.address : '',
    addressKey: rule.matcher === 'literal' ? rule.addressKey : '',
    priority: rule.matcher === 'literal' ? rule.priority : 0,
    action: action.type,
    actionValue: action.type === 'forward' ? action.to : action.type === 'worker' ? action.name : '',
    destinationKey: action.type === 'forward' ? keyOf(action.to) : '',
  }
}

// The door parsed it, and the store has it from there.
function keyOf(address: string): string {
  return foldAddress(address as Address)
}
