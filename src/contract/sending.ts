import { z } from 'zod'
import { operation } from './operation.ts'

/** `POST /accounts/{account_id}/email/sending/send` and `…/send_raw` (api-sending.md, example-recipients.md). The
 *  schemas say which shapes exist; what the values must be (addresses, headers, limits) is the pipeline's to say. */
export const addressObject = z
  .strictObject({
    address: z.string(),
    name: z.string().nullish(),
  })
  .meta({ id: 'NamedAddress' })

export const addressField = z.union([z.string(), addressObject])
export const recipientsField = z.union([z.string(), addressObject, z.array(addressField)])

export const attachment = z.discriminatedUnion('disposition', [
  z.strictObject({
    content: z.string(),
    filename: z.string(),
    type: z.string(),
    disposition: z.literal('attachment'),
    /** The official SDK lists it for inline only; harmless here, so it is taken and kept. */
    content_id: z.string().nullish(),
  }),
  z.strictObject({
    content: z.string(),
    filename: z.string(),
    type: z.string(),
    disposition: z.literal('inline'),
    content_id: z.string(),
  }),
])

export const sendRequest = z.strictObject({
  from: addressField,
  to: recipientsField.optional(),
  cc: recipientsField.optional(),
  bcc: recipientsField.optional(),
  reply_to: addressField.optional(),
  subject: z.string(),
  text: z.string().optional(),
  html: z.string().optional(),
  headers: z.record(z.string(), z.string()).optional(),
  attachments: z.array(attachment).optional(),
})

const sendExample = {
  from: { address: 'app@yourdomain.com', name: 'Your app' },
  to: ['user@example.com'],
  subject: 'Welcome',
  text: 'Glad that you are here.',
  html: '<p>Glad that you are here.</p>',
}

export const sendRawRequest = z.strictObject({
  from: z.string(),
  recipients: z.array(z.string()).min(1),
  mime_message: z.string().refine((text) => text.isWellFormed(), 'contains half of a surrogate pair'),
})

const sendRawExample = {
  from: 'app@yourdomain.com',
  recipients: ['user@example.com'],
  mime_message:
    'From: app@yourdomain.com\r\nTo: user@example.com\r\nSubject: Welcome\r\n\r\nGlad that you are here.\r\n',
}

/** Each recipient is in one of the lists. */
export const sendResult = z
  .object({
    delivered: z.array(z.string()).describe('Their mail servers took it'),
    permanent_bounces: z.array(z.string()).describe('Their mail servers refused it for good'),
    queued: z.array(z.string()).describe('Not settled yet; tried again as long as it takes'),
    message_id: z.string().describe('The Message-ID header, angle brackets included'),
    suppressed_recipients: z.array(z.string()).describe('Left out: on the suppression list'),
  })
  .meta({ id: 'SendResult' })

export type SendRequest = z.output<typeof sendRequest>
export type SendRawRequest = z.output<typeof sendRawRequest>
export type SendResult = z.output<typeof sendResult>

const sends = {
  permission: 'Email Sending:Edit',
  scope: 'account',
  inSomeZone: true,
  repeatable: true,
  codes: 'sending',
  method: 'POST',
} as const

export const send = operation({
  ...sends,
  id: 'sending.send',
  path: '/accounts/{account_id}/email/sending/send',
  summary: 'Sends a message. The answer waits some seconds for what the recipients’ mail servers say.',
  body: sendRequest.meta({ examples: [sendExample] }),
  result: sendResult,
})

export const sendRaw = operation({
  ...sends,
  id: 'sending.send_raw',
  path: '/accounts/{account_id}/email/sending/send_raw',
  summary: 'Sends a message that is MIME already, to the recipients given beside it.',
  body: sendRawRequest.meta({ examples: [sendRawExample] }),
  result: sendResult,
})

export const sendingOperations = [send, sendRaw]
