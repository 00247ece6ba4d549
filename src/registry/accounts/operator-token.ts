import { stat } from 'node:fs/promises'
import { keptToken } from './kept-token.ts'
import { hashSecret, LONGEST_SECRET, sameHash } from './token-secret.ts'

/** The file of the operator's token is not what it should be; the message says what to do. */
export class OperatorTokenUnusable extends Error {
  override readonly name = 'OperatorTokenUnusable'
}

/** Who may reach into the queue of the whole installation: whoever has this one token, which is nobody's account's. */
export interface OperatorToken {
  /** In constant time. */
  matches(secret: string): boolean
}

const SHORTEST = 20

/** `configured`: the operator named the file, so it must be there; otherwise it is made, with mode 0600. Throws
 *  OperatorTokenUnusable. */
export async function openOperatorToken(path: string, configured: boolean): Promise<OperatorToken> {
  const mode = await modeOf(path)
  if (mode === undefined && configured)
    throw new OperatorTokenUnusable(`the operator token ${path} is missing: ${HOW_TO_MAKE}`)
  if (mode !== undefined && (mode & 0o077) !== 0) {
    const octal = (mode & 0o777).toString(8)
    throw new OperatorTokenUnusable(`${path} can be read by others (mode ${octal}); run: chmod 600 ${path}`)
  }
  const secret = await keptToken(path)
  if (secret.length < SHORTEST || secret.length > LONGEST_SECRET || !/^[\x21-\x7e]*$/.test(secret)) {
    const form = `${SHORTEST} to ${LONGEST_SECRET} printable characters of ASCII`
    throw new OperatorTokenUnusable(`${path} must hold one token of ${form}: ${HOW_TO_MAKE}`)
  }
  const hash = hashSecret(secret)
  return { matches: (asked) => sameHash(hash, hashSecret(asked)) }
}

const HOW_TO_MAKE = 'make one with: openssl rand -hex 32'

async function modeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mode
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}
