import { z } from 'zod'

/** Where a page begins: behind the entry with this time (or number) and id. It says nothing about whose entries they
 *  are, which the route asks anew, so nobody can make one that shows more. */
export interface PageCursor {
  readonly at: number
  readonly id: string
}

const written = z.tuple([z.int().min(0), z.string().max(64)])

export function encodePageCursor({ at, id }: PageCursor): string {
  return Buffer.from(JSON.stringify([at, id])).toString('base64url')
}

/** Undefined for what `encodePageCursor` cannot have made. */
export function decodePageCursor(text: string): PageCursor | undefined {
  if (text.length > 200) return undefined
  try {
    const [at, id] = written.parse(JSON.parse(Buffer.from(text, 'base64url').toString()))
    return { at, id }
  } catch {
    return undefined
  }
}
