import type { FastifyInstance } from 'fastify'
import { getCatchAll, updateCatchAll } from '#contract/rules.ts'
import { parseDomainName } from '#protocol/domain-name.ts'
import type { CatchAll } from '#registry/routes/rule.ts'
import type { RuleFault, ZoneScope } from '#registry/routes/rules.ts'
import { catchAllBody, explainRuleFault, noteRule, UNKNOWN_DOMAIN } from './rule-body.ts'
import { isFault, readCatchAll } from './rule-wish.ts'
import { lacksWorker } from './rule-worker.ts'
import { type RulesWorld, zoneScope } from './rules.ts'
import { type Answer, type Fault, serveOperation } from './serve-operation.ts'

const SUBDOMAIN = '?subdomain'

/** `…/rules/catch_all`: the zone's own, and with `?subdomain=` that of a domain below it, which the original has not. */
export function catchAllRoutes(api: FastifyInstance, world: RulesWorld): void {
  const { rules, domains, now } = world

  serveOperation(api, { operation: getCatchAll, world }, async (call) => {
    const scope = zoneScope(call)
    const domain = await readSubdomain(scope, call.query.subdomain)
    return isFault(domain) ? domain : answer(await rules.catchAll(scope, domain.name))
  })

  serveOperation(api, { operation: updateCatchAll, world }, async (call) => {
    const scope = zoneScope(call)
    const domain = await readSubdomain(scope, call.query.subdomain)
    if (isFault(domain)) return domain
    const wish = readCatchAll(call.body)
    if (isFault(wish)) return wish
    const lacks = await lacksWorker(world.workers, call.accountId, wish)
    if (lacks) return lacks
    const record = noteRule(call.by.audit, { accountId: call.accountId, at: now() })
    return answer(await rules.setCatchAll(scope, { domain: domain.name, wish }, record))
  })

  /** `name` is undefined for the zone's own. */
  async function readSubdomain(
    { accountId, zoneId }: ZoneScope,
    given: string | undefined,
  ): Promise<{ readonly name: string | undefined } | Fault> {
    if (given === undefined) return { name: undefined }
    const zone = (await domains.zone(accountId, zoneId))?.name ?? ''
    const lower = given.toLowerCase()
    const whole = lower === zone || lower.endsWith(`.${zone}`) ? given : `${given}.${zone}`
    const name = parseDomainName(whole)
    if (typeof name === 'string') return { name }
    return { ...UNKNOWN_DOMAIN, detail: name.detail, pointer: SUBDOMAIN }
  }
}

function answer(outcome: CatchAll | RuleFault): Answer<ReturnType<typeof catchAllBody>> {
  return 'kind' in outcome
    ? explainRuleFault(outcome, { domain: SUBDOMAIN })
    : { result: catchAllBody(outcome) }
}
