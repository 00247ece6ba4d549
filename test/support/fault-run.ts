import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Order } from '#outbound/queue/queue.ts'
import { type Store, statement } from '#store/store.ts'
import { type DeliveryWorld, type DeliveryWorldOptions, LIMITS, openDeliveryWorld } from './delivery-world.ts'
import { type FaultPeer, hashOf } from './fault-peer.ts'
import { checkInvariants, type DeliveryRow, deliveriesIn, orderOf } from './outbound.ts'

/** Many messages through queue, outcome room and engine to peers that misbehave, and the gates that hold whatever they
 *  do: nothing lost, nothing that nobody sent or that is not whole, no copy that an ambiguous attempt does not explain,
 *  one terminal event each, and no attempt before its time. */
export interface FaultRun extends AsyncDisposable {
  readonly world: DeliveryWorld
  /** Promises one message of some size to each recipient, and remembers it. Out: their delivery ids. */
  promise(
    recipients: readonly string[],
    more?: (n: number) => Partial<Order['message']>,
    size?: number,
  ): Promise<string[]>
  /** Once nothing is left to attempt, or only what `but` allows for. */
  drained(but?: (row: DeliveryRow) => boolean): Promise<void>
  /** Checks the gates against what the peers have. */
  judge(peers: readonly FaultPeer[], how?: Judging): Promise<Tally>
}

export interface Judging {
  /** The clock stepped: what events say of their times proves nothing. */
  readonly clockStepped?: boolean
}

/** How the deliveries ended, and how they came there. */
export interface Tally {
  readonly delivered: number
  readonly bounced: number
  readonly failed: number
  /** Copies beyond the first. */
  readonly duplicates: number
  readonly attempts: AttemptSeen[]
}

export interface AttemptSeen {
  readonly type: string
  readonly at: number
  readonly deliveryId: string
  readonly detail: Record<string, unknown>
}

export interface FaultRunOptions extends DeliveryWorldOptions {
  /** How long all may take until it is drained. */
  readonly patienceMs?: number
}

/** What contents are made of. */
export const LINE = '.and this is a line of the content'

export const manyAt = (domain: string, count = 500) =>
  Array.from({ length: count }, (_, i) => `u${i}@${domain}`)

export async function openFaultRun(
  at: { readonly store: Store; readonly directory: string },
  { patienceMs = 60_000, ...options }: FaultRunOptions,
): Promise<FaultRun> {
  const sent = new Map<string, { readonly recipient: string; readonly sha256: string }>()
  // The engine waits as long as RFC 5321 has it, unless a test says otherwise: a busy machine is no fault.
  const usual = { retryMs: [100, 200, 400], limits: LIMITS, timeouts: {} }
  const world = await openDeliveryWorld(at, { ...usual, ...options })
  return {
    world,
    async promise(recipients, more = () => ({}), size = 1000) {
      const filling = `${LINE}\r\n`.repeat(Math.ceil(size / (LINE.length + 2)))
      const promising = recipients.map(async (recipient, n) => {
        const order = orderOf([recipient])
        const deliveryId = order.recipients[0]?.deliveryId ?? ''
        const text = `X-Fault-Id: ${deliveryId}\r\nSubject: ${n}\r\n\r\n.${filling}`
        sent.set(deliveryId, { recipient, sha256: hashOf(text) })
        const message = { ...order.message, ...more(n) }
        const promised = await world.queue.promise({ ...order, message, content: Buffer.from(text) })
        assert.deepEqual(promised, { ok: true })
        return deliveryId
      })
      return Promise.all(promising)
    },
    async drained(but) {
      const end = performance.now() + patienceMs
      for (;;) {
        const left = await at.store.get(unsettled, [])
        if (Number(left?.n) === 0) return
        if (but && (await deliveriesIn(at.store)).filter(isOpen).every(but)) return
        if (performance.now() > end) throw new Error(`never drained: ${Number(left?.n)} are left`)
        await sleep(50)
      }
    },
    async judge(peers, { clockStepped = false } = {}) {
      await checkInvariants(at.store)
      const [rows, attempts] = await Promise.all([deliveriesIn(at.store), attemptsIn(at.store)])
      const arrivals = peers.flatMap(({ ledger }) => ledger)
      for (const { id, sha256, to } of arrivals)
        assert.deepEqual(sent.get(id), { recipient: to, sha256 }, 'a ghost: nobody sent this')
      const copies = Map.groupBy(arrivals, ({ id }) => id)
      const byDelivery = Map.groupBy(attempts, ({ deliveryId }) => deliveryId)
      let duplicates = 0
      for (const row of rows) {
        if (!sent.has(row.id)) continue
        const there = copies.get(row.id) ?? []
        const its = byDelivery.get(row.id) ?? []
        const ambiguous = its.filter(({ detail }) => detail['perhapsTaken'] === true).length
        duplicates += Math.max(0, there.length - 1)
        if (row.state === 'delivered')
          assert.ok(
            there.some(({ acknowledged }) => acknowledged),
            'lost',
          )
        assert.ok(
          there.length <= 1 + ambiguous,
          `${there.length} copies after ${ambiguous} ambiguous attempts`,
        )
        assert.deepEqual(
          its.filter(({ type }) => type !== 'deferred').map(({ type }) => type),
          isOpen(row) ? [] : [row.state],
        )
        if (!clockStepped) checkSteps(its)
      }
      const count = (state: string) => rows.filter((row) => row.state === state).length
      return {
        delivered: count('delivered'),
        bounced: count('bounced'),
        failed: count('failed'),
        duplicates,
        attempts,
      }
    },
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  }
}

/** Attempts that failed for all of a lane or for one delivery, in their order: the next came no sooner than the last
 *  one's `retryAt`. */
export function checkSteps(attempts: readonly AttemptSeen[]): void {
  let earliest = 0
  for (const { at, detail } of attempts) {
    // What the process and the store took for the same moment may differ by a little.
    assert.ok(at >= earliest - 5, `an attempt ${earliest - at} ms before its time`)
    earliest = Number(detail['retryAt'] ?? 0)
  }
}

/** One attempt for all that waits in a lane, and one backoff: those events of the lane, in their order. */
export function laneFailuresAmong(attempts: readonly AttemptSeen[], domain: string): AttemptSeen[] {
  return attempts.filter(
    ({ type, detail }) =>
      type === 'deferred' &&
      LANE_CAUSES.has(String(detail['cause'])) &&
      String(detail['recipient']).endsWith(`@${domain}`),
  )
}

const LANE_CAUSES = new Set(['host-unreachable', 'dns', 'tls', 'system', 'connection-lost'])

function isOpen({ state }: DeliveryRow): boolean {
  return state === 'waiting' || state === 'claimed'
}

export async function attemptsIn(store: Store): Promise<AttemptSeen[]> {
  const rows = await store.all(attemptEvents, [])
  // What the events room wrote is an object.
  return rows.map(({ type, at, delivery_id, detail }) => ({
    type,
    at,
    deliveryId: delivery_id,
    detail: JSON.parse(detail) as Record<string, unknown>,
  }))
}

const attemptEvents = statement<{ type: string; at: number; delivery_id: string; detail: string }>(
  'test.attempt-events',
  'select type, at, delivery_id, detail from event where delivery_id is not null order by seq',
)
const unsettled = statement<{ n: number }>(
  'test.unsettled',
  `select count(*) as n from delivery where state in ('waiting', 'claimed')`,
)
