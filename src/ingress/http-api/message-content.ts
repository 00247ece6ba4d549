import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import type { MessageView } from '#outbound/queue/list-messages.ts'
import { turnAway } from './answer.ts'
import type { ContentBudget } from './content-budget.ts'
import { type Asked, findMessage } from './messages.ts'
import type { MessagesWorld } from './messages-world.ts'
import { overloaded } from './overloaded.ts'

/** The message whose content is asked for; undefined once the reply has said that it is not shown. */
export async function shownMessage(asked: Asked, world: MessagesWorld): Promise<MessageView | undefined> {
  const message = await findMessage(asked, world)
  if (!message || message.previewEnabled) return message
  turnAway(asked.reply, 'notFound', 'The preview of messages is off for the domain of this one.')
  return undefined
}

/** Of a body that is being sent in pieces: one of them, and what the connection has taken and not passed on. */
const HELD_OCTETS = 2 * 1_048_576

/** The message as it is, in pieces as the client takes them. `headersOf` says what the browser may do with it. */
export async function sendContent(
  asked: Asked,
  world: MessagesWorld & { readonly contents: ContentBudget },
  headersOf: (message: MessageView) => Readonly<Record<string, string>>,
): Promise<FastifyReply> {
  const { reply } = asked
  const message = await shownMessage(asked, world)
  if (!message) return reply
  const body = await world.openBody(message.bodyId)
  if (!body) return contentDeleted(reply)
  if (!world.contents.reserve(Math.min(body.size, HELD_OCTETS), reply)) return tooManyLook(reply)
  return reply
    .code(200)
    .header('content-length', body.size)
    .headers(headersOf(message))
    .send(Readable.from(body.open(), { objectMode: false }))
}

export function contentDeleted(reply: FastifyReply): FastifyReply {
  return turnAway(reply, 'notFound', 'The content of this message has been deleted.')
}

export function tooManyLook(reply: FastifyReply): FastifyReply {
  return overloaded(reply, 'Too many messages are looked at; try again in a second.', 1)
}
