import type { ApiError } from '#contract/envelope.ts'

/** A request that was refused, or never answered. `status` is 0 where no answer came. */
export class Problem extends Error {
  readonly status: number
  readonly errors: readonly ApiError[]

  constructor(status: number, errors: readonly ApiError[], fallback: string) {
    super(sentence(errors[0]) ?? fallback)
    this.name = 'Problem'
    this.status = status
    this.errors = errors
  }

  /** What is wrong with the field of this JSON pointer (`/from/email`), if that is what was refused. */
  at(pointer: string): string | undefined {
    return sentence(this.errors.find(({ source }) => source?.pointer === pointer))
  }
}

/** The first entry of the chain is a sentence for people, the message a name. */
function sentence(error: ApiError | undefined): string | undefined {
  return error?.error_chain?.[0]?.message ?? error?.message
}

/** Whatever was thrown, for a person. */
export function problemText(error: unknown): string {
  return error instanceof Error ? error.message : 'Something went wrong.'
}
