import { z } from 'zod'
import { operation } from './operation.ts'

/** `/accounts/{account_id}/email/sending/smarthost[?domain=…]` and `…/smarthost/test`, which are ours: the original has
 *  no such thing. The schema says which shapes exist; what the values may be is the registry's to say. */
export const putSmarthost = z.strictObject({
  host: z.string(),
  /** By default 465, 587 and 25, as `tls` is `implicit`, `starttls` and `none`. */
  port: z.number().optional(),
  tls: z.enum(['implicit', 'starttls', 'none'], '"implicit", "starttls" or "none"'),
  /** Both, or neither. What was set before does not stay: the host may be another. */
  username: z.string().nullish(),
  password: z.string().nullish(),
})

export type PutSmarthost = z.output<typeof putSmarthost>

const scope = z.discriminatedUnion('type', [
  z.object({ type: z.literal('account') }),
  z.object({ type: z.literal('sending_domain'), value: z.string() }),
])

export type SmarthostScopeBody = z.output<typeof scope>

/** Never the password. Times in ISO 8601. */
const smarthost = z
  .object({
    scope,
    host: z.string(),
    port: z.number().int(),
    tls: z.enum(['implicit', 'starttls', 'none']),
    username: z.string().nullable(),
    created_at: z.string(),
    modified_at: z.string(),
  })
  .meta({ id: 'Smarthost' })

export type SmarthostBody = z.output<typeof smarthost>

/** What happened when we connected, logged in and said QUIT. */
const smarthostTest = z.object({
  works: z.boolean(),
  outcome: z.enum(['ready', 'no-address', 'unreachable', 'tls-failed', 'refused', 'login-refused']),
  detail: z.string(),
  address: z.string().nullable(),
  tls: z.string().nullable(),
  duration_ms: z.number(),
  dialogue: z
    .array(z.string())
    .readonly()
    .describe('“c: …” is what we said, “s: …” what the host said; without credentials'),
})

export type SmarthostTestBody = z.output<typeof smarthostTest>

const path = '/accounts/{account_id}/email/sending/smarthost'
const query = z.strictObject({
  domain: z.string().describe('A sending domain of the account; without it the account’s own').optional(),
})
const reads = { permission: 'Email Sending:Read', scope: 'account', codes: 'sending', query } as const
const edits = { ...reads, permission: 'Email Sending:Edit' } as const

export const getSmarthost = operation({
  ...reads,
  id: 'smarthost.get',
  method: 'GET',
  path,
  summary: 'Shows the relay that takes the mail of the account, or of one of its domains.',
  result: smarthost,
})

export const setSmarthost = operation({
  ...edits,
  id: 'smarthost.update',
  method: 'PUT',
  path,
  summary: 'Has a relay take the mail of the account, or of one of its domains.',
  body: putSmarthost.meta({
    examples: [{ host: 'relay.example.net', tls: 'starttls', username: 'posthorn', password: 'secret' }],
  }),
  result: smarthost,
})

export const deleteSmarthost = operation({
  ...edits,
  id: 'smarthost.delete',
  method: 'DELETE',
  path,
  summary: 'Has the mail of the account, or of one of its domains, go straight to its recipients again.',
  result: z.object({ scope }),
})

export const testSmarthost = operation({
  ...edits,
  id: 'smarthost.test',
  method: 'POST',
  path: `${path}/test`,
  summary: 'Connects to the relay that is set, logs in and says QUIT.',
  result: smarthostTest,
})

export const smarthostOperations = [getSmarthost, setSmarthost, deleteSmarthost, testSmarthost]
