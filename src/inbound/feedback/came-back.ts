import type { ArrivedMail } from '#inbound/authenticate/authentication.ts'
import type { FeedbackAddress } from './returned-to.ts'

/** One mail that came to an address of ours where things come back. */
export interface CameBack extends ArrivedMail {
  readonly to: FeedbackAddress
}

/** `taken`: done with, whether it counted or not. Anything else may be tried again: the delivery is being settled, DNS
 *  could not be asked, there is too much to do. */
export type Taken = 'taken' | 'unsettled' | 'dns-failed' | 'busy'
