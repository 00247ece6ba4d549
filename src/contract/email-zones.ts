import { z } from 'zod'
import { operation } from './operation.ts'
import { pageQuery } from './paging.ts'
import { quotaReason } from './quota-reason.ts'
import { routingSettings } from './routing-settings.ts'

/** What an account has of both services: its zones, and how much it may send. */

/** A zone as its settings, under the zone's id. */
const emailZones = z.array(routingSettings)

export const listRoutingZones = operation({
  id: 'routing.zones',
  method: 'GET',
  path: '/accounts/{account_id}/email/routing/zones',
  summary:
    'The zones of an account, and whether they take mail. Those that the token may not read are left out.',
  permission: 'none',
  scope: 'account',
  query: pageQuery,
  result: emailZones,
  paging: 'pages',
})

export const listSendingZones = operation({
  id: 'sending.zones',
  method: 'GET',
  path: '/accounts/{account_id}/email/sending/zones',
  summary: 'The zones of an account, and whether they send. Those that the token may not read are left out.',
  permission: 'none',
  scope: 'account',
  query: pageQuery,
  result: emailZones,
  paging: 'pages',
})

export const getSendingLimits = operation({
  id: 'sending.limits',
  method: 'GET',
  path: '/accounts/{account_id}/email/sending/limits',
  summary: 'How much the account may send, and how much it did today (UTC), in recipients.',
  permission: 'Email Sending:Read',
  scope: 'account',
  result: z.object({
    /** Null where there is no limit. */
    quota: z.object({ unit: z.enum(['day', 'hour']), value: z.number().int() }).nullable(),
    usage: z
      .object({
        sent: z.number().int(),
        over_quota: z.boolean(),
        resets_at: z.string().nullable(),
      })
      .nullable(),
    reason: quotaReason,
  }),
})

export const emailZoneOperations = [listRoutingZones, listSendingZones, getSendingLimits]
