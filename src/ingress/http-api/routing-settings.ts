import type { FastifyInstance } from 'fastify'
import {
  createRoutingDns,
  deleteRoutingDns,
  disableRouting,
  editRoutingDns,
  editRoutingSettings,
  enableRouting,
  getRoutingSettings,
  listRoutingSubdomains,
  type RoutingSettingsBody,
  unlockRouting,
  updateRoutingSettings,
} from '#contract/routing-settings.ts'
import type { AuditActor } from '#registry/accounts/audit.ts'
import type { StatusWord } from '#registry/domains/judge-records.ts'
import type { MailDomain } from '#registry/domains/mail-domain.ts'
import type { Zone } from '#registry/domains/zones.ts'
import { apiTime } from './api-time.ts'
import { onboardingFault } from './onboarding-faults.ts'
import { auditBy, type OnboardingWorld, readName, withZone } from './onboarding-world.ts'
import { type Answer, type Fault, serveOperation } from './serve-operation.ts'

/** `/zones/{zone_id}/email/routing`, and the DNS routes that switch the same thing. */
export function routingSettingsRoutes(api: FastifyInstance, world: OnboardingWorld): void {
  const { mailSetup } = world

  serveOperation(
    api,
    { operation: getRoutingSettings, world },
    withZone(world, (zone) => settings(zone, zone.name, 'look')),
  )

  serveOperation(
    api,
    { operation: listRoutingSubdomains, world },
    withZone(world, async (zone) => {
      const result: RoutingSettingsBody[] = []
      const chosen = await mailSetup.routingSettings(zone)
      // One after the other: a domain that was never looked at is looked at now.
      for (const domain of await mailSetup.routingDomains(zone)) {
        const status = await mailSetup.status(zone, domain, 'routing')
        result.push(settingsBody(zone, { domain, name: domain.name, chosen, status }))
      }
      const count = result.length
      return { result, info: { page: 1, per_page: count, count, total_count: count, total_pages: 1 } }
    }),
  )

  for (const operation of [updateRoutingSettings, editRoutingSettings])
    serveOperation(
      api,
      { operation, world },
      withZone(world, async (zone, { by, body }) => {
        const change = { skipWizard: body.skip_wizard, supportSubaddress: body.support_subaddress }
        await mailSetup.changeRoutingSettings(zone, change, auditBy(by.audit))
        return settings(zone, zone.name, 'last')
      }),
    )

  serveOperation(
    api,
    { operation: enableRouting, world },
    withZone(world, (zone, { by }) => enable(zone, zone.name, by.audit)),
  )

  serveOperation(
    api,
    { operation: createRoutingDns, world },
    withZone(world, async (zone, { by, body }) => {
      const name = readName(zone, body.name)
      return typeof name === 'string' ? enable(zone, name, by.audit) : name
    }),
  )

  serveOperation(
    api,
    { operation: disableRouting, world },
    withZone(world, (zone, { by }) => disable(zone, zone.name, by.audit)),
  )

  serveOperation(
    api,
    { operation: deleteRoutingDns, world },
    withZone(world, async (zone, { by, query }) => {
      const name = readName(zone, query.subdomain, '?subdomain')
      return typeof name === 'string' ? disable(zone, name, by.audit) : name
    }),
  )

  for (const operation of [unlockRouting, editRoutingDns])
    serveOperation(
      api,
      { operation, world },
      withZone(world, async (zone, { by, body }) => {
        const name = readName(zone, body.name)
        if (typeof name !== 'string') return name
        if (name !== zone.name) return ONLY_ROOT
        const domain = await mailSetup.domainNamed(zone, name)
        if (domain) await mailSetup.unlock(zone, domain, auditBy(by.audit))
        return settings(zone, name, 'last')
      }),
    )

  async function enable(zone: Zone, name: string, actor: AuditActor): Promise<Answer<RoutingSettingsBody>> {
    const added = await mailSetup.add(zone, name, 'routing', auditBy(actor))
    return added.kind === 'onboarded' ? settings(zone, name, 'last') : onboardingFault(added)
  }

  /** What was not enabled stays so, without a word. */
  async function disable(zone: Zone, name: string, actor: AuditActor): Promise<Answer<RoutingSettingsBody>> {
    const domain = await mailSetup.domainNamed(zone, name)
    if (!domain && name !== zone.name) return notSetUp(name)
    if (domain) await mailSetup.remove(zone, domain, 'routing', auditBy(actor))
    return settings(zone, name, 'last')
  }

  async function settings(
    zone: Zone,
    name: string,
    status: 'look' | 'last',
  ): Promise<Answer<RoutingSettingsBody>> {
    const domain = await mailSetup.domainNamed(zone, name)
    const word =
      status === 'look' && domain
        ? (await mailSetup.check(zone, domain, 'routing')).status
        : await mailSetup.status(zone, domain, 'routing')
    const chosen = await mailSetup.routingSettings(zone)
    return { result: settingsBody(zone, { domain, name, chosen, status: word }) }
  }
}

/** config-domains.md, Locked DNS records. */
const ONLY_ROOT: Fault = {
  status: 400,
  code: 1001,
  message: 'Request is invalid',
  detail: "Only the zone's own routing records can be unlocked, not those of a subdomain.",
  pointer: '/name',
}

function notSetUp(name: string): Fault {
  const detail = `${name} was never set up for routing.`
  return { status: 400, code: 2062, message: 'Unknown domain', detail, pointer: '?subdomain' }
}

/** The settings are the zone's, and so are their id and their beginning; a subdomain has its own. */
export function settingsBody(
  zone: Zone,
  of: {
    readonly domain: MailDomain | undefined
    readonly name: string
    readonly chosen: {
      readonly skipWizard: boolean
      readonly supportSubaddress: boolean
      readonly modifiedAt: number
    }
    readonly status: StatusWord
  },
): RoutingSettingsBody {
  const { domain, name, chosen, status } = of
  const id = name === zone.name ? zone.id : (domain?.id ?? zone.id)
  return {
    id,
    tag: id,
    name,
    enabled: domain?.routing === 'pending' || domain?.routing === 'active',
    created: apiTime(name === zone.name ? zone.createdAt : (domain?.createdAt ?? zone.createdAt)),
    modified: apiTime(domain ? Math.max(domain.modifiedAt, chosen.modifiedAt) : chosen.modifiedAt),
    skip_wizard: chosen.skipWizard,
    status,
    support_subaddress: chosen.supportSubaddress,
  }
}
