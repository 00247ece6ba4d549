import type { Log } from '#observe/log.ts'
import type { OperatorHands } from '#outbound/queue/operator-hands.ts'
import type { Accounts } from '#registry/accounts/accounts.ts'
import type { ReadTimeline } from './timeline-body.ts'

/** What the routes of an account's mail work with. */
export interface MessagesWorld {
  readonly accounts: Accounts
  readonly log: Log
  readonly hands: Pick<OperatorHands, 'act' | 'delivery' | 'deliveriesOf' | 'mail' | 'message'>
  readonly readTimeline: ReadTimeline
  /** Undefined for a body that is gone. */
  readonly readBody: (bodyId: string) => Promise<Buffer | undefined>
  /** The same in pieces, none of them large. */
  readonly openBody: (bodyId: string) => Promise<OpenBody | undefined>
}

export interface OpenBody {
  /** In octets. */
  readonly size: number
  open(): AsyncIterable<Uint8Array>
}
