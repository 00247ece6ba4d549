import { newId } from '#store/id.ts'
import { type Store, statement, type Write } from '#store/store.ts'
import type { EventSource } from './event-names.ts'
import {
  type EventSubscription,
  LIVING_SUBSCRIPTIONS,
  SUBSCRIPTION_COLUMNS,
  type SubscriptionPlace,
  type SubscriptionRow,
  type SubscriptionWish,
  subscriptionOf,
} from './event-subscription.ts'

/** What else is to be in the commit that changes a subscription. */
export type RecordSubscription = (change: {
  readonly before?: EventSubscription
  readonly after?: EventSubscription
}) => readonly Write[]

export interface SubscriptionPage {
  /** Absent: of all queues. */
  readonly queueId?: string | undefined
  readonly order: 'created_at' | 'name' | 'enabled' | 'source'
  readonly direction: 'asc' | 'desc'
  readonly offset: number
  readonly limit: number
}

/** Why a wish cannot be: the account has no such domain in that service, or no such queue, or as many subscriptions as it
 *  may, of all or of that domain. */
export type SubscriptionFault = 'no-domain' | 'no-queue' | 'too-many'

/** Which queues are told of what. */
export interface EventSubscriptions {
  subscription(place: SubscriptionPlace): Promise<EventSubscription | undefined>
  /** `total`: how many there are on all pages. */
  listSubscriptions(
    accountId: string,
    page: SubscriptionPage,
  ): Promise<{ readonly subscriptions: readonly EventSubscription[]; readonly total: number }>
  createSubscription(
    accountId: string,
    wish: SubscriptionWish,
    record: RecordSubscription,
  ): Promise<EventSubscription | SubscriptionFault>
  /** It keeps its source. */
  changeSubscription(
    place: SubscriptionPlace,
    wish: Partial<Pick<SubscriptionWish, 'name' | 'enabled' | 'queueId' | 'events'>>,
    record: RecordSubscription,
  ): Promise<EventSubscription | 'no-queue' | undefined>
  /** What was on its way to the queue goes with it. */
  removeSubscription(
    place: SubscriptionPlace,
    record: RecordSubscription,
  ): Promise<EventSubscription | undefined>
}

export const SUBSCRIPTIONS_PER_ACCOUNT = 100
/** Each is a row for each event, in the commit that takes it out of the outbox. */
export const SUBSCRIPTIONS_PER_SOURCE = 10
// Each lost race means that somebody else made progress.
const RACES = 10

const byId = statement<SubscriptionRow>(
  'event-subscription.by-id',
  `select ${SUBSCRIPTION_COLUMNS} from ${LIVING_SUBSCRIPTIONS} where s.account_id = $1 and s.id = $2`,
)
// There are few, so they are put in order here.
const all = statement<SubscriptionRow>(
  'event-subscription.all',
  `select ${SUBSCRIPTION_COLUMNS} from ${LIVING_SUBSCRIPTIONS}
   where s.account_id = $1 and (cast($2 as text) is null or s.queue_id = $2) order by s.created_at, s.id`,
)
const insert = statement(
  'event-subscription.insert',
  `insert into event_subscription (id, account_id, name, enabled, source, zone_id, domain, queue_id, events, created_at,
     modified_at, lease, leased_until)
   select $2, $1, $3, cast($4 as integer), $5, d.zone_id, d.name, q.id, $9, cast($10 as bigint), cast($10 as bigint), null, 0
   from domain d, worker_queue q
   where d.account_id = $1 and d.zone_id = $6 and d.name = $7
     and case $5 when 'email.sending' then d.sending else d.routing end <> 'none'
     and q.account_id = $1 and q.id = $8 and q.deleted_at is null
     and (select count(*) from event_subscription where account_id = $1) < ${SUBSCRIPTIONS_PER_ACCOUNT}
     and (select count(*) from event_subscription where zone_id = $6 and domain = $7 and source = $5)
       < ${SUBSCRIPTIONS_PER_SOURCE}`,
)
const update = statement(
  'event-subscription.update',
  `update event_subscription set name = $4, enabled = $5, queue_id = $6, events = $7, modified_at = $8
   where account_id = $1 and id = $2 and modified_at = $3
     and exists (select 1 from worker_queue where account_id = $1 and id = $6 and deleted_at is null)`,
)
const remove = statement(
  'event-subscription.delete',
  'delete from event_subscription where account_id = $1 and id = $2',
)
const queueThere = statement<{ readonly found: number }>(
  'event-subscription.queue',
  'select 1 as found from worker_queue where account_id = $1 and id = $2 and deleted_at is null',
)
const domainThere = statement<{ readonly found: number }>(
  'event-subscription.domain',
  `select 1 as found from domain where account_id = $1 and zone_id = $2 and name = $3
   and case $4 when 'email.sending' then sending else routing end <> 'none'`,
)

export function openEventSubscriptions(store: Store, clock: () => number): EventSubscriptions {
  const subscription = async ({ accountId, subscriptionId }: SubscriptionPlace) => {
    const row = await store.get(byId, [accountId, subscriptionId])
    return row && subscriptionOf(row)
  }
  const hasQueue = async (accountId: string, queueId: string) =>
    (await store.get(queueThere, [accountId, queueId])) !== undefined
  const hasDomain = async (accountId: string, zoneId: string, domain: string, source: EventSource) =>
    (await store.get(domainThere, [accountId, zoneId, domain, source])) !== undefined

  return {
    subscription,

    async listSubscriptions(accountId, { queueId = null, order, direction, offset, limit }) {
      const found = (await store.all(all, [accountId, queueId])).map(subscriptionOf).sort(ORDERS[order])
      if (direction === 'desc') found.reverse()
      return { subscriptions: found.slice(offset, offset + limit), total: found.length }
    },

    async createSubscription(accountId, wish, record) {
      const at = clock()
      const after = { id: newId(), accountId, ...wish, createdAt: at, modifiedAt: at }
      const { name, enabled, source, zoneId, domain, queueId, events } = wish
      const params = [
        ...[accountId, after.id, name, enabled ? 1 : 0, source, zoneId, domain, queueId],
        ...[JSON.stringify(events), at],
      ]
      const committed = await store.commit([{ statement: insert, params, rows: 1 }, ...record({ after })])
      if (committed.ok) return after
      if (!(await hasQueue(accountId, queueId))) return 'no-queue'
      return (await hasDomain(accountId, zoneId, domain, source)) ? 'too-many' : 'no-domain'
    },

    async changeSubscription(place, wish, record) {
      const { accountId, subscriptionId } = place
      for (let race = 0; race < RACES; race++) {
        const before = await subscription(place)
        if (!before) return undefined
        const after = { ...before, ...wish, modifiedAt: Math.max(clock(), before.modifiedAt + 1) }
        if (!(await hasQueue(accountId, after.queueId))) return 'no-queue'
        const params = [
          ...[accountId, subscriptionId, before.modifiedAt, after.name, after.enabled ? 1 : 0, after.queueId],
          ...[JSON.stringify(after.events), after.modifiedAt],
        ]
        const set = [{ statement: update, params, rows: 1 }, ...record({ before, after })]
        if ((await store.commit(set)).ok) return after
      }
      throw new Error(`changing subscription ${subscriptionId} lost ${RACES} races in a row`)
    },

    async removeSubscription(place, record) {
      const before = await subscription(place)
      if (!before) return undefined
      const params = [place.accountId, place.subscriptionId]
      const committed = await store.commit([{ statement: remove, params, rows: 1 }, ...record({ before })])
      return committed.ok ? before : undefined
    },
  }
}

const byText = (a: string, b: string) => (a === b ? 0 : a < b ? -1 : 1)
/** What is alike stays in the order in which it was made. */
const ORDERS: Readonly<
  Record<SubscriptionPage['order'], (a: EventSubscription, b: EventSubscription) => number>
> = {
  created_at: (a, b) => a.createdAt - b.createdAt || byText(a.id, b.id),
  name: (a, b) => byText(a.name, b.name),
  enabled: (a, b) => Number(a.enabled) - Number(b.enabled),
  source: (a, b) => byText(a.source, b.source) || byText(a.domain, b.domain),
}
