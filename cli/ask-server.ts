import { z } from 'zod'
import { apiError } from '#contract/envelope.ts'
import { resultInfo } from '#contract/paging.ts'
import { CommandFailed, EXIT } from './exit-codes.ts'
import { ServerRefused } from './server-refused.ts'

/** A server and what opens it. */
export interface Server {
  /** With the path of the API, without a slash at the end. */
  readonly base: string
  readonly token: string
}

export interface Asked {
  readonly method: string
  /** Below the base, with its query. */
  readonly path: string
  readonly body?: object | undefined
}

const envelope = z.object({
  errors: z.array(apiError),
  result: z.unknown(),
  result_info: resultInfo.optional(),
})

/** An action on many deliveries, or a look at a DNS that is silent, takes a while; a server that does not answer does
 *  not take for ever. */
const PATIENCE_MS = 300_000

/** One request and what its envelope holds. Throws ServerRefused for a no, CommandFailed where nobody answers. */
export async function askServer({ base, token }: Server, { method, path, body }: Asked) {
  const response = await fetch(`${base}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
    signal: AbortSignal.timeout(PATIENCE_MS),
    // The token is for this server, not for where it points to.
    redirect: 'error',
    ...(body && { body: JSON.stringify(body) }),
  }).catch((error: unknown) => {
    throw new CommandFailed(`no answer from ${base}: ${reasonOf(error)}`, EXIT.unavailable)
  })
  const text = await response.text().catch((error: unknown) => {
    throw new CommandFailed(
      `the answer from ${base} broke off: ${reasonOf(error)}; it may have been done`,
      EXIT.unavailable,
    )
  })
  const answer = envelope.safeParse(parse(text))
  if (!answer.success) {
    throw new CommandFailed(
      `${base} answered ${response.status} with something else than this API's JSON`,
      EXIT.unavailable,
    )
  }
  if (!response.ok) throw new ServerRefused(response.status, answer.data.errors)
  return { result: answer.data.result, info: answer.data.result_info }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Why something outside failed, in a word. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause: unknown = error.cause instanceof Error ? error.cause : error
  if (cause instanceof Error && 'code' in cause && typeof cause.code === 'string') return cause.code
  return cause instanceof Error ? cause.message : error.message
}
