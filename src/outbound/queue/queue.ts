import type { Bodies } from '#bodies/bodies.ts'
import { domainOf } from '#model/address.ts'
import type { Log } from '#observe/log.ts'
import type { Store, Write } from '#store/store.ts'
import { claimLane, PROBE_MS } from './claim-lane.ts'
import type { ClaimedDelivery, QueuedMessage, StreamedContent } from './claimed-delivery.ts'
import { isClaimed, openCustody } from './custody.ts'
import { dueLanes, type LaneRow, pullLanes } from './due-lanes.ts'
import type { NewDelivery } from './insert-promise.ts'
import type { Lane } from './lane.ts'
import { readMessages } from './message-by-id.ts'
import type { Pauses } from './pauses.ts'
import { openPoller } from './poller.ts'
import { promiseWrites } from './promise-writes.ts'
import { reclaimDead } from './reclaim-dead.ts'
import { openVerdicts, type Verdicts } from './verdicts.ts'

/** The queue: every message we promised to deliver and have not settled. In: accept. Out: the delivery engine, which
 *  takes claimed deliveries, and the outcome room, which settles or defers them. Promise: once `promise()` resolves
 *  with ok the message survives a crash; one process at a time holds a delivery, and one that nobody holds is given
 *  back; a slow lane delays only itself. */
export interface Queue {
  /** Commits the message, its body, its deliveries and the order's further writes as one set, then hands the
   *  deliveries that the engine has room for to it, claimed and in memory. */
  promise(order: Order): Promise<{ readonly ok: true } | { readonly ok: false; readonly conflict: string }>
  readonly verdicts: Verdicts
  /** The one engine of this process. Until it is attached everything waits. */
  attach(engine: DeliveryEngine): void
  /** Something is due at `at` (now, if left out), or room became free. A hint: the poll each second is the truth. */
  wake(at?: number): void
  /** These lanes were made due although their hosts had not answered: the engine forgets that they rest. */
  retry(lanes: readonly Lane[]): void
  /** Whether the store still knows the delivery as claimed with this token. */
  isClaimed(delivery: ClaimedDelivery): Promise<boolean>
  /** Ends the polling; what is claimed stays with the engine. */
  stop(): Promise<void>
}

/** What the queue asks of delivery. */
export interface DeliveryEngine {
  /** How many more deliveries of this lane the engine takes now; 0 leaves them waiting in the store. */
  room(lane: Lane): number
  take(delivery: ClaimedDelivery): void
  /** Whether the lane waits because none of its hosts answered a moment ago. */
  rests(lane: Lane): boolean
  /** Ends the rest of a lane: somebody wants it tried now. */
  unrest(lane: Lane): void
  /** Whether the engine has taken the delivery under this claim and not finished with it. */
  holds(claim: Pick<ClaimedDelivery, 'id' | 'claimToken'>): boolean
}

/** One message and its recipients, as accept promises them. */
export interface Order {
  readonly message: Omit<QueuedMessage, 'bodyId' | 'size'>
  readonly content: Buffer | StreamedContent
  readonly recipients: readonly {
    readonly deliveryId: string
    readonly recipient: ClaimedDelivery['recipient']
    /** The engine has it in hand already, under this token, and is not given it again. */
    readonly attemptedAs?: string
  }[]
  readonly suppressed: readonly string[]
  readonly expiresAt: number
  /** Idempotency, quota, event: whatever must be true together with the promise. */
  readonly writes: readonly Write[]
}

export interface QueueOptions {
  readonly store: Store
  readonly bodies: Bodies
  readonly log: Log
  /** This process's incarnation: the owner of its claims. */
  readonly node: string
  readonly now: () => number
  readonly newToken: () => string
  /** The longest that anything may honestly wait for its next attempt, in ms. */
  readonly longestBackoffMs?: number
  /** Recipient domains of which nothing is claimed; without it, none is paused. */
  readonly pauses?: Pauses
}

const LANES_PER_POLL = 500
const CLAIMS_AT_ONCE = 16
const UPKEEP_MS = 1000
const CUSTODY_MS = 15_000

export async function openQueue(options: QueueOptions): Promise<Queue> {
  const { store, bodies, log, node, now, pauses } = options
  const longestWaitMs = Math.max(options.longestBackoffMs ?? 12 * 3_600_000, 2 * PROBE_MS)
  const verdicts = openVerdicts()
  const custody = openCustody({ store, node, log })
  const poller = openPoller({ poll, now, log })
  let engine: DeliveryEngine | undefined
  let stopped = false
  let pageEnd: LaneRow | undefined
  let upkeepAt = 0
  let custodyAt = now()

  // Promise 3: what a dead process had claimed is due now. On SQLite that is every older claim.
  await reclaimDead(store, node)
  pauses?.onResume(() => wake())

  async function promise(order: Order) {
    const body = order.recipients.length > 0 ? await bodies.keep(order.content) : { id: '', writes: [] }
    const size = Buffer.isBuffer(order.content) ? order.content.length : order.content.size
    const message: QueuedMessage = { ...order.message, bodyId: body.id, size }
    const promised: Omit<NewDelivery, 'message'>[] = []
    const claimed: ClaimedDelivery[] = []
    const resting: string[] = []
    let waiting = 0
    for (const { deliveryId, recipient, attemptedAs } of order.recipients) {
      const lane = { accountId: message.accountId, recipientDomain: domainOf(recipient) }
      const paused = pauses?.domain(lane.recipientDomain) === true
      const isTaken = attemptedAs === undefined && !paused && engine && engine.room(lane) > 0
      const token = attemptedAs ?? (isTaken ? options.newToken() : undefined)
      if (token === undefined) waiting++
      const { expiresAt, content } = order
      const { createdAt } = message
      const { recipientDomain } = lane
      const delivery = { id: deliveryId, recipient, recipientDomain, expiresAt, createdAt }
      promised.push({ ...delivery, claim: token === undefined ? undefined : { node, token } })
      if (paused || engine?.rests(lane)) resting.push(deliveryId)
      if (token !== undefined && isTaken)
        claimed.push({ ...delivery, message, attempts: 0, claimToken: token, probe: false, content })
    }
    const set = [...order.writes, ...body.writes, ...promiseWrites(message, promised, order.suppressed)]
    const result = await store.commit(set)
    if (!result.ok) return result
    for (const delivery of claimed) engine?.take(delivery)
    for (const id of resting) verdicts.announce(id, 'deferred')
    if (waiting > 0) wake()
    return { ok: true } as const
  }

  function wake(at?: number): void {
    if (engine) poller.wake(at)
  }

  async function claim(lane: LaneRow, engine: DeliveryEngine): Promise<void> {
    const room = engine.room({ accountId: lane.account_id, recipientDomain: lane.recipient_domain })
    // It may have been paused since the lanes were read.
    if (room === 0 || stopped || pauses?.domain(lane.recipient_domain)) return
    // A lane whose hosts did not answer is probed with one delivery; its success brings the others.
    const limit = lane.failures > 0 ? 1 : room
    const token = options.newToken()
    const { rows, failing } = await claimLane(store, { lane, limit, node, token, longestWaitMs })
    const message = readMessages(store)
    const deliveries = rows.map(async (row) => ({
      id: row.id,
      message: await message(row.message_id),
      recipient: row.recipient,
      recipientDomain: row.recipient_domain,
      attempts: row.attempts,
      expiresAt: row.expires_at,
      createdAt: row.created_at,
      claimToken: token,
      probe: failing,
    }))
    for (const delivery of await Promise.all(deliveries)) engine.take(delivery)
  }

  /** A page of the due lanes at a time, so that lanes without room at the head of the list hide nothing behind them. */
  async function poll(): Promise<void> {
    if (!engine) return
    const to = engine
    await upkeep(to)
    const lanes = await dueLanes(store, pageEnd, LANES_PER_POLL, pausedDomains())
    pageEnd = lanes.length < LANES_PER_POLL ? undefined : lanes.at(-1)
    for (let from = 0; from < lanes.length; from += CLAIMS_AT_ONCE) {
      const some = lanes.slice(from, from + CLAIMS_AT_ONCE)
      // One lane that cannot be claimed holds up no other. What it had claimed comes back through custody.
      await Promise.all(some.map((lane) => claim(lane, to).catch((error: unknown) => failed(error, lane))))
    }
    if (pageEnd) wake()
  }

  function pausedDomains(): string[] {
    return pauses ? pauses.list().flatMap(({ kind, name }) => (kind === 'domain' ? [name] : [])) : []
  }

  function failed(error: unknown, lane: LaneRow): void {
    log.error({ err: error, account: lane.account_id, domain: lane.recipient_domain }, 'queue: no claim')
  }

  async function upkeep(engine: DeliveryEngine): Promise<void> {
    if (isPast(upkeepAt)) {
      upkeepAt = now() + UPKEEP_MS
      await pullLanes(store, longestWaitMs)
      if (store.engine === 'postgres') await reclaimDead(store, node)
    }
    if (isPast(custodyAt)) {
      custodyAt = now() + CUSTODY_MS
      await custody.check((claim) => engine.holds(claim))
    }
  }

  /** A time further ahead than any that is set here was set before the clock stepped back. */
  function isPast(at: number): boolean {
    return at <= now() || at > now() + CUSTODY_MS
  }

  return {
    promise,
    verdicts,
    attach(attached) {
      engine = attached
      wake()
    },
    wake,
    retry(lanes) {
      for (const lane of lanes) engine?.unrest(lane)
      if (lanes.length > 0) wake()
    },
    isClaimed: ({ id, claimToken }) => isClaimed(store, id, claimToken),
    async stop() {
      stopped = true
      await poller.stop()
    },
  }
}
