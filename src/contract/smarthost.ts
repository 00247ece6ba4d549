import { z } from 'zod'

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

export type SmarthostScopeBody =
  | { readonly type: 'account' }
  | { readonly type: 'sending_domain'; readonly value: string }

/** Never the password. Times in ISO 8601. */
export interface SmarthostBody {
  readonly scope: SmarthostScopeBody
  readonly host: string
  readonly port: number
  readonly tls: 'implicit' | 'starttls' | 'none'
  readonly username: string | null
  readonly created_at: string
  readonly modified_at: string
}

/** What happened when we connected, logged in and said QUIT. */
export interface SmarthostTestBody {
  readonly works: boolean
  readonly outcome: 'ready' | 'no-address' | 'unreachable' | 'tls-failed' | 'refused' | 'login-refused'
  readonly detail: string
  readonly address: string | null
  readonly tls: string | null
  readonly duration_ms: number
  /** `c: …` is what we said, `s: …` what the host said; without credentials. */
  readonly dialogue: readonly string[]
}
