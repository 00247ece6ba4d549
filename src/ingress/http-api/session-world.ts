import type { ServiceInfo } from '#contract/session.ts'
import type { Log } from '#observe/log.ts'
import type { Accounts } from '#registry/accounts/accounts.ts'
import type { SessionCookie } from './session-cookie.ts'

/** What the routes of people who sign in work with. */
export interface SessionWorld {
  readonly accounts: Accounts
  readonly log: Log
  readonly dashboard: DashboardWorld
}

export interface DashboardWorld {
  readonly cookie: SessionCookie
  /** Whom one click signs in; undefined where others than this machine's user may reach this door. */
  readonly developmentUser: string | undefined
  readonly service: () => ServiceInfo
  /** Folder of the built dashboard. */
  readonly files: string
}
