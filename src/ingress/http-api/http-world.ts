import type { Log } from '#observe/log.ts'
import type { Acceptor } from '#outbound/accept/accept.ts'
import type { Accounts } from '#registry/accounts/accounts.ts'

/** What the HTTP door's routes work with. */
export interface HttpWorld {
  readonly accounts: Accounts
  readonly acceptor: Acceptor
  readonly log: Log
  readonly allowedHosts: readonly string[]
  readonly sendWaitMs: number
}
