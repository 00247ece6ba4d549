import type { FastifyInstance } from 'fastify'
import { type DomainDeliverability, getDeliverability, getSendingUsage } from '#contract/deliverability.ts'
import type { MailDomain } from '#registry/domains/mail-domain.ts'
import type { Quota } from '#registry/quota/quota.ts'
import { type Figures, ratesOf } from '#registry/reputation/figures.ts'
import type { Reputation } from '#registry/reputation/reputation.ts'
import { apiTime } from './api-time.ts'
import { type OnboardingWorld, withZone } from './onboarding-world.ts'
import { serveOperation } from './serve-operation.ts'

export interface DeliverabilityWorld extends OnboardingWorld {
  readonly quota: Pick<Quota, 'months'>
  readonly reputation: Pick<Reputation, 'figures' | 'thresholds'>
  readonly now: () => number
}

const MONTHS = 12

/** What became of what was sent, and how much that was. */
export function deliverabilityRoutes(api: FastifyInstance, world: DeliverabilityWorld): void {
  const { mailSetup, quota, reputation, now } = world

  serveOperation(
    api,
    { operation: getDeliverability, world },
    withZone(world, async (zone, { accountId, query: { days } }) => {
      const result: DomainDeliverability[] = []
      // One after the other: each is a scan.
      for (const domain of await mailSetup.sendingDomains(zone))
        result.push(await body(accountId, domain, days === undefined ? undefined : Number(days)))
      return { result }
    }),
  )

  serveOperation(api, { operation: getSendingUsage, world }, async ({ accountId }) => {
    return { result: { months: await quota.months(accountId, now(), MONTHS) } }
  })

  async function body(
    accountId: string,
    { id, name }: MailDomain,
    days: number | undefined,
  ): Promise<DomainDeliverability> {
    const found = await reputation.figures(accountId, id, days)
    const { delivery, hardBounce, complaint } = reputation.thresholds
    return {
      ...{ name, tag: id, since: apiTime(found.since), until: apiTime(found.until) },
      ...figuresBody(found.total),
      thresholds: { delivery_rate: delivery, hard_bounce_rate: hardBounce, complaint_rate: complaint },
      problems: found.problems,
      problems_since: found.problemsSince === null ? null : apiTime(found.problemsSince),
      providers: found.providers.map(({ provider, ...figures }) => ({ provider, ...figuresBody(figures) })),
    }
  }
}

function figuresBody(figures: Figures) {
  const { delivery, hardBounce, complaint } = ratesOf(figures)
  const { settled, delivered, hardBounced, complained } = figures
  return {
    ...{ settled, delivered, hard_bounces: hardBounced, complaints: complained },
    ...{ delivery_rate: delivery, hard_bounce_rate: hardBounce, complaint_rate: complaint },
  }
}
