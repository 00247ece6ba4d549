import type { FastifyInstance } from 'fastify'
import { getSendingLimits, listRoutingZones, listSendingZones } from '#contract/email-zones.ts'
import { type Page, pageInfo } from '#contract/paging.ts'
import type { RoutingSettingsBody } from '#contract/routing-settings.ts'
import type { Permission } from '#model/permission.ts'
import { isGrantedSomewhere, permissionsIn } from '#registry/accounts/policy.ts'
import type { MailService } from '#registry/domains/onboarding-records.ts'
import type { Zone } from '#registry/domains/zones.ts'
import { explainQuota } from '#registry/quota/explain-quota.ts'
import type { Quota } from '#registry/quota/quota.ts'
import { apiTime } from './api-time.ts'
import type { OnboardingWorld } from './onboarding-world.ts'
import { settingsBody } from './routing-settings.ts'
import { type Actor, type Answer, LACKING, serveOperation } from './serve-operation.ts'

export interface EmailZonesWorld extends OnboardingWorld {
  readonly quota: Pick<Quota, 'report'>
  readonly now: () => number
}

const READS = {
  sending: 'Email Sending:Read',
  routing: 'Email Routing Rules:Read',
} as const satisfies Record<MailService, Permission>

/** The zones of an account with their settings, and its sending limits: what no SDK asks for and wrangler does. */
export function emailZoneRoutes(api: FastifyInstance, world: EmailZonesWorld): void {
  const { domains, mailSetup, quota, now } = world

  serveOperation(api, { operation: listRoutingZones, world }, ({ by, accountId, query }) =>
    list('routing', by, accountId, query),
  )
  serveOperation(api, { operation: listSendingZones, world }, ({ by, accountId, query }) =>
    list('sending', by, accountId, query),
  )

  serveOperation(api, { operation: getSendingLimits, world }, async ({ accountId }) => {
    const report = await quota.report(accountId, now())
    const { limit, used, resetsAt } = report
    return {
      result: {
        quota: limit === null ? null : { unit: 'day' as const, value: limit },
        usage: {
          sent: used,
          over_quota: limit !== null && used >= limit,
          resets_at: new Date(resetsAt).toISOString(),
        },
        reason: explainQuota(report),
      },
    }
  })

  async function list(
    mail: MailService,
    by: Actor,
    accountId: string,
    page: Page,
  ): Promise<Answer<RoutingSettingsBody[]>> {
    const permission = READS[mail]
    if (!isGrantedSomewhere(by.principal, permission))
      return { ...LACKING, detail: `The API token lacks the permission "${permission}".` }
    const zones = (await domains.zones(accountId)).filter(({ id }) =>
      permissionsIn(by.principal, id).has(permission),
    )
    const shown = zones.slice((page.page - 1) * page.per_page, page.page * page.per_page)
    const result: RoutingSettingsBody[] = []
    // One after the other: a zone that was never looked at is looked at now.
    for (const zone of shown)
      result.push(mail === 'routing' ? await routingZone(zone) : await sendingZone(zone))
    return { result, info: pageInfo(page, result.length, zones.length) }
  }

  async function routingZone(zone: Zone): Promise<RoutingSettingsBody> {
    const domain = await mailSetup.domainNamed(zone, zone.name)
    const [status, chosen] = await Promise.all([
      mailSetup.status(zone, domain, 'routing'),
      mailSetup.routingSettings(zone),
    ])
    return settingsBody(zone, { domain, name: zone.name, chosen, status })
  }

  /** A zone sends as soon as one of its domains does. */
  async function sendingZone(zone: Zone): Promise<RoutingSettingsBody> {
    const all = await mailSetup.sendingDomains(zone)
    const using = all.filter(({ sending }) => sending === 'pending' || sending === 'active')
    const apex = using.find(({ name }) => name === zone.name) ?? using[0]
    const status = await mailSetup.status(zone, apex, 'sending')
    const chosen = await mailSetup.routingSettings(zone)
    const modified = using.map(({ modifiedAt }) => modifiedAt)
    return {
      ...settingsBody(zone, { domain: undefined, name: zone.name, chosen, status }),
      enabled: using.length > 0,
      modified: apiTime(Math.max(zone.createdAt, ...modified)),
    }
  }
}
