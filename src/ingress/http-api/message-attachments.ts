import type { FastifyReply } from 'fastify'
import { z } from 'zod'
import type { MessageAttachmentBody } from '#contract/message-preview.ts'
import { succeed, turnAway } from './answer.ts'
import { attachmentHeaders, safeFileName } from './attachment-headers.ts'
import { contentDeleted, shownMessage, tooManyLook } from './message-content.ts'
import type { ContentWorld, ReadContent, ReadPart } from './message-preview.ts'
import type { Asked } from './messages.ts'

const path = z.object({ attachmentId: z.string() })

/** `GET …/attachments`: what is attached, without its content. */
export async function listAttachments(asked: Asked, world: ContentWorld): Promise<FastifyReply> {
  const { request, reply } = asked
  const message = await shownMessage(asked, world)
  if (!message) return reply
  const parts = await world.mailReader.attachments(() => world.readBody(message.bodyId), request.signal)
  if (parts === undefined) return contentDeleted(reply)
  if (parts === 'busy') return tooManyLook(reply)
  if ('unreadable' in parts) return unreadable(reply, parts.unreadable)
  return succeed(reply, parts.map(attachmentBody))
}

/** `GET …/attachments/{id}`: one of them as a download. */
export async function sendAttachment(asked: Asked, world: ContentWorld): Promise<FastifyReply> {
  const { request, reply } = asked
  const id = path.parse(request.params).attachmentId
  const message = await shownMessage(asked, world)
  if (!message) return reply
  let isRead = false
  const source = async () => {
    const content = await world.readBody(message.bodyId)
    isRead = content !== undefined
    return content
  }
  const found = await world.mailReader.attachment(source, id, request.signal)
  if (found === undefined)
    return isRead
      ? turnAway(reply, 'notFound', 'This message has no such attachment.')
      : contentDeleted(reply)
  if (found === 'busy') return tooManyLook(reply)
  if ('unreadable' in found) return unreadable(reply, found.unreadable)
  const { buffer, byteOffset, byteLength } = found.content
  if (!world.contents.reserve(byteLength, reply)) return tooManyLook(reply)
  return reply
    .code(200)
    .headers(attachmentHeaders(nameOf(found, id)))
    .send(Buffer.from(buffer, byteOffset, byteLength))
}

function unreadable(reply: FastifyReply, why: string): FastifyReply {
  return turnAway(reply, 'notFound', `${why} Its source is all there is to see.`)
}

function attachmentBody(part: ReadPart): MessageAttachmentBody {
  const { id, contentType, size, disposition } = part
  const type = contentType.toLowerCase()
  return {
    ...{ id, filename: nameOf(part, id), size, disposition },
    content_type: MEDIA_TYPE.test(type) ? type : 'application/octet-stream',
  }
}

const MEDIA_TYPE = /^[a-z0-9!#$&^_.+-]{1,64}\/[a-z0-9!#$&^_.+-]{1,64}$/

/** The same in the list and in the download. */
function nameOf(
  { fileName, contentType }: Pick<ReadContent, 'fileName' | 'contentType'>,
  id: string,
): string {
  const ending = contentType.toLowerCase() === 'message/rfc822' ? '.eml' : ''
  return safeFileName(fileName) ?? `attachment-${id}${ending}`
}
