import type { Authentication } from '#inbound/authenticate/authentication.ts'
import type { Judgement } from './judge-origin.ts'
import type { BodyLook } from './look-at-body.ts'

/** What is known of a message that was authenticated and taken. */
export interface Judged {
  readonly authentication: Authentication
  readonly judgement: Judgement & { readonly kind: 'taken' }
  /** A body with an octet 0 is one that a Worker alone may have. */
  readonly body: BodyLook | 'holds-nul'
}
