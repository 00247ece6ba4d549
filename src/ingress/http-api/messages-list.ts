import type { FastifyReply, FastifyRequest } from 'fastify'
import { DELIVERY_STATES } from '#contract/messages.ts'
import type { Address } from '#model/address.ts'
import type { MessageFilter } from '#outbound/queue/list-messages.ts'
import type { Principal } from '#registry/accounts/accounts.ts'
import { turnAway } from './answer.ts'
import { deliveryBody } from './delivery-body.ts'
import { readMessageId } from './message-id.ts'
import type { MessagesWorld } from './messages-world.ts'
import { readPageQuery } from './page-query.ts'
import { readDomain } from './read-domain.ts'
import { readTime } from './read-moment.ts'
import { sendPage } from './send-page.ts'

/** `GET …/messages`: what became of the account's mail, each recipient by itself, the newest first. */
export async function messagesRoute(
  { request, reply, by }: { request: FastifyRequest; reply: FastifyReply; by: Principal },
  { hands }: MessagesWorld,
): Promise<FastifyReply> {
  const asked = readPageQuery(request.query, FILTERS)
  if ('detail' in asked) return turnAway(reply, 'invalidSchema', asked.detail)
  const filter = readFilter(asked.values)
  if ('detail' in filter) return turnAway(reply, 'invalidSchema', filter.detail)
  const after = asked.after && { createdAt: asked.after.at, id: asked.after.id }
  const found = await hands.mail(by.accountId, { filter, limit: asked.limit + 1, after })
  const shown = found.slice(0, asked.limit)
  const last = found.length > shown.length ? shown.at(-1) : undefined
  return sendPage(reply, shown.map(deliveryBody), {
    count: shown.length,
    limit: asked.limit,
    last: last && { at: last.createdAt, id: last.id },
  })
}

const FILTERS = ['recipient', 'sender', 'state', 'message_id', 'since', 'until']

function readFilter(values: ReadonlyMap<string, string>): MessageFilter | { readonly detail: string } {
  const filter: { -readonly [K in keyof MessageFilter]: MessageFilter[K] } = {}
  for (const name of ['recipient', 'sender'] as const) {
    const text = values.get(name)
    const address = text === undefined ? undefined : readAddress(text)
    if (text !== undefined && address === undefined)
      return { detail: `${name} must be a whole address, such as user@example.com.` }
    if (address !== undefined) filter[name] = address
  }
  for (const name of ['since', 'until'] as const) {
    const text = values.get(name)
    const at = text === undefined ? undefined : readTime(text)
    if (text !== undefined && at === undefined)
      return { detail: `${name} must be a time with its offset, such as 2026-11-20T09:00:00Z, or a day.` }
    if (at !== undefined) filter[name] = at
  }
  const stateText = values.get('state')
  const state = DELIVERY_STATES.find((known) => known === stateText)
  if (stateText !== undefined && !state)
    return { detail: `state must be one of ${DELIVERY_STATES.join(', ')}.` }
  if (state) filter.state = state
  const messageText = values.get('message_id')
  const messageId = messageText === undefined ? undefined : readMessageId(messageText)
  if (messageText !== undefined && !messageId)
    return { detail: 'message_id must be one that a send answered, such as <0123…@yourdomain.com>.' }
  if (messageId) filter.messageId = messageId.id
  return filter
}

/** Good enough to compare with: the domain as the queue has it, the local part as it is. */
function readAddress(text: string): Address | undefined {
  const at = text.lastIndexOf('@')
  const domain = readDomain(text.slice(at + 1))
  if (at < 1 || domain === undefined || text.length > 1000) return undefined
  return `${text.slice(0, at).normalize('NFC')}@${domain}` as Address
}
