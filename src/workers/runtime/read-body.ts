import type { IncomingMessage, ServerResponse } from 'node:http'
import type { OctetBudget } from './octet-budget.ts'

/** Of what is too large, so that who sends it hears that: broken off, workerd would say that the connection is lost. */
const MOST_DISCARDED = 64 * 1_048_576

/** The whole body, of at most `limit` octets. Undefined where it has more, which is answered with 413. What it takes of
 *  the budget it gives back when the request is answered. Rejects where the peer breaks off. */
export async function readBody(
  request: IncomingMessage,
  response: ServerResponse,
  { limit, budget }: { readonly limit: number; readonly budget: OctetBudget },
): Promise<Buffer | undefined> {
  const declared = Number(request.headers['content-length'] ?? limit)
  const most = Math.min(declared, limit)
  await takeUntilSent(response, most, budget)
  const chunks: Buffer[] = []
  let octets = 0
  for await (const chunk of request) {
    if (!(chunk instanceof Buffer)) continue
    octets += chunk.length
    if (octets > limit + MOST_DISCARDED) break
    if (octets > limit) chunks.length = 0
    else chunks.push(chunk)
  }
  if (octets > limit) {
    response.writeHead(413, 'Too large').end()
    return undefined
  }
  return Buffer.concat(chunks)
}

/** Gives it back when the request is answered, or its peer is gone. */
export async function takeUntilSent(
  response: ServerResponse,
  octets: number,
  budget: OctetBudget,
): Promise<void> {
  const giveBack = await budget.take(octets)
  if (response.destroyed) giveBack()
  else response.once('close', giveBack)
}
