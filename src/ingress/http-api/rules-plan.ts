import type { FastifyInstance } from 'fastify'
import { type PlanBody, type PlanResult, planRules } from '#contract/rules.ts'
import { parseDomainName } from '#protocol/domain-name.ts'
import { permissionsIn } from '#registry/accounts/policy.ts'
import type { Plan, PlannedChange, PlanRequest } from '#registry/routes/plan-rules.ts'
import type { RoutingRule } from '#registry/routes/rule.ts'
import { actionBody, matchersOf, UNKNOWN_DOMAIN } from './rule-body.ts'
import { isFault, readAction, readAll, readLiteral } from './rule-wish.ts'
import { lacksWorker } from './rule-worker.ts'
import type { RulesWorld } from './rules.ts'
import { type Answer, type Fault, serveOperation } from './serve-operation.ts'

/** `POST /accounts/{account_id}/email/routing/rules/plan` (clients.md §3.3): what `wrangler deploy` asks before it
 *  changes rules, one by one, by the routes for them. */
export function planRoutes(api: FastifyInstance, world: RulesWorld): void {
  const { workers } = world
  serveOperation(api, { operation: planRules, world }, async ({ by, accountId, body }) => {
    const wanted = readRequest(body)
    if (isFault(wanted)) return wanted
    const maySee = (zoneId: string) => permissionsIn(by.principal, zoneId).has('Email Routing Rules:Read')
    const { ownerWorkerTag } = wanted
    const lacks = await lacksWorker(workers, accountId, { managed: { source: 'wrangler', ownerWorkerTag } })
    if (lacks) return lacks
    return answer(await freed(accountId, await world.rules.plan(accountId, { ...wanted, maySee })))
  })

  /** What a Worker left that is gone is nobody's: to take it is no conflict. */
  async function freed(accountId: string, plan: Plan): Promise<Plan> {
    if (plan.kind !== 'planned') return plan
    const change = async (planned: PlannedChange): Promise<PlannedChange> => {
      const tag = planned.type === 'conflict' ? planned.remote?.managed.ownerWorkerTag : null
      const owned = tag == null || (await workers.tagged(accountId, tag)) !== undefined
      return owned ? planned : { ...planned, type: 'updated' }
    }
    const zones = plan.zones.map(async (zone) => ({
      ...{ ...zone, changes: await Promise.all(zone.changes.map(change)) },
    }))
    return { ...plan, zones: await Promise.all(zones) }
  }
}

function readRequest(body: PlanBody): Omit<PlanRequest, 'maySee'> | Fault {
  const rules: PlanRequest['rules'][number][] = []
  for (const [index, { matchers, actions }] of body.rules.entries()) {
    const at = `/rules/${index}`
    const address = readLiteral(matchers, at)
    if (isFault(address)) return unfit(address)
    const action = readAction(actions, at)
    if (isFault(action)) return unfit(action)
    rules.push({ address, action })
  }
  const catchAlls: PlanRequest['catchAlls'][number][] = []
  for (const [index, { target, rule }] of body.catch_all_rules.entries()) {
    const at = `/catch_all_rules/${index}`
    const domain = target.startsWith('*@') ? parseDomainName(target.slice(2)) : undefined
    if (typeof domain !== 'string') {
      const detail = domain?.detail ?? "The target of a catch-all is '*@' and a domain."
      return unfit({ ...UNKNOWN_DOMAIN, detail, pointer: `${at}/target` })
    }
    const misplaced = readAll(rule.matchers, `${at}/rule`)
    if (misplaced) return unfit(misplaced)
    const action = readAction(rule.actions, `${at}/rule`)
    if (isFault(action)) return unfit(action)
    catchAlls.push({ domain, action })
  }
  return { ownerWorkerTag: body.owner_worker_tag, rules, catchAlls }
}

const INVALID = { status: 422, code: 1001, message: 'Invalid plan input' } as const

/** What the original says of input that it cannot plan with. */
function unfit(fault: Fault): Fault {
  return { ...fault, ...INVALID }
}

function answer(plan: Plan): Answer<PlanResult> {
  switch (plan.kind) {
    case 'planned':
      return {
        result: {
          zones: plan.zones.map(({ zoneId, zoneName, changes }) => ({
            zone_id: zoneId,
            zone_name: zoneName,
            changes: changes.map(changeBody),
          })),
        },
      }
    case 'unknown-domain': {
      const detail = `'${plan.target}' is in no domain of this account that has Email Routing.`
      return { ...UNKNOWN_DOMAIN, detail }
    }
    case 'named-twice':
      return { ...INVALID, detail: `'${plan.target}' is wanted twice.` }
    case 'subdomain-catch-all': {
      const detail =
        `'${plan.target}' is the catch-all of a subdomain, which this client cannot set: ` +
        'PUT …/email/routing/rules/catch_all?subdomain=… does.'
      return { ...INVALID, detail }
    }
  }
}

function changeBody({ type, target, remote }: PlannedChange): PlanResult['zones'][number]['changes'][number] {
  return { type, target, ...(remote && { remote: remoteBody(remote) }) }
}

function remoteBody(rule: RoutingRule) {
  const { id, enabled, managed, action } = rule
  return {
    ...{ id, enabled, source: managed.source },
    ...{ matchers: matchersOf(rule), actions: [actionBody(action)] },
    ...(managed.source === 'wrangler' && action.type === 'worker' && { owner_worker_name: action.name }),
  }
}
