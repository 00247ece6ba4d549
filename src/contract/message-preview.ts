import { z } from 'zod'
import { operation } from './operation.ts'

/** The content of a sent message for people to look at, below `…/messages/{message_id}`, which is the message itself. */
const base = {
  method: 'GET',
  permission: 'Email Sending:Read',
  scope: 'account',
  codes: 'sending',
  result: z.string(),
} as const

const PATH = '/accounts/{account_id}/email/sending/messages/{message_id}'

export const previewMessage = operation({
  ...base,
  id: 'messages.preview',
  path: `${PATH}/preview`,
  summary:
    'The message as a page that loads nothing and runs nothing, for a frame: its HTML with embedded images, or else its text.',
  resultTypes: ['text/html'],
})

export const messageSource = operation({
  ...base,
  id: 'messages.source',
  path: `${PATH}/source`,
  summary: 'The source of the message, header and body, as text.',
  resultTypes: ['text/plain'],
})

const attachment = z
  .object({
    id: z.string().describe('Its place among the parts of the message'),
    filename: z
      .string()
      .describe('As its sender named it, without what a name on a disk must not have; never empty'),
    content_type: z.string().describe('What its sender says that it is'),
    size: z.number().int().describe('In bytes'),
    disposition: z
      .enum(['attachment', 'inline'])
      .describe('`inline`: a part that the text embeds, or that is shown with it'),
  })
  .meta({ id: 'MessageAttachment' })

export type MessageAttachmentBody = z.output<typeof attachment>

export const listAttachments = operation({
  ...base,
  id: 'messages.attachments.list',
  path: `${PATH}/attachments`,
  summary: 'Lists what is attached to the message, and what its text embeds.',
  result: z.array(attachment),
})

export const getAttachment = operation({
  ...base,
  id: 'messages.attachments.get',
  path: `${PATH}/attachments/{attachment_id}`,
  summary: 'One of them as a download, whatever it says that it is.',
  resultTypes: ['application/octet-stream'],
})

export const messagePreviewOperations = [previewMessage, messageSource, listAttachments, getAttachment]
