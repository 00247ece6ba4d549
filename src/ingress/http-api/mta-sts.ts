import type { FastifyInstance } from 'fastify'
import { getMtaSts, type MtaStsBody, updateMtaSts } from '#contract/mta-sts.ts'
import type { MailDomain } from '#registry/domains/mail-domain.ts'
import type { Zone } from '#registry/domains/zones.ts'
import { apiTime } from './api-time.ts'
import { checkedRecords, errorsOf } from './onboarding-bodies.ts'
import { onboardingFault } from './onboarding-faults.ts'
import { auditBy, type OnboardingWorld, readName, withZone } from './onboarding-world.ts'
import { type Answer, type Call, type Fault, serveOperation } from './serve-operation.ts'

interface BySubdomain {
  readonly subdomain?: string | undefined
}

/** `/zones/{zone_id}/email/routing/mta_sts`. */
export function mtaStsRoutes(api: FastifyInstance, world: OnboardingWorld): void {
  const { mailSetup } = world

  serveOperation(api, { operation: getMtaSts, world }, withDomain(view))

  serveOperation(
    api,
    { operation: updateMtaSts, world },
    withDomain(async (zone, domain, { body, by }) => {
      const wish = { mode: body.mode, maxAgeSeconds: body.max_age }
      const changed = await mailSetup.changeMtaSts(zone, domain, wish, auditBy(by.audit))
      if (changed.kind === 'changed') return view(zone, domain)
      return changed.kind === 'not-set-up' ? notSetUp(domain.name) : onboardingFault(changed)
    }),
  )

  async function view(zone: Zone, domain: MailDomain): Promise<Answer<MtaStsBody>> {
    const { setting, policy, url, ...check } = await mailSetup.mtaSts(zone, domain)
    return {
      result: {
        name: domain.name,
        mode: setting.mode,
        max_age: setting.maxAgeSeconds,
        policy_id: policy?.id ?? null,
        policy: policy?.text ?? null,
        policy_url: url,
        ends: setting.endsAt === null ? null : apiTime(setting.endsAt),
        modified: setting.modifiedAt === null ? null : apiTime(setting.modifiedAt),
        records: checkedRecords(check),
        errors: errorsOf(check),
      },
    }
  }

  function withDomain<Body>(
    handle: (zone: Zone, domain: MailDomain, call: Call<BySubdomain, Body>) => Promise<Answer<MtaStsBody>>,
  ): (call: Call<BySubdomain, Body>) => Promise<Answer<MtaStsBody>> {
    return withZone(world, async (zone, call) => {
      const name = readName(zone, call.query.subdomain, '?subdomain')
      if (typeof name !== 'string') return name
      const domain = await mailSetup.domainNamed(zone, name)
      return domain && domain.routing !== 'none' ? handle(zone, domain, call) : notSetUp(name)
    })
  }
}

function notSetUp(name: string): Fault {
  const detail = `${name} is not set up for routing, so there is no mail to it here that a policy could be about.`
  return { status: 400, code: 2062, message: 'Unknown domain', detail }
}
