import type { AccountRuleResult, CatchAllResult, RuleResult } from '#contract/rules.ts'
import { type AuditActor, auditWrite } from '#registry/accounts/audit.ts'
import type { CatchAll, LiteralRule, RoutingRule, RuleAction } from '#registry/routes/rule.ts'
import type { RecordChange, RuleFault } from '#registry/routes/rules.ts'
import type { Fault } from './serve-operation.ts'

export function ruleBody(rule: LiteralRule): RuleResult {
  const { id, name, enabled, priority, managed, action } = rule
  return {
    ...{ id, tag: id, name, enabled, priority, source: managed.source },
    ...{ matchers: matchersOf(rule), actions: [actionBody(action)] },
  }
}

export function accountRuleBody(rule: LiteralRule): AccountRuleResult {
  return { ...ruleBody(rule), zone: { tag: rule.zoneId, name: rule.zoneName } }
}

export function catchAllBody(rule: CatchAll): CatchAllResult {
  const { id, name, enabled, managed, action } = rule
  return {
    ...{ id, tag: id, name, enabled, source: managed.source },
    ...{ matchers: matchersOf(rule), actions: [actionBody(action)] },
  }
}

export function matchersOf(rule: RoutingRule): CatchAllResult['matchers'] {
  return rule.matcher === 'all' ? [{ type: 'all' }] : [{ type: 'literal', field: 'to', value: rule.address }]
}

export function actionBody(action: RuleAction): CatchAllResult['actions'][number] {
  switch (action.type) {
    case 'forward':
      return { type: 'forward', value: [action.to] }
    case 'worker':
      return { type: 'worker', value: [action.name] }
    case 'drop':
      return { type: 'drop' }
  }
}

/** The audit log's line about a rule or a catch-all. */
export function noteRule(
  actor: AuditActor,
  { accountId, at }: { readonly accountId: string; readonly at: number },
): RecordChange<RoutingRule> {
  return ({ before, after }) => {
    const rule = after ?? before
    if (!rule) return []
    const verb = before && after ? 'update' : after ? 'create' : 'delete'
    const type = rule.matcher === 'all' ? 'catch_all' : 'rule'
    return [
      auditWrite({
        ...{ accountId, actor, action: `${type}.${verb}`, at, zone: rule.zoneName },
        resource: { type, id: rule.id },
        ...(before && { before: noted(before) }),
        ...(after && { after: noted(after) }),
      }),
    ]
  }
}

/** As the API shows it, with what it does not show: the owner's wish beside what works, and which domain's it is. */
function noted(rule: RoutingRule): object {
  const shown = rule.matcher === 'all' ? catchAllBody(rule) : ruleBody(rule)
  return { ...shown, domain: rule.domain, wanted: rule.wanted, owner_worker_tag: rule.managed.ownerWorkerTag }
}

const INVALID = { status: 400, code: 1001, message: 'Request body is invalid' } as const

/** The original's code for a name that takes no mail in this account (clients.md §3.3). */
export const UNKNOWN_DOMAIN = { status: 400, code: 2062, message: 'Unknown Email Routing domain' } as const

export function explainRuleFault(fault: RuleFault, pointers: { readonly domain: string }): Fault {
  switch (fault.kind) {
    case 'unknown-rule':
      // The code at which wrangler looks whether it was the catch-all's id (clients.md §2).
      return { status: 404, code: 2020, message: 'Rule not found' }
    case 'unknown-domain': {
      const detail = `'${fault.domain}' is neither this zone nor a domain below it that has Email Routing.`
      return { ...UNKNOWN_DOMAIN, detail, pointer: pointers.domain }
    }
    case 'unknown-destination': {
      const detail = `'${fault.address}' is no destination address of this account: add it first, at /email/routing/addresses.`
      return { ...INVALID, detail, pointer: '/actions/0/value/0' }
    }
    case 'too-many-rules': {
      const detail = `'${fault.domain}' has ${fault.limit} rules, which is the most that a domain can have.`
      return { status: 400, code: 1001, message: 'Too many routing rules', detail }
    }
  }
}
