import type { FastifyInstance } from 'fastify'
import {
  createEventSubscription,
  deleteEventSubscription,
  type EventSubscriptionBody,
  editEventSubscription,
  getEventSubscription,
  listEventSubscriptions,
} from '#contract/event-subscriptions.ts'
import { pageInfo } from '#contract/paging.ts'
import { type EventSource, namesIn, type ShortName } from '#notify/event-names.ts'
import type { EventSubscription, SubscriptionPlace } from '#notify/event-subscription.ts'
import {
  type RecordSubscription,
  SUBSCRIPTIONS_PER_ACCOUNT,
  SUBSCRIPTIONS_PER_SOURCE,
  type SubscriptionFault,
} from '#notify/event-subscriptions.ts'
import { auditWrite } from '#registry/accounts/audit.ts'
import { apiTime } from './api-time.ts'
import { INVALID, NO_QUEUE } from './queue-body.ts'
import { readDomain } from './read-domain.ts'
import { explainLongScan } from './scan-too-long.ts'
import { type Call, type Fault, NO_SUCH_OBJECT, serveOperation } from './serve-operation.ts'
import type { NotifyDoorWorld } from './webhook-world.ts'

/** `/accounts/{account_id}/event_subscriptions/subscriptions`. */
export function eventSubscriptionRoutes(door: FastifyInstance, world: NotifyDoorWorld): void {
  door.register(async (api) => {
    explainLongScan(api, 'Try again.')
    serveSubscriptions(api, world)
  })
}

function serveSubscriptions(api: FastifyInstance, world: NotifyDoorWorld): void {
  const { subscriptions } = world.notify
  const note = (call: Call<unknown, unknown>, verb: string) => noteSubscription(call, verb, world.now())

  serveOperation(api, { operation: listEventSubscriptions, world }, async ({ accountId, query }) => {
    const { page, per_page: limit, queue_id: queueId, order, direction } = query
    const asked = { queueId: queueId?.toLowerCase(), order, direction, limit, offset: (page - 1) * limit }
    const { subscriptions: found, total } = await subscriptions.listSubscriptions(accountId, asked)
    return { result: found.map(subscriptionBody), info: pageInfo(query, found.length, total) }
  })

  serveOperation(api, { operation: createEventSubscription, world }, async (call) => {
    const { name, enabled, source, destination, events: asked } = call.body
    const type = SOURCES.find((known) => known === source.type)
    if (!type) return invalid('/source/type', `There are ${SOURCES.join(' and ')}.`)
    const domain = readDomain(source.domain ?? '')
    if (domain === undefined)
      return invalid('/source/domain', 'It must name a domain, such as yourdomain.com.')
    const events = readEvents(type, asked)
    if ('status' in events) return events
    const made = await subscriptions.createSubscription(
      call.accountId,
      {
        ...{ name: name ?? `${domain} ${type}`, enabled, source: type, domain, events },
        ...{ zoneId: source.zone_id?.toLowerCase() ?? '', queueId: destination.queue_id.toLowerCase() },
      },
      note(call, 'create'),
    )
    return typeof made === 'string' ? explain(made, type) : { result: subscriptionBody(made) }
  })

  serveOperation(api, { operation: getEventSubscription, world }, async (call) => {
    const found = await subscriptions.subscription(placeOf(call))
    return found ? { result: subscriptionBody(found) } : NO_SUCH_OBJECT
  })

  serveOperation(api, { operation: editEventSubscription, world }, async (call) => {
    const { name, enabled, destination, events: asked } = call.body
    const before = await subscriptions.subscription(placeOf(call))
    if (!before) return NO_SUCH_OBJECT
    const events = asked && readEvents(before.source, asked)
    if (events && 'status' in events) return events
    const wish = {
      ...(name !== undefined && { name }),
      ...(enabled !== undefined && { enabled }),
      ...(destination && { queueId: destination.queue_id.toLowerCase() }),
      ...(events && { events }),
    }
    const changed = await subscriptions.changeSubscription(placeOf(call), wish, note(call, 'update'))
    if (!changed) return NO_SUCH_OBJECT
    return changed === 'no-queue' ? NO_QUEUE : { result: subscriptionBody(changed) }
  })

  serveOperation(api, { operation: deleteEventSubscription, world }, async (call) => {
    const removed = await subscriptions.removeSubscription(placeOf(call), note(call, 'delete'))
    return removed ? { result: subscriptionBody(removed) } : NO_SUCH_OBJECT
  })
}

const SOURCES: readonly EventSource[] = ['email.sending', 'email.routing']

function placeOf({ accountId, params }: Call<unknown, unknown>): SubscriptionPlace {
  return { accountId, subscriptionId: params['subscription_id']?.toLowerCase() ?? '' }
}

/** Each once, or which one the source does not have. */
function readEvents(source: EventSource, asked: readonly string[]): readonly ShortName[] | Fault {
  const known = namesIn(source)
  const events = new Set<ShortName>()
  for (const [index, text] of asked.entries()) {
    const event = known.find((name) => name === text)
    if (!event) {
      return invalid(
        `/events/${index}`,
        `${source} has no event "${text.slice(0, 100)}": there are ${known.join(', ')}.`,
      )
    }
    events.add(event)
  }
  return [...events]
}

function explain(fault: SubscriptionFault, source: EventSource): Fault {
  switch (fault) {
    case 'no-queue':
      return NO_QUEUE
    case 'no-domain': {
      const does = source === 'email.sending' ? 'sends' : 'takes mail'
      return invalid('/source/domain', `This account has no such domain that ${does} in that zone.`)
    }
    case 'too-many': {
      const detail = `An account can have ${SUBSCRIPTIONS_PER_ACCOUNT} event subscriptions, ${SUBSCRIPTIONS_PER_SOURCE} of them to one source of one domain.`
      return { ...INVALID, message: 'Too many event subscriptions', detail }
    }
  }
}

function invalid(pointer: string, detail: string): Fault {
  return { ...INVALID, detail, pointer }
}

function subscriptionBody(subscription: EventSubscription): EventSubscriptionBody {
  const { id, name, enabled, source: type, zoneId, domain, queueId, events } = subscription
  return {
    ...{ id, name, enabled },
    created_at: apiTime(subscription.createdAt),
    modified_at: apiTime(subscription.modifiedAt),
    source: { type, zone_id: zoneId, domain },
    destination: { type: 'queues.queue', queue_id: queueId },
    events: [...events],
  }
}

/** Its line in the audit log. */
function noteSubscription(
  { accountId, by }: Call<unknown, unknown>,
  verb: string,
  at: number,
): RecordSubscription {
  return ({ before, after }) => [
    auditWrite({
      ...{ accountId, actor: by.audit, action: `event_subscription.${verb}`, at },
      resource: { type: 'event_subscription', id: (after ?? before)?.id ?? '' },
      ...(before && { before: subscriptionBody(before) }),
      ...(after && { after: subscriptionBody(after) }),
    }),
  ]
}
