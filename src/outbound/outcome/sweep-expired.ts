import { eventWrite } from '#events/events.ts'
import type { Address } from '#model/address.ts'
import type { Cause } from '#model/event.ts'
import type { Log } from '#observe/log.ts'
import type { Failure } from '#outbound/notices/failure.ts'
import type { Notices } from '#outbound/notices/notices.ts'
import type { QueuedMessage } from '#outbound/queue/claimed-delivery.ts'
import { readMessages } from '#outbound/queue/message-by-id.ts'
import { settleExpired } from '#outbound/queue/settle-delivery.ts'
import { type Store, statement, type Write } from '#store/store.ts'
import { forwardedDetail } from './attempt-event.ts'
import { speaksOfAccount, suppressionWrites } from './suppression-writes.ts'

/** A claimed delivery may be in the middle of its last attempt: that long it may still settle by itself. */
const ATTEMPT_GRACE_MS = 15 * 60_000
const BATCH = 200
const MOST_BATCHES = 50

/** Settles every delivery that passed its end (promise 2). It shares no state with the scheduler: it reads the table
 *  alone, so that nothing the scheduler forgets lives for ever. One that cannot be settled holds up no other. Out: the
 *  number settled. */
export async function sweepExpired(
  store: Store,
  bodyRetentionMs: number,
  notices: Notices,
  log: Log,
): Promise<number> {
  let settled = 0
  let last: ExpiredRow | undefined
  for (let batch = 0; batch < MOST_BATCHES; batch++) {
    const rows = await store.all(expired, [last?.expires_at ?? 0, last?.id ?? '', BATCH])
    const message = readMessages(store)
    const settling = rows.map(async (row) => {
      const expired = { row, message: await message(row.message_id) }
      return (await notices.settle(expiry(expired), expiryWrites(expired, bodyRetentionMs))).ok
    })
    const results = await Promise.allSettled(settling)
    settled += results.filter((result) => result.status === 'fulfilled' && result.value).length
    const failed = results.filter((result) => result.status === 'rejected')
    for (const [index, result] of results.entries()) {
      const row = rows[index]
      if (result.status === 'fulfilled' || !row) continue
      const ids = { account: row.account_id, message: row.message_id, delivery: row.id }
      log.error({ err: result.reason, ...ids, failed: failed.length }, 'sweep: could not settle')
      // The others of this batch have the same reason, as like as not.
      break
    }
    last = rows.at(-1)
    if (rows.length < BATCH || failed.length === rows.length) break
  }
  return settled
}

interface Expired {
  readonly row: ExpiredRow
  readonly message: QueuedMessage
}

/** What its sender is told. */
function expiry({ row, message }: Expired): Failure {
  return {
    deliveryId: row.id,
    message,
    recipient: row.recipient,
    end: 'expired',
    cause: row.last_cause ?? 'expired',
    attempts: row.attempts,
    at: row.now,
    ...(row.last_reply !== null && { reply: row.last_reply }),
    ...(suppresses({ row, message }) && { suppression: BUSY }),
  }
}

function expiryWrites({ row, message }: Expired, bodyRetentionMs: number): Write[] {
  const at = row.now
  // Retries that ran out against the recipient's server are a bounce; what never got an answer there is our failure.
  const answered = row.last_reply !== null && row.last_cause !== null && !UNANSWERED.has(row.last_cause)
  const state = answered ? 'bounced' : 'failed'
  const releaseAt = message.previewEnabled ? at + bodyRetentionMs : at
  const cause = 'expired'
  const set = [
    ...settleExpired(row.id, message, { state, at, reply: row.last_reply, cause, releaseAt }),
    eventWrite({
      type: state,
      at,
      accountId: message.accountId,
      domainId: message.domainId,
      messageId: message.id,
      deliveryId: row.id,
      terminal: true,
      detail: {
        sender: message.sender,
        recipient: row.recipient,
        subject: message.subject,
        attempt: row.attempts,
        cause,
        ...(row.last_reply !== null && { smtpReply: row.last_reply }),
        ...forwardedDetail(message),
      },
    }),
  ]
  if (suppresses({ row, message })) {
    const { accountId } = message
    set.push(...suppressionWrites({ accountId, recipient: row.recipient, suppression: BUSY, at }))
  }
  return set
}

const BUSY = { reason: 'soft_bounce', forMs: 86_400_000 } as const

function suppresses({ row, message }: Expired): boolean {
  const isBusy = row.last_cause === 'recipient-full' || row.last_cause === 'recipient-rate-limited'
  return isBusy && speaksOfAccount(message)
}

/** Causes that no reply of the recipient's server gave. */
const UNANSWERED: ReadonlySet<Cause> = new Set([
  'host-unreachable',
  'connection-lost',
  'dns',
  'tls',
  'protocol',
  'expired',
  'suppressed',
])

interface ExpiredRow {
  readonly id: string
  readonly message_id: string
  readonly account_id: string
  readonly recipient: Address
  readonly attempts: number
  readonly expires_at: number
  readonly last_reply: string | null
  readonly last_cause: Cause | null
  readonly now: number
}

const expired = statement<ExpiredRow>(
  'outcome.expired',
  `select id, message_id, account_id, recipient, attempts, expires_at, last_reply, last_cause, {now} as now from delivery
    where state in ('waiting', 'claimed', 'held') and expires_at <= {now} and (expires_at, id) > ($1, $2)
      and (state <> 'claimed' or expires_at <= {now} - ${ATTEMPT_GRACE_MS})
    order by expires_at, id limit $3`,
)
