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

export const messagePreviewOperations = [previewMessage, messageSource]
