import type { FastifyInstance, FastifyReply } from 'fastify'
import { z } from 'zod'
import { turnAway } from './answer.ts'
import { authenticate } from './authenticate.ts'
import { type Asked, findMessage, whyNotShown } from './messages.ts'
import type { MessagesWorld } from './messages-world.ts'
import { overloaded } from './overloaded.ts'

export interface MessagePreviewWorld extends MessagesWorld {
  /** Takes a message apart in a thread of its own; `source` is asked when its turn comes. */
  readonly preview: (source: () => Promise<Buffer | undefined>, gone: AbortSignal) => Promise<MessagePreview>
}

export type MessagePreview =
  | { readonly page: string; readonly headers: Readonly<Record<string, string>> }
  /** Why it is shown as its source only. */
  | { readonly unreadable: string }
  | 'busy'
  /** The source is gone. */
  | undefined

const params = z.object({ accountId: z.string() })

/** `…/messages/{message_id}/preview` and `…/source`: what somebody sees who looks at a message that was sent. */
export function messagePreviewRoutes(api: FastifyInstance, world: MessagePreviewWorld): void {
  const base = '/accounts/:accountId/email/sending/messages/:messageId'
  const route = (path: string, show: typeof showPreview) =>
    api.get(`${base}/${path}`, async (request, reply) => {
      const { accountId } = params.parse(request.params)
      const { accounts, log } = world
      const by = await authenticate(request, reply, {
        ...{ accounts, log, accountId, permission: 'Email Sending:Read' },
      })
      return by ? show({ request, reply, by }, world) : reply
    })
  route('preview', showPreview)
  route('source', showSource)
}

async function showPreview(asked: Asked, world: MessagePreviewWorld): Promise<FastifyReply> {
  const { request, reply } = asked
  const read = await contentOf(asked, world)
  if (!read) return reply
  const shown = await world.preview(read, request.signal)
  if (shown === undefined) return deleted(reply)
  if (shown === 'busy') return overloaded(reply, 'Too many messages are looked at; try again in a second.')
  if ('unreadable' in shown)
    return turnAway(reply, 'notFound', `${shown.unreadable} Its source is all there is to see.`)
  return reply.code(200).headers(shown.headers).send(shown.page)
}

async function showSource(asked: Asked, world: MessagePreviewWorld): Promise<FastifyReply> {
  const { reply } = asked
  const read = await contentOf(asked, world)
  if (!read) return reply
  const content = await read()
  if (!content) return deleted(reply)
  return reply
    .code(200)
    .header('content-security-policy', "sandbox; default-src 'none'; frame-ancestors 'self'")
    .header('content-disposition', 'inline; filename="message.txt"')
    .header('referrer-policy', 'no-referrer')
    .header('cross-origin-resource-policy', 'same-origin')
    .header('cache-control', 'private, no-store')
    .type('text/plain; charset=utf-8')
    .send(content)
}

/** How the content is read; undefined once the reply has said that it cannot be. */
async function contentOf(asked: Asked, world: MessagePreviewWorld) {
  const message = await findMessage(asked, world)
  if (!message) return undefined
  const why = whyNotShown(message)
  if (why !== undefined) {
    turnAway(asked.reply, 'notFound', why)
    return undefined
  }
  return () => world.readBody(message.bodyId)
}

function deleted(reply: FastifyReply): FastifyReply {
  return turnAway(reply, 'notFound', 'The content of this message has been deleted.')
}
