import type { FastifyInstance } from 'fastify'
import { checkServiceDomain, getServiceDomain, type ServiceDomainBody } from '#contract/service-domain.ts'
import type { ServiceCheck } from '#registry/domains/service-check.ts'
import { succeed } from './answer.ts'

/** What is known of the service domain's own records. */
export interface ServiceDomainWorld {
  readonly serviceDomain: {
    readonly name: string
    /** As the last look had it; looks where there was none. */
    readonly last: () => Promise<ServiceCheck>
    readonly look: () => Promise<ServiceCheck>
  }
}

/** `/service-domain` of the operator. */
export function serviceDomainRoutes(api: FastifyInstance, { serviceDomain }: ServiceDomainWorld): void {
  const { name, last, look } = serviceDomain
  api.get(getServiceDomain.path, async (_request, reply) => succeed(reply, body(name, await last())))
  api.post(checkServiceDomain.path, async (_request, reply) => succeed(reply, body(name, await look())))
}

function body(domain: string, { ready, checkedAt, items }: ServiceCheck): ServiceDomainBody {
  return { domain, ready, checked_at: new Date(checkedAt).toISOString(), items }
}
