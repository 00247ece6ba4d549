import { z } from 'zod'

/** `POST /accounts/{account_id}/email/sending/send` and `…/send_raw` (api-sending.md, example-recipients.md). The
 *  schemas say which shapes exist; what the values must be (addresses, headers, limits) is the pipeline's to say. */
export const addressObject = z.strictObject({
  address: z.string(),
  name: z.string().nullish(),
})

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

export const sendRawRequest = z.strictObject({
  from: z.string(),
  recipients: z.array(z.string()).min(1),
  mime_message: z.string().refine((text) => text.isWellFormed(), 'contains half of a surrogate pair'),
})

export const sendResult = z.object({
  delivered: z.array(z.string()),
  permanent_bounces: z.array(z.string()),
  queued: z.array(z.string()),
  message_id: z.string(),
  suppressed_recipients: z.array(z.string()),
})

export type SendRequest = z.output<typeof sendRequest>
export type SendRawRequest = z.output<typeof sendRawRequest>
export type SendResult = z.output<typeof sendResult>
