import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { LRUCache } from 'lru-cache'
import { z } from 'zod'
import type { Envelope } from '#contract/envelope.ts'
import type { MessageBody } from '#contract/messages.ts'
import type { DeliveryView } from '#outbound/queue/list-deliveries.ts'
import type { MessageView } from '#outbound/queue/list-messages.ts'
import type { Permission, Principal } from '#registry/accounts/accounts.ts'
import { succeed, turnAway } from './answer.ts'
import { authenticate } from './authenticate.ts'
import { deliveryBody, iso } from './delivery-body.ts'
import { type MessageId, readMessageId } from './message-id.ts'
import { messagesRoute } from './messages-list.ts'
import type { MessagesWorld } from './messages-world.ts'
import { overloaded } from './overloaded.ts'
import { readPageQuery } from './page-query.ts'
import { explainLongScan } from './scan-too-long.ts'
import { sendPage } from './send-page.ts'
import { timelineEvent } from './timeline-body.ts'

export interface Asked {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly by: Principal
}

/** What became of an account's own mail: `/accounts/{account_id}/email/sending/messages` and `…/deliveries`. What a message
 *  holds is at message-preview.ts. */
export function messageRoutes(api: FastifyInstance, world: MessagesWorld): void {
  const admitted =
    (permission: Permission, route: (asked: Asked, world: MessagesWorld) => Promise<FastifyReply>) =>
    async (request: FastifyRequest, reply: FastifyReply) => {
      const { accounts, log } = world
      const { accountId } = ownPath.parse(request.params)
      const by = await authenticate(request, reply, { accounts, log, accountId, permission })
      return by ? route({ request, reply, by }, world) : reply
    }
  const read = (route: (asked: Asked, world: MessagesWorld) => Promise<FastifyReply>) =>
    admitted('Email Sending:Read', route)

  const retried = new LRUCache<string, true>({ max: MOST_RETRIED, ttl: RETRY_REST_MS })
  api.register(async (routes) => {
    explainLongScan(routes, 'Narrow it by since and until.')
    const base = '/accounts/:accountId/email/sending'
    routes.get(`${base}/messages`, read(messagesRoute))
    routes.get(`${base}/messages/:messageId/deliveries`, read(deliveriesRoute))
    routes.get(`${base}/messages/:messageId/timeline`, read(timelineRoute))
    for (const action of ['retry', 'cancel'] as const)
      routes.post(
        `${base}/deliveries/:id/${action}`,
        { bodyLimit: 1024 },
        admitted('Email Sending:Edit', (asked) => actRoute(asked, world, { action, retried })),
      )
  })
}

/** A sender may try a delivery again so often: the destination, which others share, did ask for patience. */
const RETRY_REST_MS = 60_000
const MOST_RETRIED = 50_000

const ownPath = z.object({ accountId: z.string() })
const messagePath = z.object({ messageId: z.string() })
const deliveryPath = z.object({ id: z.string() })

/** Out: undefined once the reply has said that there is none. */
export async function findMessage(asked: Asked, world: MessagesWorld): Promise<MessageView | undefined> {
  const named = readMessageId(messagePath.parse(asked.request.params).messageId)
  const message = named && (await messageNamed(named, asked, world))
  if (!message) noSuchMessage(asked.reply)
  return message
}

async function messageNamed({ id, header }: MessageId, { by }: Asked, { hands }: MessagesWorld) {
  const message = await hands.message(by.accountId, id)
  if (header === undefined || header === message?.headerMessageId.toLowerCase()) return message
  return undefined
}

function noSuchMessage(reply: FastifyReply): FastifyReply {
  return turnAway(reply, 'notFound', 'There is no such message in this account.')
}

async function deliveriesRoute(asked: Asked, world: MessagesWorld): Promise<FastifyReply> {
  const message = await findMessage(asked, world)
  if (!message) return asked.reply
  return succeed(asked.reply, messageBody(message, await world.hands.deliveriesOf(message.id)))
}

function messageBody(message: MessageView, deliveries: readonly DeliveryView[]): MessageBody {
  return {
    message_id: message.headerMessageId,
    from: message.sender,
    subject: message.subject,
    size: message.size,
    created_at: iso(message.createdAt),
    deliveries: deliveries.map(deliveryBody),
  }
}

/** Of a message that came in and ended here there are events and nothing else: it is known by its id alone. */
async function timelineRoute(asked: Asked, world: MessagesWorld): Promise<FastifyReply> {
  const { request, reply, by } = asked
  const query = readPageQuery(request.query, [])
  if ('detail' in query) return turnAway(reply, 'invalidSchema', query.detail)
  const named = readMessageId(messagePath.parse(request.params).messageId)
  const message = named && (await messageNamed(named, asked, world))
  if (!named || (!message && named.header !== undefined)) return noSuchMessage(reply)
  const events = await world.readTimeline({
    accountId: by.accountId,
    messageId: named.id,
    ...(query.after && { after: query.after.at }),
    limit: query.limit + 1,
  })
  if (!message && events.length === 0) return noSuchMessage(reply)
  const shown = events.slice(0, query.limit)
  const last = events.length > shown.length ? shown.at(-1) : undefined
  const result = { message_id: message?.headerMessageId ?? named.id, events: shown.map(timelineEvent) }
  return sendPage(reply, result, {
    count: shown.length,
    limit: query.limit,
    last: last && { at: last.seq, id: '' },
  })
}

/** One delivery at a time: an account's mail by selection is the operator's to move. */
async function actRoute(
  { request, reply, by }: Asked,
  { hands }: MessagesWorld,
  { action, retried }: { readonly action: 'retry' | 'cancel'; readonly retried: LRUCache<string, true> },
): Promise<FastifyReply> {
  const id = deliveryPath.parse(request.params).id.toLowerCase()
  const before = /^[0-9a-f]{32}$/.test(id) ? await hands.delivery(id) : undefined
  // Promise 6: another account's delivery is one that does not exist.
  if (before?.accountId !== by.accountId)
    return turnAway(reply, 'notFound', 'There is no such delivery in this account.')
  if (action === 'retry' && before.state === 'waiting') {
    if (retried.has(id))
      return overloaded(reply, 'It was tried again a moment ago; wait a minute.', RETRY_REST_MS / 1000)
    retried.set(id, true)
  }
  if (action === 'cancel' || before.state === 'waiting')
    await hands.act(action, { ids: [id], accountId: by.accountId }, 1)
  const after = await hands.delivery(id)
  if (!after) throw new Error(`delivery ${id} has gone`)
  const done = action === 'cancel' ? after.state === 'dropped' : before.state === 'waiting'
  return done ? succeed(reply, deliveryBody(after)) : refuseAction(reply, after)
}

/** The original has no such route, so no client expects a code; they choose by the status. */
function refuseAction(reply: FastifyReply, { state }: DeliveryView): FastifyReply {
  const [code, message] = [10208, 'email.sending.error.delivery.not_waiting']
  const detail = WHY[state] ?? `It has been settled already: ${state}.`
  const envelope: Envelope<never> = {
    success: false,
    errors: [{ code, message, error_chain: [{ code, message: detail, name: 'not_waiting' }] }],
    messages: [],
    result: null,
  }
  return reply.code(409).send(envelope)
}

const WHY: Readonly<Partial<Record<DeliveryView['state'], string>>> = {
  claimed: 'It is being attempted right now; look again in a moment.',
  held: 'The operator holds it back.',
  waiting: 'It was being attempted; try again.',
}
