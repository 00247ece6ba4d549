import type { FastifyInstance } from 'fastify'
import { pageInfo } from '#contract/paging.ts'
import {
  createRule,
  deleteRule,
  getRule,
  listAccountRules,
  listRules,
  type RulesQuery,
  updateRule,
} from '#contract/rules.ts'
import type { Principal } from '#registry/accounts/accounts.ts'
import { permissionsIn } from '#registry/accounts/policy.ts'
import type { Domains } from '#registry/domains/domains.ts'
import type { LiteralRule } from '#registry/routes/rule.ts'
import type { RuleFault, Rules } from '#registry/routes/rules.ts'
import { accountRuleBody, explainRuleFault, noteRule, ruleBody } from './rule-body.ts'
import { isFault, readRule } from './rule-wish.ts'
import { type KnownWorkers, lacksWorker } from './rule-worker.ts'
import { type Answer, type Call, type ServedBy, serveOperation } from './serve-operation.ts'

export interface RulesWorld extends ServedBy {
  readonly rules: Rules
  readonly workers: KnownWorkers
  readonly domains: Pick<Domains, 'zone' | 'zones'>
  readonly now: () => number
}

/** `/zones/{zone_id}/email/routing/rules`, and the same list for an account. */
export function ruleRoutes(api: FastifyInstance, world: RulesWorld): void {
  const { rules, domains, workers, now } = world

  serveOperation(api, { operation: listRules, world }, async ({ accountId, params, query }) => {
    const { zoneId } = zoneScope({ accountId, params })
    const { rules: shown, total } = await rules.list({ accountId, zoneId, ...pageOf(query) })
    return { result: shown.map(ruleBody), info: pageInfo(query, shown.length, total) }
  })

  serveOperation(api, { operation: listAccountRules, world }, async ({ by, accountId, query }) => {
    const withoutZones = await hiddenZones(by.principal)
    const { rules: shown, total } = await rules.list({ accountId, withoutZones, ...pageOf(query) })
    return { result: shown.map(accountRuleBody), info: pageInfo(query, shown.length, total) }
  })

  serveOperation(api, { operation: createRule, world }, async (call) => {
    const wish = readRule(call.body)
    if (isFault(wish)) return wish
    const lacks = await lacksWorker(workers, call.accountId, wish)
    if (lacks) return lacks
    return answer(await rules.create(zoneScope(call), wish, note(call)))
  })

  serveOperation(api, { operation: getRule, world }, async (call) =>
    answer((await rules.rule(zoneScope(call), ruleId(call))) ?? { kind: 'unknown-rule' }),
  )

  serveOperation(api, { operation: updateRule, world }, async (call) => {
    const wish = readRule(call.body)
    if (isFault(wish)) return wish
    const lacks = await lacksWorker(workers, call.accountId, wish)
    if (lacks) return lacks
    return answer(await rules.update(zoneScope(call), { id: ruleId(call), wish }, note(call)))
  })

  serveOperation(api, { operation: deleteRule, world }, async (call) =>
    answer(await rules.remove(zoneScope(call), ruleId(call), note(call))),
  )

  /** A token may do less in a zone than in the account as a whole. */
  async function hiddenZones(principal: Principal): Promise<string[]> {
    if (!principal.zones) return []
    const ids = (await domains.zones(principal.accountId)).map(({ id }) => id)
    return ids.filter((id) => !permissionsIn(principal, id).has('Email Routing Rules:Read'))
  }

  function note({ by, accountId }: Pick<Call<unknown, unknown>, 'by' | 'accountId'>) {
    return noteRule(by.audit, { accountId, at: now() })
  }
}

type OfZone = Pick<Call<unknown, unknown>, 'accountId' | 'params'>

/** The door has asked whose zone it is. */
export function zoneScope({ accountId, params }: OfZone) {
  return { accountId, zoneId: params['zone_id']?.toLowerCase() ?? '' }
}

function ruleId({ params }: OfZone): string {
  return params['rule_identifier']?.toLowerCase() ?? ''
}

function pageOf({ page, per_page: limit, enabled, order, direction }: RulesQuery) {
  return { enabled, order, direction, limit, offset: (page - 1) * limit }
}

function answer(outcome: LiteralRule | RuleFault): Answer<ReturnType<typeof ruleBody>> {
  return 'kind' in outcome
    ? explainRuleFault(outcome, { domain: '/matchers/0/value' })
    : { result: ruleBody(outcome) }
}
