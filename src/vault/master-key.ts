import { randomBytes } from 'node:crypto'
import { open, readFile, stat } from 'node:fs/promises'

export class MasterKeyUnusable extends Error {
  override readonly name = 'MasterKeyUnusable'
}

/** The master key: 32 bytes, raw or as base64, in a file that its owner alone may read. */
export async function readMasterKey(path: string): Promise<Buffer> {
  const { mode } = await stat(path)
  if ((mode & 0o077) !== 0) {
    throw new MasterKeyUnusable(`${path} can be read by others (mode ${(mode & 0o777).toString(8)}); run: chmod 600 ${path}`)
  }
  const content = await readFile(path)
  if (content.length === 32) return content
  const text = content.toString('latin1').trim()
  const decoded = /^[A-Za-z0-9+/]{43}=$/.test(text) ? Buffer.from(text, 'base64') : undefined
  if (decoded?.length === 32) return decoded
  throw new MasterKeyUnusable(`${path} must hold 32 bytes, raw or as base64; make one with: openssl rand -base64 32`)
}

/** The master key of a development instance, made at its first start. */
export async function ensureMasterKey(path: string): Promise<Buffer> {
  try {
    const file = await open(path, 'wx', 0o600)
    try {
      await file.writeFile(`${randomBytes(32).toString('base64')}\n`)
      await file.sync()
    } finally {
      await file.close()
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
  return readMasterKey(path)
}
