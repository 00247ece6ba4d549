import { z } from 'zod'

/** A body that is no JSON. The document calls it text; handlers get its octets as they came. */
export const octets = (example: string) =>
  z
    .string()
    .meta({ examples: [example] })
    .transform((text): Uint8Array => new TextEncoder().encode(text))
