import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Bodies, openBodies } from '#bodies/bodies.ts'
import type { Address } from '#model/address.ts'
import { serviceNames } from '#model/service.ts'
import { openLog } from '#observe/log.ts'
import { type Notices, openNotices } from '#outbound/notices/notices.ts'
import { type Outcome, openOutcome } from '#outbound/outcome/outcome.ts'
import { claimLane } from '#outbound/queue/claim-lane.ts'
import type { ClaimedDelivery } from '#outbound/queue/claimed-delivery.ts'
import type { LaneRow } from '#outbound/queue/due-lanes.ts'
import type { Lane } from '#outbound/queue/lane.ts'
import { messageById } from '#outbound/queue/message-by-id.ts'
import type { Pauses } from '#outbound/queue/pauses.ts'
import { type DeliveryEngine, type Order, openQueue, type Queue } from '#outbound/queue/queue.ts'
import { type Domains, openDomains } from '#registry/domains/domains.ts'
import { LOOPBACK_ADDRESSES } from '#registry/domains/service-zone.ts'
import { newId } from '#store/id.ts'
import { openIncarnation } from '#store/incarnation.ts'
import { type Store, statement } from '#store/store.ts'
import { openVault } from '#vault/vault.ts'

export const ACCOUNT = 'a'.padStart(32, '0')
export const OTHER_ACCOUNT = 'b'.padStart(32, '0')
export const SENDER = 'app@yourdomain.com' as Address
const DAY_MS = 86_400_000

/** An engine whose attempts the test makes itself: it takes what it has room for and keeps it. */
export class HandEngine implements DeliveryEngine {
  readonly taken: ClaimedDelivery[] = []
  readonly resting = new Set<string>()
  mostOfLane = 1_000_000

  room(lane: Lane): number {
    const held = this.taken.filter(({ recipientDomain }) => recipientDomain === lane.recipientDomain).length
    return this.rests(lane) ? 0 : Math.max(0, this.mostOfLane - held)
  }
  take(delivery: ClaimedDelivery): void {
    this.taken.push(delivery)
  }
  rests(lane: Lane): boolean {
    return this.resting.has(lane.recipientDomain)
  }
  unrest(lane: Lane): void {
    this.resting.delete(lane.recipientDomain)
  }
  holds({ id, claimToken }: Pick<ClaimedDelivery, 'id' | 'claimToken'>): boolean {
    return this.taken.some((held) => held.id === id && held.claimToken === claimToken)
  }
  /** The next one to be attempted. */
  next(): ClaimedDelivery {
    const delivery = this.taken.shift()
    assert.ok(delivery, 'nothing was taken')
    return delivery
  }
}

export interface Outbound extends AsyncDisposable {
  readonly store: Store
  readonly bodies: Bodies
  readonly queue: Queue
  readonly outcome: Outcome
  readonly notices: Notices
  /** Nothing is onboarded: who wants notices onboards the sender's domain. */
  readonly domains: Domains
  readonly node: string
  /** Promises one message. Out: the ids of its deliveries. */
  readonly send: (recipients: string | readonly string[], more?: Partial<Order>) => Promise<string[]>
}

export interface OutboundOptions {
  readonly retryMs?: readonly number[]
  readonly now?: () => number
  readonly engine?: DeliveryEngine
  readonly longestBackoffMs?: number
  readonly pauses?: Pauses
}

/** The queue and the outcome room over a real store, as one process would open them. */
export async function openOutbound(
  store: Store,
  directory: string,
  options: OutboundOptions = {},
): Promise<Outbound> {
  const { now = Date.now, retryMs = [1000, 10_000, 100_000], engine, longestBackoffMs, pauses } = options
  const log = openLog('silent')
  const bodies = openBodies({ store, directory })
  const incarnation = await openIncarnation(store)
  const node = incarnation.id
  const queue = await openQueue({
    store,
    bodies,
    log,
    node,
    now,
    newToken: randomUUID,
    ...(longestBackoffMs !== undefined && { longestBackoffMs }),
    ...(pauses && { pauses }),
  })
  const service = serviceNames('posthorn.test')
  const domains = openDomains({
    store,
    vault: openVault(Buffer.alloc(32)),
    service,
    addresses: LOOPBACK_ADDRESSES,
    clock: now,
  })
  const notices = openNotices({ store, bodies, queue, domains, service, log, expireMs: 5 * DAY_MS })
  const outcome = openOutcome({
    store,
    queue,
    notices,
    log,
    retryMs,
    bodyRetentionMs: DAY_MS,
    now,
    random: () => 0,
  })
  for (const account of [ACCOUNT, OTHER_ACCOUNT])
    await store.commit([{ statement: addAccount, params: [account] }])
  if (engine) queue.attach(engine)
  return {
    store,
    bodies,
    queue,
    outcome,
    notices,
    domains,
    node,
    async send(recipients, more = {}) {
      const order = orderOf([recipients].flat(), more)
      const promised = await queue.promise(order)
      assert.deepEqual(promised, { ok: true })
      return order.recipients.map(({ deliveryId }) => deliveryId)
    },
    async [Symbol.asyncDispose]() {
      await queue.stop()
      await incarnation.close()
    },
  }
}

/** Makes `ACCOUNT` send from the domain, so that its mail has notices. */
export async function onboard(domains: Domains, name: string): Promise<void> {
  const created = await domains.createZone(ACCOUNT, name, { active: true })
  assert.ok(created.kind === 'created', created.kind)
  const request = { accountId: ACCOUNT, zoneId: created.zone.id, name, active: true }
  const onboarded = await domains.onboardSending(request)
  assert.equal(onboarded.kind, 'onboarded')
}

export function orderOf(recipients: readonly string[], more: Partial<Order> = {}): Order {
  const createdAt = Date.now()
  const id = newId()
  return {
    message: {
      id,
      accountId: ACCOUNT,
      domainId: null,
      headerMessageId: `<${id}@yourdomain.com>`,
      sender: SENDER,
      returnPathDomain: 'cf-bounce.yourdomain.com',
      subject: 'Hello',
      previewEnabled: true,
      tls: 'policy',
      createdAt,
    },
    content: Buffer.from('Subject: Hello\r\n\r\n.dot\r\n'),
    recipients: recipients.map((recipient) => ({ deliveryId: newId(), recipient: recipient as Address })),
    suppressed: [],
    expiresAt: createdAt + 5 * DAY_MS,
    writes: [],
    ...more,
  }
}

const addAccount = statement(
  'test.account',
  `insert into account (id, name, sending_enabled, created_at) values ($1, 'test', 1, 0) on conflict (id) do nothing`,
)

export interface ClaimBy {
  readonly node: string
  readonly limit: number
  readonly longestWaitMs: number
}

/** What a poll does with one due lane, at the test's own time. */
export async function claimFrom(
  store: Store,
  lane: LaneRow,
  { node, limit, longestWaitMs }: ClaimBy,
): Promise<ClaimedDelivery[]> {
  const token = randomUUID()
  const { rows, failing } = await claimLane(store, { lane, limit, node, token, longestWaitMs })
  const deliveries = rows.map(async (row) => ({
    id: row.id,
    message: await messageById(store, row.message_id),
    recipient: row.recipient,
    recipientDomain: row.recipient_domain,
    attempts: row.attempts,
    expiresAt: row.expires_at,
    createdAt: row.created_at,
    claimToken: token,
    probe: failing,
  }))
  return Promise.all(deliveries)
}

export interface DeliveryRow {
  readonly id: string
  readonly message_id: string
  readonly account_id: string
  readonly recipient: string
  readonly recipient_domain: string
  readonly state: string
  readonly attempts: number
  readonly due_at: number
  readonly claim_node: string | null
  readonly claim_token: string | null
  readonly last_reply: string | null
  readonly last_cause: string | null
  readonly settled_at: number | null
}

export interface LaneState {
  readonly account_id: string
  readonly recipient_domain: string
  readonly due_at: number
  readonly failures: number
}

export interface EventSeen {
  readonly type: string
  readonly terminal: number
  readonly delivery_id: string | null
  readonly detail: Record<string, unknown>
}

export function deliveriesIn(store: Store): Promise<DeliveryRow[]> {
  return store.all(allDeliveries, [])
}
const allDeliveries = statement<DeliveryRow>('test.deliveries', 'select * from delivery order by id')

export async function delivery(store: Store, id: string): Promise<DeliveryRow> {
  const row = await store.get(oneDelivery, [id])
  assert.ok(row, `delivery ${id} is there`)
  return row
}
const oneDelivery = statement<DeliveryRow>('test.delivery', 'select * from delivery where id = $1')

export function lanesIn(store: Store): Promise<LaneState[]> {
  return store.all(allLanes, [])
}
const allLanes = statement<LaneState>(
  'test.lanes',
  'select * from lane order by account_id, recipient_domain',
)

export async function eventsIn(store: Store): Promise<EventSeen[]> {
  const rows = await store.all(allEvents, [])
  // What the events room wrote is an object.
  return rows.map((row) => ({ ...row, detail: JSON.parse(row.detail) as Record<string, unknown> }))
}
const allEvents = statement<{ type: string; terminal: number; delivery_id: string | null; detail: string }>(
  'test.events',
  'select type, terminal, delivery_id, detail from event order by seq',
)

export async function countRows(store: Store, table: string): Promise<number> {
  const row = await store.get(
    statement<{ n: number }>(`test.count-${table}`, `select count(*) as n from ${table}`),
    [],
  )
  return Number(row?.n)
}

/** As if `ms` had passed: the database's clock cannot be set, so every time in the store moves the other way. A
 *  negative number is a clock that stepped back. */
export async function letPass(store: Store, ms: number): Promise<void> {
  await store.commit([
    { statement: shiftDeliveries, params: [ms] },
    { statement: shiftLanes, params: [ms] },
    { statement: shiftNodes, params: [ms] },
  ])
}
const shiftDeliveries = statement(
  'test.shift-deliveries',
  'update delivery set due_at = due_at - $1, expires_at = expires_at - $1',
)
const shiftLanes = statement('test.shift-lanes', 'update lane set due_at = due_at - $1')
const shiftNodes = statement('test.shift-nodes', 'update node set heartbeat_at = heartbeat_at - $1')

/** What must hold between any two commits. `steppedBackMs`: how far the clock did, which may be how much later than
 *  its mail a lane is due. */
export async function checkInvariants(store: Store, steppedBackMs = 0): Promise<void> {
  const [deliveries, lanes, events] = await Promise.all([
    deliveriesIn(store),
    lanesIn(store),
    eventsIn(store),
  ])
  const laneOf = new Map(lanes.map((lane) => [`${lane.account_id} ${lane.recipient_domain}`, lane]))
  for (const row of deliveries) {
    const claimed = row.state === 'claimed'
    assert.equal(row.claim_token !== null, claimed, `${row.state} and its token`)
    assert.equal(row.claim_node !== null, claimed, `${row.state} and its node`)
    const terminal = events.filter((event) => event.delivery_id === row.id && event.terminal === 1)
    assert.equal(terminal.length, OPEN.has(row.state) ? 0 : 1, `terminal events of one that is ${row.state}`)
    if (row.state !== 'waiting') continue
    const lane = laneOf.get(`${row.account_id} ${row.recipient_domain}`)
    assert.ok(lane, `a waiting delivery to ${row.recipient_domain} is named by a lane`)
    // A millisecond or two lie between the clock readings of one set.
    if (lane.failures === 0)
      assert.ok(
        lane.due_at <= Math.max(row.due_at, Date.now()) + 1000 + steppedBackMs,
        `${row.recipient}: its lane is due with it`,
      )
    assert.ok(lane.due_at < Number.MAX_SAFE_INTEGER - DAY_MS * 1000, 'and will be')
  }
  const messages = await store.all(allMessages, [])
  for (const { id, unsettled, release_at } of messages) {
    const open = deliveries.filter(({ message_id, state }) => message_id === id && OPEN.has(state))
    assert.equal(unsettled, open.length, 'a message counts its unsettled deliveries')
    assert.equal(release_at !== null, open.length === 0, 'its body is released with the last of them')
  }
}
const OPEN: ReadonlySet<string> = new Set(['waiting', 'claimed', 'held'])
const allMessages = statement<{ id: string; unsettled: number; release_at: number | null }>(
  'test.messages',
  'select m.id, m.unsettled, b.release_at from message m join body b on b.id = m.body_id',
)

export async function until<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
): Promise<T> {
  const end = performance.now() + 40_000
  for (;;) {
    const seen = await look()
    if (seen !== undefined && seen !== false) return seen
    if (performance.now() > end) throw new Error(`never: ${what}`)
    await sleep(10)
  }
}
