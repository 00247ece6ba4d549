import { z } from 'zod'
import { operation } from './operation.ts'

/** `/operator/v1/service-domain`: what the service's own names say to strangers, for whoever runs it. */
const item = z.object({
  subject: z
    .enum([
      'spf',
      'mx-host',
      'submission-host',
      'policy-host',
      'helo',
      'ptr',
      'email-mx',
      'email-spf',
      'email-dkim',
      'mta-sts',
      'policy',
    ])
    .describe('What of the service depends on it'),
  name: z.string().describe('The name in DNS, the address, or the URL that it is about'),
  state: z.enum(['ready', 'missing', 'wrong', 'unanswered']),
  expected: z.array(z.string()).readonly().describe('As records are written, or in words'),
  found: z.array(z.string()).readonly(),
  advice: z.string().nullable().describe('What to do about it; null where all is well'),
})

export const serviceDomain = z
  .object({
    domain: z.string(),
    ready: z.boolean(),
    checked_at: z.string(),
    items: z.array(item).readonly(),
  })
  .meta({ id: 'ServiceDomain' })

export type ServiceDomainBody = z.output<typeof serviceDomain>

const all = { permission: 'none', scope: 'installation', result: serviceDomain } as const

export const getServiceDomain = operation({
  ...all,
  id: 'service_domain.get',
  method: 'GET',
  path: '/service-domain',
  summary: "What the last look at the service domain's own records found.",
})

export const checkServiceDomain = operation({
  ...all,
  id: 'service_domain.check',
  method: 'POST',
  path: '/service-domain/check',
  summary: "Looks at the service domain's own records now.",
})

export const serviceDomainOperations = [getServiceDomain, checkServiceDomain]
