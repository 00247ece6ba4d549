import type { CreateSuppression } from '#contract/suppressions.ts'
import type { WishFields } from '#registry/suppressions/read-wish.ts'

/** The names of the API, to ours. */
export function wishFields({ email, expires_at: expiresAt, note, scope }: CreateSuppression): WishFields {
  return { email, expiresAt, note, scope }
}
