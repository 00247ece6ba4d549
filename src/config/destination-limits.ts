import { z } from 'zod'

const limits = z.strictObject({
  connections: z.int().min(1).exactOptional(),
  messagesPerConnection: z.int().min(1).exactOptional(),
  messagesPerSecond: z.number().positive().exactOptional(),
})

/** POSTHORN_DESTINATION_LIMITS: how hard single destinations may be pressed, by the name of their MX hosts or a domain
 *  above it: `{"google.com": {"connections": 10}, "mx.example.net": {"messagesPerSecond": 0.5}}`. */
const setting = z.record(z.string().regex(/^[a-z0-9.-]{1,253}$/), limits)

export type DestinationLimits = readonly (readonly [host: string, limits: z.output<typeof limits>])[]

/** Undefined for what is no such JSON. */
export function parseDestinationLimits(text: string): DestinationLimits | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  const parsed = setting.safeParse(value)
  return parsed.success ? Object.entries(parsed.data) : undefined
}
