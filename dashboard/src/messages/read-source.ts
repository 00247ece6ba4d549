import { Problem } from '../api/problem.ts'

/** A message's octets, as far as they were wanted. */
export interface MailSource {
  readonly octets: Uint8Array<ArrayBuffer>
  /** False where there is more. */
  readonly isWhole: boolean
}

/** Reads `path` up to so many octets, and lets go of the rest. Throws a `Problem` with the server's words. */
export async function readSource(path: string, most: number, signal: AbortSignal): Promise<MailSource> {
  const response = await fetch(path, { credentials: 'same-origin', signal })
  if (!response.ok || !response.body) throw await problemOf(response)
  const pieces: Uint8Array[] = []
  let length = 0
  const reader = response.body.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    pieces.push(value)
    length += value.length
    if (length > most) {
      await reader.cancel()
      break
    }
  }
  const octets = new Uint8Array(length)
  let at = 0
  for (const piece of pieces) {
    octets.set(piece, at)
    at += piece.length
  }
  return length > most ? { octets: octets.slice(0, most), isWhole: false } : { octets, isWhole: true }
}

/** What the API said in place of a file. */
export async function problemOf(response: Response): Promise<Problem> {
  const said = (await response.json().catch(() => ({}))) as { readonly errors?: Problem['errors'] }
  return new Problem(response.status, said.errors ?? [], `The server answered ${response.status}.`)
}
