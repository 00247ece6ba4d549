import { z } from 'zod'
import { operation } from './operation.ts'

/** How wanted the mail of a zone's domains is, and how much an account sent. */
const rate = z.number().nullable()

const figures = {
  settled: z.number().int().describe('Recipients whose deliveries ended in the window'),
  delivered: z.number().int().describe('Those that arrived, without those that came back later'),
  hard_bounces: z.number().int().describe('Permanent failures, late ones too'),
  complaints: z.number().int(),
  delivery_rate: rate.describe('From 0 to 1; null where nothing ended'),
  hard_bounce_rate: rate,
  complaint_rate: rate,
}

/** A rate that has crossed its threshold. */
export const domainProblem = z.enum(['delivery_rate.low', 'hard_bounce_rate.high', 'complaint_rate.high'])

const domainDeliverability = z
  .object({
    name: z.string(),
    tag: z.string().describe('The domain’s id'),
    since: z.string().describe('The window slides by the hour'),
    until: z.string(),
    ...figures,
    thresholds: z
      .object({ delivery_rate: z.number(), hard_bounce_rate: z.number(), complaint_rate: z.number() })
      .describe('Delivery should be above, the others below'),
    problems: z
      .array(domainProblem)
      .readonly()
      .describe(
        'Rates that have crossed their thresholds in the window that these are about, as of the last look',
      ),
    problems_since: z.string().nullable(),
    providers: z
      .array(z.object({ provider: z.string(), ...figures }))
      .readonly()
      .describe('By who keeps the recipients’ mailboxes, those with the most first'),
  })
  .meta({ id: 'DomainDeliverability' })
export type DomainDeliverability = z.output<typeof domainDeliverability>

export const getDeliverability = operation({
  id: 'sending.domain_deliverability',
  method: 'GET',
  path: '/zones/{zone_id}/email/sending/deliverability',
  summary: 'Delivery, hard-bounce and complaint rates of the domains of a zone, by recipient provider.',
  permission: 'Analytics:Read',
  scope: 'zone',
  query: z.strictObject({
    days: z
      .string()
      .regex(/^([1-9]|[12]\d|3[01])$/, 'must be a number from 1 to 31')
      .describe('Of the window; by default the one that thresholds are about')
      .optional(),
  }),
  result: z.array(domainDeliverability).readonly(),
})

export const getSendingUsage = operation({
  id: 'sending.usage',
  method: 'GET',
  path: '/accounts/{account_id}/email/sending/usage',
  summary:
    'To how many recipients the account sent, by calendar month (UTC). Nothing is limited by it; verified destinations, suppressed and rejected recipients are not in it.',
  permission: 'Email Sending:Read',
  scope: 'account',
  result: z.object({
    months: z
      .array(z.object({ month: z.string().describe('2026-11'), sent: z.number().int() }))
      .readonly()
      .describe('The last twelve, newest first'),
  }),
})

export const deliverabilityOperations = [getDeliverability, getSendingUsage]
