import type { Bodies } from '#bodies/bodies.ts'
import type { Log } from '#observe/log.ts'
import type { Store, Write } from '#store/store.ts'
import { claimLane, dueLanes, type LaneRow } from './claim-due.ts'
import type { ClaimedDelivery, Lane, QueuedMessage } from './claimed-delivery.ts'
import { insertDelivery, insertMessage } from './insert-promise.ts'
import { laneWaits } from './lane-waits.ts'
import { messageById } from './message-by-id.ts'
import { reclaimDead } from './reclaim-dead.ts'
import { openVerdicts, type Verdicts } from './verdicts.ts'

/** The queue: every message we promised to deliver and have not settled. In: accept. Out: the delivery engine, which
 *  takes claimed deliveries, and the outcome room, which settles or defers them. Promise: once `promise()` resolves
 *  with ok the message survives a crash; one process at a time holds a delivery; a slow lane delays only itself. */
export interface Queue {
  /** Commits the message, its body, its deliveries and the order's further writes as one set, then hands the
   *  deliveries that the engine has room for to it, claimed and in memory. */
  promise(order: Order): Promise<{ readonly ok: true } | { readonly ok: false; readonly conflict: string }>
  readonly verdicts: Verdicts
  /** The one engine of this process. Until it is attached everything waits. */
  attach(engine: DeliveryEngine): void
  /** Something is due at `at` (now, if left out), or room became free. A hint: the poll each second is the truth. */
  wake(at?: number): void
  /** Ends the polling; what is claimed stays with the engine. */
  stop(): Promise<void>
}

/** What the queue asks of delivery. */
export interface DeliveryEngine {
  /** How many more deliveries of this lane the engine takes now; 0 leaves them waiting in the store. */
  room(lane: Lane): number
  take(delivery: ClaimedDelivery): void
}

/** One message and its recipients, as accept promises them. */
export interface Order {
  readonly message: Omit<QueuedMessage, 'bodyId' | 'size'>
  readonly content: Buffer
  readonly recipients: readonly { readonly deliveryId: string; readonly recipient: ClaimedDelivery['recipient'] }[]
  readonly suppressed: readonly string[]
  readonly expiresAt: number
  /** Idempotency, quota, event: whatever must be true together with the promise. */
  readonly writes: readonly Write[]
}

const POLL_MS = 1000
const MIN_POLL_GAP_MS = 20
const LANES_PER_POLL = 100

export interface QueueOptions {
  readonly store: Store
  readonly bodies: Bodies
  readonly log: Log
  /** This process's incarnation: the owner of its claims. */
  readonly node: string
  readonly now: () => number
  readonly newToken: () => string
}

export async function openQueue(options: QueueOptions): Promise<Queue> {
  const { store, bodies, log, node, now } = options
  const verdicts = openVerdicts()
  let engine: DeliveryEngine | undefined
  let stopped = false
  let timer: NodeJS.Timeout | undefined
  let polling: Promise<void> | undefined
  let dueAt = Number.POSITIVE_INFINITY
  let wakeAt = Number.POSITIVE_INFINITY

  // Promise 3: what a dead process had claimed is due now. On SQLite that is every older claim.
  await reclaimDead(store, node)

  function claimFor(recipientDomain: string, accountId: string): string | undefined {
    return engine && engine.room({ accountId, recipientDomain }) > 0 ? options.newToken() : undefined
  }

  async function promise(order: Order) {
    const body = order.recipients.length > 0 ? await bodies.keep(order.content) : { id: '', writes: [] }
    const message: QueuedMessage = { ...order.message, bodyId: body.id, size: order.content.length }
    const set: Write[] = [...order.writes, ...body.writes, insertMessage(message, order.recipients.length, order.suppressed)]
    const claimed: ClaimedDelivery[] = []
    for (const { deliveryId, recipient } of order.recipients) {
      const recipientDomain = recipient.slice(recipient.lastIndexOf('@') + 1)
      const claimToken = claimFor(recipientDomain, message.accountId)
      const delivery = { id: deliveryId, recipient, recipientDomain, expiresAt: order.expiresAt, createdAt: message.createdAt }
      set.push(insertDelivery({ ...delivery, message, claim: claimToken === undefined ? undefined : { node, token: claimToken } }))
      if (claimToken === undefined) set.push(laneWaits(message.accountId, recipientDomain, message.createdAt))
      else claimed.push({ ...delivery, message, attempts: 0, claimToken, content: order.content })
    }
    const result = await store.commit(set)
    if (!result.ok) return result
    for (const delivery of claimed) engine?.take(delivery)
    if (claimed.length < order.recipients.length) wake()
    return { ok: true } as const
  }

  async function claim(lane: LaneRow): Promise<void> {
    const room = engine?.room({ accountId: lane.account_id, recipientDomain: lane.recipient_domain }) ?? 0
    if (room === 0) return
    // A lane whose hosts did not answer is probed with one delivery; its success brings the others.
    const limit = lane.failures > 0 ? 1 : room
    const claimToken = options.newToken()
    const rows = await claimLane(store, { lane, limit, node, token: claimToken })
    for (const row of rows) {
      const message = await messageById(store, row.message_id)
      engine?.take({
        id: row.id,
        message,
        recipient: row.recipient,
        recipientDomain: row.recipient_domain,
        attempts: row.attempts,
        expiresAt: row.expires_at,
        createdAt: row.created_at,
        claimToken,
      })
    }
  }

  async function poll(): Promise<void> {
    if (!engine) return
    for (const lane of await dueLanes(store, LANES_PER_POLL)) {
      if (stopped) return
      await claim(lane)
    }
    if (store.engine === 'postgres') await reclaimDead(store, node)
  }

  function schedule(delay: number): void {
    clearTimeout(timer)
    dueAt = now() + delay
    timer = setTimeout(run, delay)
  }

  function run(): void {
    dueAt = Number.POSITIVE_INFINITY
    polling = poll()
      .catch((error: unknown) => log.error({ err: error }, 'queue: polling failed, trying again'))
      .finally(() => {
        polling = undefined
        if (!stopped) schedule(Math.max(MIN_POLL_GAP_MS, Math.min(POLL_MS, wakeAt - now())))
        wakeAt = Number.POSITIVE_INFINITY
      })
  }

  function wake(at = now()): void {
    if (stopped || !engine) return
    if (polling) wakeAt = Math.min(wakeAt, at)
    else if (at < dueAt) schedule(Math.min(POLL_MS, Math.max(MIN_POLL_GAP_MS, at - now())))
  }

  return {
    promise,
    verdicts,
    attach(attached) {
      engine = attached
      wake()
    },
    wake,
    async stop() {
      stopped = true
      clearTimeout(timer)
      await polling
    },
  }
}
