import { randomBytes } from 'node:crypto'
import { link, open, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { createDurably, syncFolder, systemErrorCode } from '#store/durable-file.ts'

/** The file of the master key is missing what it takes to be one; the message says what to do. */
export class MasterKeyUnusable extends Error {
  override readonly name: string = 'MasterKeyUnusable'
}

/** No key where one is needed: what it sealed opens with nothing else. */
export class MasterKeyMissing extends MasterKeyUnusable {
  override readonly name = 'MasterKeyMissing'

  constructor(path: string) {
    super(
      `the master key ${path} is missing: put it back. Without it the keys in the database cannot be opened`,
    )
  }
}

/** The master key: 32 bytes, raw or as base64, in a file that its owner alone may read. Throws MasterKeyUnusable, or
 *  what the file system throws. */
export async function readMasterKey(path: string): Promise<Buffer> {
  const file = await open(path, 'r').catch((error: unknown) => {
    throw systemErrorCode(error) === 'ENOENT' ? new MasterKeyMissing(path) : error
  })
  try {
    const { mode } = await file.stat()
    if ((mode & 0o077) !== 0) {
      const octal = (mode & 0o777).toString(8)
      throw new MasterKeyUnusable(`${path} can be read by others (mode ${octal}); run: chmod 600 ${path}`)
    }
    return parseMasterKey(await file.readFile(), path)
  } finally {
    await file.close()
  }
}

/** The master key of a development instance, made at its first start. It is on disk before anything is sealed with it. */
export async function ensureMasterKey(path: string): Promise<Buffer> {
  try {
    return await readMasterKey(path)
  } catch (error) {
    if (!(error instanceof MasterKeyMissing)) throw error
  }
  // Whole or not at all: it gets its name only when it is written. Of two that start at once, the first one's stays.
  const draft = `${path}.${randomBytes(6).toString('hex')}`
  try {
    await createDurably(draft, `${randomBytes(32).toString('base64')}\n`)
    await link(draft, path)
  } catch (error) {
    if (systemErrorCode(error) !== 'EEXIST') throw error
  } finally {
    await rm(draft, { force: true })
  }
  await syncFolder(dirname(path))
  return readMasterKey(path)
}

function parseMasterKey(content: Buffer, path: string): Buffer {
  if (content.length === 32) return content
  const text = content.toString('latin1').trim()
  if (/^[A-Za-z0-9+/]{43}=$/.test(text)) return Buffer.from(text, 'base64')
  throw new MasterKeyUnusable(
    `${path} must hold 32 bytes, raw or as base64; make one with: openssl rand -base64 32`,
  )
}
