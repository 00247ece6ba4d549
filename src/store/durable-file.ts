import { open, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Makes a file that must not be there yet, mode 0600, and resolves when its content and its name are on disk. Where
 *  that fails nothing is left of it. Throws what the file system throws. */
export async function createDurably(
  path: string,
  content: string | Uint8Array | AsyncIterable<Uint8Array>,
): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    try {
      await file.writeFile(content)
      await file.sync()
    } finally {
      await file.close()
    }
    await syncFolder(dirname(path))
  } catch (error) {
    await rm(path, { force: true })
    throw error
  }
}

/** The names in a folder, on disk: a file that a power cut leaves without its name is lost. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/** `ENOENT` and its kin; undefined for anything that is no error of the system. */
export function systemErrorCode(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
