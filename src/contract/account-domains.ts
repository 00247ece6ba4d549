import { z } from 'zod'
import { domainProblem } from './deliverability.ts'
import { recordErrorCode } from './onboarding-records.ts'
import { operation } from './operation.ts'
import { pageQuery } from './paging.ts'

/** `/accounts/{account_id}/email/sending/domains`: what an account sends from, over all of its zones. Not the original's. */
export const accountDomain = z
  .object({
    tag: z.string().nullable().describe('The domain’s id; null for a zone of which no domain sends'),
    name: z.string().describe('Of the domain, or of that zone'),
    created: z.string(),
    zone: z.object({
      id: z.string(),
      name: z.string(),
      status: z.enum(['pending', 'active']),
      type: z.enum(['full', 'partial']),
      dns: z.enum(['hosted', 'manual']),
    }),
    status: z
      .enum(['ready', 'misconfigured', 'unconfigured'])
      .nullable()
      .describe('As of the last look at DNS; null before the first, `unconfigured` where nothing sends'),
    errors: z.array(recordErrorCode).readonly().describe('What that look found wrong'),
    checked: z.string().nullable().describe('When that was'),
    problems: z
      .array(domainProblem)
      .readonly()
      .nullable()
      .describe(
        'Rates that have crossed their thresholds; null where the token lacks Analytics:Read in the zone',
      ),
    problems_since: z.string().nullable(),
  })
  .meta({ id: 'AccountDomain' })

export type AccountDomainBody = z.output<typeof accountDomain>

const yesOrNo = z.enum(['true', 'false'], '"true" or "false"')

const query = pageQuery.extend({
  name: z.string().max(300).describe('A part of the name').optional(),
  sending: yesOrNo
    .describe('Only domains that send (`true`), or only zones of which none does (`false`)')
    .optional(),
  attention: yesOrNo
    .describe(
      'Only those with something to be done (`true`): a proof, records in DNS that a look found wrong, or a rate; or only the others (`false`)',
    )
    .optional(),
})

export type AccountDomainsQuery = z.output<typeof query>

export const listAccountDomains = operation({
  id: 'sending.domains',
  method: 'GET',
  path: '/accounts/{account_id}/email/sending/domains',
  summary:
    'The domains that send, of all zones of an account, and the zones of which none does; nothing is asked of DNS. Those that the token may not read are left out.',
  permission: 'none',
  scope: 'account',
  query,
  result: z.array(accountDomain),
  paging: 'pages',
})

export const accountDomainOperations = [listAccountDomains]
