import type { FastifyInstance } from 'fastify'
import {
  getRoutingDns,
  getRoutingDnsStatus,
  listRoutingKeys,
  previewRouting,
  rotateRoutingKey,
} from '#contract/routing-settings.ts'
import type { MailDomain } from '#registry/domains/mail-domain.ts'
import type { DomainPreview } from '#registry/domains/preview-domain.ts'
import type { Zone } from '#registry/domains/zones.ts'
import { errorsOf, keyBody, previewBody, recordBody, statusBody } from './onboarding-bodies.ts'
import { onboardingFault, rotationFault } from './onboarding-faults.ts'
import { auditBy, type OnboardingWorld, readName, withZone } from './onboarding-world.ts'
import { plainStatus } from './sending-subdomains.ts'
import { type Answer, type Call, type Fault, NO_SUCH_OBJECT, serveOperation } from './serve-operation.ts'

interface BySubdomain {
  readonly subdomain?: string | undefined
}

/** `/zones/{zone_id}/email/routing/dns` and `…/dkim`, as far as they only tell, and the rotation of keys. */
export function routingDnsRoutes(api: FastifyInstance, world: OnboardingWorld): void {
  const { mailSetup } = world

  serveOperation(
    api,
    { operation: getRoutingDns, world },
    withZone(world, async (zone, { query }) => {
      const preview = await previewed(zone, readName(zone, query.subdomain, '?subdomain'))
      if ('status' in preview) return preview
      const record = preview.records.map(recordBody)
      return { result: query.subdomain === undefined ? record : { record, errors: errorsOf(preview) } }
    }),
  )

  serveOperation(
    api,
    { operation: previewRouting, world },
    withZone(world, async (zone, { body }) => {
      const name = readName(zone, body.name)
      const preview = await previewed(zone, name)
      if ('status' in preview) return preview
      const domain = typeof name === 'string' ? await mailSetup.domainNamed(zone, name) : undefined
      const status = await mailSetup.status(zone, domain, 'routing')
      return { result: previewBody(preview, plainStatus(status)) }
    }),
  )

  serveOperation(
    api,
    { operation: getRoutingDnsStatus, world },
    withDomain(async (zone, domain) => ({
      result: statusBody(await mailSetup.check(zone, domain, 'routing')),
    })),
  )

  serveOperation(
    api,
    { operation: listRoutingKeys, world },
    withDomain(async (_zone, domain) => ({ result: await keys(domain) })),
  )

  serveOperation(
    api,
    { operation: rotateRoutingKey, world },
    withDomain(async (zone, domain, { by }) => {
      const rotation = await mailSetup.rotate(zone, domain, 'routing', auditBy(by.audit))
      const fault = rotationFault(rotation)
      return fault ?? { result: await keys(domain) }
    }),
  )

  async function previewed(zone: Zone, name: string | Fault): Promise<DomainPreview | Fault> {
    if (typeof name !== 'string') return name
    const preview = await mailSetup.preview(zone, name, 'routing')
    return 'kind' in preview ? onboardingFault(preview) : preview
  }

  function withDomain<Body, Result>(
    handle: (zone: Zone, domain: MailDomain, call: Call<BySubdomain, Body>) => Promise<Answer<Result>>,
  ): (call: Call<BySubdomain, Body>) => Promise<Answer<Result>> {
    return withZone(world, async (zone, call) => {
      const name = readName(zone, call.query.subdomain, '?subdomain')
      if (typeof name !== 'string') return name
      const domain = await mailSetup.domainNamed(zone, name)
      return domain && domain.routing !== 'none' ? handle(zone, domain, call) : NO_SUCH_OBJECT
    })
  }

  async function keys(domain: MailDomain) {
    const all = await mailSetup.keys(domain, 'routing')
    return all.map((key) => keyBody(domain.name, key))
  }
}
