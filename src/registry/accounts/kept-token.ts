import { readFile, rename, writeFile } from 'node:fs/promises'
import { newTokenSecret } from './token-secret.ts'

/** The token in a file that its owner alone can read, made where there is none. */
export async function keptToken(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim()
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
    const secret = newTokenSecret()
    // Renamed into place whole: a start that is killed here leaves no half of a token.
    await writeFile(`${path}.new`, `${secret}\n`, { mode: 0o600, flush: true })
    await rename(`${path}.new`, path)
    return secret
  }
}
