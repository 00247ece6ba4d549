import { z } from 'zod'

/** Bindings as they are uploaded, and as they are shown: without the texts of secrets. */
const LONGEST_NAME = 255
export const bindingName = z
  .string()
  .regex(/^[\w$.-]+$/, 'letters, digits, "_", "$", "." and "-"')
  .max(LONGEST_NAME, `${LONGEST_NAME} characters at most`)
  .refine((name) => name !== '__proto__', 'another name')

/** The original's limit of a variable. */
const LONGEST_TEXT = 5120
export const bindingText = z
  .string()
  .refine((text) => new TextEncoder().encode(text).length <= LONGEST_TEXT, `${LONGEST_TEXT} octets at most`)
  // Secrets reach a process through its environment.
  .refine((text) => !text.includes('\0'), 'text without NUL')

const email = z.string()
const mostEmails = z.array(email).max(100, '100 addresses at most')

const LONGEST_DELAY_S = 86_400

/** What each type has besides its name and type. */
export const BINDING_FIELDS = {
  plain_text: z.object({ text: bindingText }),
  secret_text: z.object({ text: bindingText }),
  json: z.object({ json: z.unknown() }),
  kv_namespace: z.object({ namespace_id: z.string() }),
  queue: z.object({
    queue_name: z.string(),
    delivery_delay: z.int().min(0).max(LONGEST_DELAY_S).optional(),
  }),
  analytics_engine: z.object({ dataset: z.string().optional() }),
  service: z.object({
    service: z.string(),
    entrypoint: z.string().optional(),
    environment: z.literal('production', 'nothing, or "production"').optional(),
    props: z.undefined('nothing: this service passes no props').optional(),
    cross_account_grant: z.undefined('nothing: a Worker binds to those of its own account').optional(),
  }),
  send_email: z.object({
    destination_address: email.optional(),
    allowed_destination_addresses: mostEmails.optional(),
    allowed_sender_addresses: mostEmails.optional(),
  }),
  /** The one that the version before has, under the same name or another. */
  inherit: z.object({
    old_name: z.string().optional(),
    version_id: z.literal('latest', 'nothing, or "latest"').optional(),
  }),
} as const

export type BindingType = keyof typeof BINDING_FIELDS

/** As an answer has it. */
export const shownBinding = z
  .object({
    name: z.string(),
    type: z.enum([
      ...(['plain_text', 'secret_text', 'json', 'kv_namespace', 'queue'] as const),
      ...(['analytics_engine', 'service', 'send_email'] as const),
    ]),
    text: z.string().optional(),
    json: z.unknown().optional(),
    namespace_id: z.string().optional(),
    queue_name: z.string().optional(),
    delivery_delay: z.int().optional(),
    dataset: z.string().optional(),
    service: z.string().optional(),
    environment: z.string().optional(),
    entrypoint: z.string().optional(),
    destination_address: z.string().optional(),
    allowed_destination_addresses: z.array(z.string()).optional(),
    allowed_sender_addresses: z.array(z.string()).optional(),
  })
  .meta({ id: 'WorkerBinding' })

export type ShownBindingBody = z.output<typeof shownBinding>
