import { z } from 'zod'

/** The envelope of every answer of the API: clients choose by HTTP status and read `result` or `errors`. */
export const apiError = z
  .object({
    code: z.number().int(),
    message: z.string(),
    /** What is behind it, for people: the first entry's `message` is a sentence, `name` the Workers binding's code. */
    error_chain: z
      .array(z.object({ code: z.number().int(), message: z.string(), name: z.string().optional() }))
      .optional(),
    source: z.object({ pointer: z.string() }).optional(),
    documentation_url: z.string().optional(),
  })
  .meta({ id: 'ApiError' })

export type ApiError = z.output<typeof apiError>

export interface Envelope<R> {
  readonly success: boolean
  readonly errors: readonly ApiError[]
  readonly messages: readonly { readonly code: number; readonly message: string }[]
  readonly result: R | null
}
