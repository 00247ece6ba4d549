import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { QUEUE_STATES, type QueuedDelivery, type SelectionFields } from '#contract/operator.ts'
import { domainOf } from '#model/address.ts'
import type { DeliveryView } from '#outbound/queue/list-deliveries.ts'
import { turnAway } from './answer.ts'
import { deliveryBody } from './delivery-body.ts'
import { readMessageId } from './message-id.ts'
import { readSelection } from './operator-selection.ts'
import type { OperatorWorld } from './operator-world.ts'
import { readPageQuery } from './page-query.ts'
import { sendPage } from './send-page.ts'
import { timelineEvent } from './timeline-body.ts'

const FILTERS = ['account_id', 'domain', 'destination', 'state', 'older_than', 'message_id']

/** `GET /deliveries`: what is in the queue, what expires first coming first; with `message_id`, all deliveries of that
 *  message, also the settled ones. */
export async function deliveriesRoute(
  request: FastifyRequest,
  reply: FastifyReply,
  world: OperatorWorld,
): Promise<FastifyReply> {
  const asked = readPageQuery(request.query, FILTERS)
  if ('detail' in asked) return turnAway(reply, 'invalidSchema', asked.detail)
  const { values, limit, after } = asked
  const messageId = values.get('message_id')
  if (messageId !== undefined) return ofMessage(reply, world, messageId, values)
  const fields = readFields(values)
  if ('detail' in fields) return turnAway(reply, 'invalidSchema', fields.detail)
  const selection = await readSelection(fields, world)
  if ('detail' in selection) return turnAway(reply, 'invalidSchema', selection.detail)
  const place = after && { expiresAt: after.at, id: after.id }
  const found = await world.hands.list({ selection, limit: limit + 1, after: place })
  const shown = found.slice(0, limit)
  const last = found.length > shown.length ? shown.at(-1) : undefined
  return sendPage(
    reply,
    shown.map((view) => queuedDelivery(view, world)),
    {
      count: shown.length,
      limit,
      last: last && { at: last.expiresAt, id: last.id },
    },
  )
}

function readFields(values: ReadonlyMap<string, string>): SelectionFields | { readonly detail: string } {
  const text = values.get('state')
  const state = QUEUE_STATES.find((known) => known === text)
  if (text !== undefined && !state)
    return { detail: `state must be one of ${QUEUE_STATES.join(', ')}: what is settled is in no queue.` }
  const { account_id, domain, destination, older_than } = Object.fromEntries(values)
  return {
    ...(account_id !== undefined && { account_id }),
    ...(domain !== undefined && { domain }),
    ...(destination !== undefined && { destination }),
    ...(older_than !== undefined && { older_than }),
    ...(state && { state }),
  }
}

async function ofMessage(
  reply: FastifyReply,
  world: OperatorWorld,
  text: string,
  values: ReadonlyMap<string, string>,
): Promise<FastifyReply> {
  if (values.size > 1) return turnAway(reply, 'invalidSchema', 'message_id must stand alone.')
  const messageId = readMessageId(text)
  if (!messageId) {
    const detail = 'message_id must be a Message-ID of ours, such as <0123…@yourdomain.com>.'
    return turnAway(reply, 'invalidSchema', detail)
  }
  const found = await world.hands.deliveriesOf(messageId.id)
  const count = found.length
  return sendPage(
    reply,
    found.map((view) => queuedDelivery(view, world)),
    { count, limit: count, last: undefined },
  )
}

function queuedDelivery(view: DeliveryView, { hands }: OperatorWorld): QueuedDelivery {
  const paused = hands.pauses.domain(domainOf(view.recipient))
  return { ...deliveryBody(view), account_id: view.accountId, paused }
}

const path = z.object({ id: z.string() })

/** `GET /deliveries/{id}/timeline`: the delivery, in whatever state, and what happened to it. */
export async function timelineRoute(
  request: FastifyRequest,
  reply: FastifyReply,
  world: OperatorWorld,
): Promise<FastifyReply> {
  const asked = readPageQuery(request.query, [])
  if ('detail' in asked) return turnAway(reply, 'invalidSchema', asked.detail)
  const { limit, after } = asked
  const view = await world.hands.delivery(path.parse(request.params).id.toLowerCase())
  if (!view) return turnAway(reply, 'notFound', 'There is no such delivery.')
  const { accountId, messageId, id: deliveryId } = view
  const events = await world.readTimeline({
    accountId,
    messageId,
    deliveryId,
    ...(after && { after: after.at }),
    limit: limit + 1,
  })
  const shown = events.slice(0, limit)
  const last = events.length > shown.length ? shown.at(-1) : undefined
  const result = {
    delivery: queuedDelivery(view, world),
    message_id: view.headerMessageId,
    events: shown.map(timelineEvent),
  }
  return sendPage(reply, result, { count: shown.length, limit, last: last && { at: last.seq, id: '' } })
}
