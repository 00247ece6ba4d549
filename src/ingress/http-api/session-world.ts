import type { ServiceInfo } from '#contract/session.ts'
import type { Log } from '#observe/log.ts'
import type { PasswordResetMail } from '#outbound/notices/password-reset-mail.ts'
import type { Accounts } from '#registry/accounts/accounts.ts'
import type { SessionCookie } from './session-cookie.ts'

/** What the routes of people who sign in work with. */
export interface SessionWorld {
  readonly accounts: Accounts
  readonly log: Log
  readonly dashboard: DashboardWorld
  readonly now: () => number
}

export interface DashboardWorld {
  readonly cookie: SessionCookie
  /** Whom one click signs in; undefined where others than this machine's user may reach this door. */
  readonly developmentUser: string | undefined
  /** What the service mails to people gets to them, and to nobody else. */
  readonly mailArrives: boolean
  readonly resetMail: PasswordResetMail
  readonly service: () => ServiceInfo
  /** Folder of the built dashboard. */
  readonly files: string
}
