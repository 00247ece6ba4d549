import type { Log } from '#observe/log.ts'
import type { Acceptor } from '#outbound/accept/accept.ts'
import type { Foresee } from '#outbound/accept/foresee.ts'
import type { Accounts } from '#registry/accounts/accounts.ts'
import type { Suppressions } from '#registry/suppressions/suppressions.ts'
import type { MessagesWorld } from './messages.ts'
import type { OperatorWorld } from './operator.ts'
import type { SmarthostWorld } from './smarthost.ts'

/** What the HTTP door's routes work with. */
export interface HttpWorld {
  readonly accounts: Accounts
  readonly acceptor: Acceptor
  readonly log: Log
  readonly allowedHosts: readonly string[]
  readonly sendWaitMs: number
  readonly suppressions: Suppressions
  /** Keeps the cursors of its lists from being made elsewhere. */
  readonly suppressionCursorKey: Uint8Array
  readonly foresee: Foresee
  readonly smarthost: Pick<SmarthostWorld, 'smarthosts' | 'trySmarthost'>
  /** What becomes of mail: an account's own, and the whole queue. */
  readonly queue: Omit<MessagesWorld & OperatorWorld, 'accounts' | 'log' | 'now'>
  readonly now: () => number
}
