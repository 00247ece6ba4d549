import { z } from 'zod'
import { operation } from './operation.ts'
import { quotaReason } from './quota-reason.ts'

/** `/operator/v1/accounts/{account_id}/quota`: what an account may send, in the operator's hands. */
const mode = z
  .enum(['automatic', 'fixed', 'unlimited'])
  .describe('automatic: it begins and grows as the installation says. The others are the operator’s word')

export const setQuotaRequest = z.strictObject({
  mode,
  value: z
    .int('must be a whole number')
    .min(0, 'must be 0 or more')
    .max(1_000_000_000, 'may be 1,000,000,000 at most')
    .optional()
    .describe('Of fixed: recipients a day (UTC)'),
})
export type SetQuotaRequest = z.output<typeof setQuotaRequest>

const accountQuota = z
  .object({
    account_id: z.string(),
    mode,
    quota: z
      .object({ unit: z.literal('day'), value: z.number().int() })
      .nullable()
      .describe('What counts now; null for any number'),
    automatic: z
      .number()
      .int()
      .nullable()
      .describe('What it has grown to by itself; null where the installation sets no quotas'),
    reason: quotaReason,
    usage: z.object({ sent: z.number().int(), over_quota: z.boolean(), resets_at: z.string() }),
  })
  .meta({ id: 'AccountQuota' })
export type AccountQuota = z.output<typeof accountQuota>

const ofAccount = {
  permission: 'none',
  scope: 'installation',
  path: '/accounts/{account_id}/quota',
  result: accountQuota,
} as const

export const getAccountQuota = operation({
  ...ofAccount,
  id: 'account_quota.get',
  method: 'GET',
  summary: 'How many recipients an account may send to in a day, and to how many it did today.',
})

export const setAccountQuota = operation({
  ...ofAccount,
  id: 'account_quota.set',
  method: 'PUT',
  summary: 'Raises or lowers what an account may send, or leaves that to itself again.',
  body: setQuotaRequest.meta({ examples: [{ mode: 'fixed', value: 50_000 }] }),
})

export const operatorQuotaOperations = [getAccountQuota, setAccountQuota]
