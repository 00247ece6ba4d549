import { newId } from '#store/id.ts'
import { type Store, statement, type Write } from '#store/store.ts'
import { type AttemptEntry, type DeliveryRow, deliveryWrites, withEntry } from './delivery-row.ts'
import { WEBHOOK_PAUSED } from './event-names.ts'
import { findListeners, isForWebhook } from './find-listeners.ts'
import { type LifecycleEvent, uuidOf } from './lifecycle-event.ts'
import type { Posted } from './post-webhook.ts'
import { restWait, retryWait } from './retry-schedule.ts'
import type { PauseReason, Webhook } from './webhook.ts'

/** What is to be in the commit that pauses a webhook besides: its line in the audit log. */
export type RecordPause = (webhook: Webhook, at: number) => readonly Write[]

export interface SettleWorld {
  readonly store: Store
  readonly clock: () => number
  readonly random: () => number
  readonly recordPause: RecordPause
  readonly retryMs?: readonly number[]
  /** The first rest of a webhook that does nothing but fail. */
  readonly restMs?: number
  /** After how long of failing alone a webhook is paused. */
  readonly pauseAfterMs: number
  readonly keepMs: number
}

/** One attempt, as it went. */
export interface Attempt {
  readonly webhook: Webhook
  readonly row: DeliveryRow
  readonly posted: Exclude<Posted, { kind: 'aborted' }>
  readonly at: number
  readonly durationMs: number
}

// What was replayed or expired meanwhile has its own new end.
const settle = statement(
  'webhook-delivery.settle',
  `update webhook_delivery set state = $2, attempts = $3, log = $4, settled_at = {now} where id = $1 and state = 'pending'`,
)
const putOff = statement(
  'webhook-delivery.put-off',
  `update webhook_delivery set attempts = $2, log = $3, due_at = {now} + $4 where id = $1 and state = 'pending'`,
)
const recover = statement(
  'webhook.recover',
  'update webhook set failures = 0, failing_since = null, rest_until = 0 where id = $1',
)
const fail = statement(
  'webhook.fail',
  `update webhook set failures = failures + 1, failing_since = coalesce(failing_since, cast($2 as bigint)),
     rest_until = {now} + cast($3 as bigint)
   where id = $1`,
)
const pause = statement(
  'webhook.pause',
  `update webhook set state = 'paused', paused_at = $2, pause_reason = $3 where id = $1 and state = 'active'`,
)

/** Success is any 2xx (Standard Webhooks). */
export function hasArrived(posted: Posted): boolean {
  return posted.kind === 'answered' && posted.status >= 200 && posted.status < 300
}

export function entryOf({
  posted,
  at,
  durationMs,
}: Pick<Attempt, 'posted' | 'at' | 'durationMs'>): AttemptEntry {
  if (posted.kind === 'answered')
    return {
      at,
      durationMs,
      status: posted.status,
      ...(posted.excerpt !== '' && { excerpt: posted.excerpt }),
    }
  return { at, durationMs, fault: posted.fault, detail: posted.detail }
}

/** One commit: the delivery, how its webhook fares, and its pause where it comes to that. */
export async function settleAttempt(world: SettleWorld, attempt: Attempt): Promise<void> {
  const { store } = world
  const { webhook, row, posted } = attempt
  const attempts = row.attempts + 1
  const log = withEntry(row, entryOf(attempt))
  if (hasArrived(posted)) {
    const arrived = { statement: settle, params: [row.id, 'delivered', attempts, log] }
    const well = webhook.failures > 0 ? [{ statement: recover, params: [webhook.id] }] : []
    await store.commit([arrived, ...well])
    return
  }
  const wait = retryWait(attempts, world.random(), {
    ...(world.retryMs && { retryMs: world.retryMs }),
    atLeastMs: posted.kind === 'answered' ? (posted.retryAfterMs ?? 0) : 0,
  })
  const at = world.clock()
  const set = [
    wait === undefined
      ? { statement: settle, params: [row.id, 'failed', attempts, log] }
      : { statement: putOff, params: [row.id, attempts, log, wait] },
    { statement: fail, params: [webhook.id, at, restWait(webhook.failures + 1, world.restMs)] },
  ]
  const reason = reasonToPause(world, attempt, at)
  if (reason && (await store.commit([...set, ...(await pauseWrites(world, attempt, reason, at))])).ok) return
  // Its owner was faster.
  await store.commit(set)
}

function reasonToPause(
  { pauseAfterMs }: SettleWorld,
  { webhook, posted }: Attempt,
  at: number,
): PauseReason | undefined {
  // Standard Webhooks: who answers so wants no more.
  if (posted.kind === 'answered' && posted.status === 410) return 'gone'
  return webhook.failingSince !== null && at - webhook.failingSince >= pauseAfterMs ? 'failing' : undefined
}

/** The account's other webhooks are told, so that somebody hears of it. */
async function pauseWrites(
  { store, recordPause, keepMs }: SettleWorld,
  { webhook }: Attempt,
  reason: PauseReason,
  at: number,
): Promise<readonly Write[]> {
  const paused: Webhook = { ...webhook, state: 'paused', pausedAt: at, pauseReason: reason }
  const event = pauseEvent(paused, reason, at)
  const { webhooks } = await findListeners(store, new Set([webhook.accountId]))
  const others = webhooks.filter((other) => other.id !== webhook.id && isForWebhook(event, other))
  return [
    { statement: pause, params: [webhook.id, at, reason], rows: 1 },
    ...recordPause(paused, at),
    ...deliveryWrites(
      others.map(({ id }) => ({ event, webhookId: id })),
      keepMs,
    ),
  ]
}

function pauseEvent(webhook: Webhook, reason: PauseReason, at: number): LifecycleEvent {
  const id = newId()
  const { accountId, url, failingSince } = webhook
  return {
    ...{ id, at, accountId, name: WEBHOOK_PAUSED, orderKey: id },
    source: { type: 'email.webhook', webhookId: webhook.id },
    payload: {
      ...{ eventId: uuidOf(id), url, reason },
      failingSince: failingSince === null ? null : new Date(failingSince).toISOString(),
    },
  }
}
