import type { IncomingMessage, ServerResponse } from 'node:http'

/** What the user of this machine reads. */
export type LocalAnswer = { readonly status: number } & (
  | { readonly text: string }
  | { readonly json: unknown }
)

export function sayLocal(response: ServerResponse, answer: LocalAnswer): void {
  const isJson = 'json' in answer
  const text = isJson ? `${JSON.stringify(answer.json)}\n` : answer.text
  // Who is refused may have a body to send, which nobody reads.
  response.shouldKeepAlive = answer.status === 200
  response.writeHead(answer.status, {
    'content-type': isJson ? 'application/json' : 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'x-content-type-options': 'nosniff',
  })
  response.end(text)
}

/** Whatever its Content-Type says: `curl --data-raw` calls a message a form. What is too large is read all the same,
 *  up to a point, so that its sender is there for the answer. */
export async function readLocalBody(request: IncomingMessage, limit: number): Promise<Buffer | 'too-large'> {
  const chunks: Buffer[] = []
  let octets = 0
  for await (const chunk of request) {
    const piece = Buffer.from(chunk)
    octets += piece.length
    if (octets <= limit) chunks.push(piece)
    else chunks.length = 0
    if (octets > 2 * limit) break
  }
  return octets > limit ? 'too-large' : Buffer.concat(chunks)
}
