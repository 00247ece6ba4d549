import type { FastifyInstance, FastifyReply } from 'fastify'
import { z } from 'zod'
import { turnAway } from './answer.ts'
import { authenticate } from './authenticate.ts'
import { type ContentBudget, openContentBudget } from './content-budget.ts'
import { listAttachments, sendAttachment } from './message-attachments.ts'
import { contentDeleted, sendContent, shownMessage, tooManyLook } from './message-content.ts'
import type { Asked } from './messages.ts'
import type { MessagesWorld } from './messages-world.ts'

/** Takes messages apart in a thread of its own, one after the other; `source` is asked when its turn comes, so that who
 *  waits holds nothing. Rejects with the reason of `gone` where that is aborted before. */
export interface MailReader {
  preview(source: Source, gone: AbortSignal): Promise<MessagePreview | NotRead>
  /** All parts that are not the text itself. */
  attachments(source: Source, gone: AbortSignal): Promise<readonly ReadPart[] | NotRead>
  /** Undefined where the message has no such part, too. */
  attachment(source: Source, id: string, gone: AbortSignal): Promise<ReadContent | NotRead>
}

type Source = () => Promise<Buffer | undefined>

export type NotRead =
  /** Why it is shown as its source only. */
  | { readonly unreadable: string }
  | 'busy'
  /** The source is gone. */
  | undefined

export interface MessagePreview {
  readonly page: string
  readonly headers: Readonly<Record<string, string>>
}

/** A part of a message, named and described by whoever wrote it. */
export interface ReadPart {
  readonly id: string
  readonly fileName: string
  readonly contentType: string
  /** In octets. */
  readonly size: number
  readonly disposition: 'attachment' | 'inline'
}

export interface ReadContent {
  readonly fileName: string
  readonly contentType: string
  readonly content: Uint8Array<ArrayBuffer>
}

export interface MessagePreviewWorld extends MessagesWorld {
  readonly mailReader: MailReader
}

/** The same with room for what is on its way. */
export interface ContentWorld extends MessagePreviewWorld {
  readonly contents: ContentBudget
}

const params = z.object({ accountId: z.string() })

/** `…/messages/{message_id}`, and `…/preview`, `…/source` and `…/attachments` below it: what somebody sees who looks at a
 *  message that was sent. Promise: nothing of it is ever a live document of this origin, and what all who look hold
 *  together is bounded; past that the answer is 429. */
export function messagePreviewRoutes(api: FastifyInstance, given: MessagePreviewWorld): void {
  const world: ContentWorld = { ...given, contents: openContentBudget() }
  const base = '/accounts/:accountId/email/sending/messages/:messageId'
  const route = (path: string, show: (asked: Asked, world: ContentWorld) => Promise<FastifyReply>) =>
    api.get(`${base}${path}`, async (request, reply) => {
      const { accountId } = params.parse(request.params)
      const { accounts, log } = world
      const by = await authenticate(request, reply, {
        ...{ accounts, log, accountId, permission: 'Email Sending:Read' },
      })
      return by ? show({ request, reply, by }, world) : reply
    })
  route('', sendMessage)
  route('/preview', showPreview)
  route('/source', showSource)
  route('/attachments', listAttachments)
  route('/attachments/:attachmentId', sendAttachment)
}

/** The message itself, as the original has it (clients.md): only where the domain's preview is on, and until the body
 *  is deleted. */
function sendMessage(asked: Asked, world: ContentWorld): Promise<FastifyReply> {
  return sendContent(asked, world, ({ id }) => ({
    // A browser must never show it as a page of ours.
    'content-security-policy': "sandbox; default-src 'none'",
    'content-disposition': `attachment; filename="${id}.eml"`,
    'cache-control': 'private, no-store',
    'content-type': 'message/rfc822',
  }))
}

function showSource(asked: Asked, world: ContentWorld): Promise<FastifyReply> {
  return sendContent(asked, world, () => ({
    'content-security-policy': "sandbox; default-src 'none'; frame-ancestors 'self'",
    'content-disposition': 'inline; filename="message.txt"',
    'referrer-policy': 'no-referrer',
    'cross-origin-resource-policy': 'same-origin',
    'cache-control': 'private, no-store',
    'content-type': 'text/plain; charset=utf-8',
  }))
}

async function showPreview(asked: Asked, world: ContentWorld): Promise<FastifyReply> {
  const { request, reply } = asked
  const message = await shownMessage(asked, world)
  if (!message) return reply
  const shown = await world.mailReader.preview(() => world.readBody(message.bodyId), request.signal)
  if (shown === undefined) return contentDeleted(reply)
  if (shown === 'busy') return tooManyLook(reply)
  if ('unreadable' in shown)
    return turnAway(reply, 'notFound', `${shown.unreadable} Its source is all there is to see.`)
  if (!world.contents.reserve(Buffer.byteLength(shown.page), reply)) return tooManyLook(reply)
  return reply.code(200).headers(shown.headers).send(shown.page)
}
