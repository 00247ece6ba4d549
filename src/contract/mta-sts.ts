import { z } from 'zod'
import { checkedRecord, recordError } from './onboarding-records.ts'
import { operation } from './operation.ts'

/** `/zones/{zone_id}/email/routing/mta_sts`: what a domain says of TLS to those who send to it (RFC 8461). Not the
 *  original's, where a Worker of the customer's serves the policy. */

/** `off`: nothing is published. `none`: a policy that asks for nothing, and makes senders forget an earlier one. */
const mode = z.enum(['off', 'none', 'testing', 'enforce'])

export const mtaSts = z.object({
  name: z.string(),
  mode,
  /** How long senders hold to the policy, in seconds. */
  max_age: z.number().int(),
  /** Changes with the policy, and never else; null while it is off. */
  policy_id: z.string().nullable(),
  /** The text that is served at `policy_url`; null while it is off. */
  policy: z.string().nullable(),
  policy_url: z.string(),
  /** When a policy goes that was switched off: nobody can hold an earlier one any more that asked for TLS. */
  ends: z.string().nullable(),
  /** Null before it was ever set. */
  modified: z.string().nullable(),
  /** How what announces the policy stands in DNS now. */
  records: z.array(checkedRecord),
  errors: z.array(recordError),
})

export type MtaStsBody = z.output<typeof mtaSts>

const zone = { scope: 'zone', path: '/zones/{zone_id}/email/routing/mta_sts' } as const
const query = z.object({ subdomain: z.string().max(1000).optional() })

export const getMtaSts = operation({
  id: 'routing.mta_sts.get',
  method: 'GET',
  ...zone,
  summary: 'The MTA-STS policy of the zone, or of one of its subdomains, and how its records stand in DNS.',
  permission: 'Email Routing Rules:Read',
  query,
  result: mtaSts,
})

export const updateMtaSts = operation({
  id: 'routing.mta_sts.update',
  method: 'PUT',
  ...zone,
  summary:
    'Sets the MTA-STS policy and its records. Switched off, it says none until no sender can hold an earlier one.',
  permission: 'Email Routing Rules:Edit',
  query,
  body: z
    .object({
      mode,
      /** From a day to a year (RFC 8461 §3.2); as it was unless given, a day at first. */
      max_age: z.number().int().min(86_400).max(31_557_600).optional(),
    })
    .meta({ examples: [{ mode: 'testing' }] }),
  result: mtaSts,
})

export const mtaStsOperations = [getMtaSts, updateMtaSts]
