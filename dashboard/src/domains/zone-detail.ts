import type { ZoneBody } from '#contract/zones.ts'

/** One zone, which also tells what of it is to be delegated where it stays elsewhere as a whole. */
export interface ZoneDetail extends ZoneBody {
  readonly delegated_names: readonly string[]
}
