import { createReadStream, type Dirent } from 'node:fs'
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createDurably, syncFolder, systemErrorCode } from '#store/durable-file.ts'
import { StoreFull } from '#store/store.ts'

/** Longer than any promise takes: a file this old without a row belongs to a promise that never was. */
const ORPHAN_MS = 3_600_000
/** Of the 256, in one sweep: it stays short, and comes round in about an hour where it runs each minute. */
const FOLDERS_PER_SWEEP = 4

/** The files of large bodies: `bodies/<last two digits>/<id>`, written once and never changed. */
export class BodyFiles {
  readonly #directory: string
  readonly #root: string
  readonly #made = new Set<string>()
  #nextFolder = 0

  constructor(directory: string) {
    this.#directory = directory
    this.#root = join(directory, 'bodies')
  }

  /** Resolves when the file and the folder that names it are on disk: a power cut must not leave a row without its
   *  file. Throws StoreFull. */
  async write(id: string, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<void> {
    const path = this.#pathOf(id)
    try {
      await this.#makeFolder(dirname(path))
      await createDurably(path, content)
    } catch (error) {
      if (systemErrorCode(error) === 'ENOSPC' || systemErrorCode(error) === 'EDQUOT')
        throw new StoreFull(String(error), { cause: error })
      throw error
    }
  }

  /** Undefined where there is no such file. */
  async read(id: string): Promise<Buffer | undefined> {
    try {
      return await readFile(this.#pathOf(id))
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return undefined
      throw error
    }
  }

  /** In pieces; throws ENOENT where there is no such file. */
  stream(id: string): AsyncIterable<Buffer> {
    return createReadStream(this.#pathOf(id))
  }

  async delete(id: string): Promise<void> {
    await rm(this.#pathOf(id), { force: true })
  }

  /** Deletes files of the next few folders that are older than an hour by `now` (ms) and that nobody names. */
  async sweepOrphans(now: number, isNamed: (id: string) => Promise<boolean>): Promise<void> {
    for (let i = 0; i < FOLDERS_PER_SWEEP; i++) {
      const folder = join(this.#root, this.#nextFolder.toString(16).padStart(2, '0'))
      this.#nextFolder = (this.#nextFolder + 1) % 256
      for (const entry of await listFolder(folder)) {
        const path = join(folder, entry.name)
        if (!entry.isFile() || (await stat(path)).mtimeMs > now - ORPHAN_MS) continue
        if (!(await isNamed(entry.name))) await rm(path, { force: true })
      }
    }
  }

  /** By the last digits: the first ones of a UUIDv7 are its time, and would fill one folder after the other. */
  #pathOf(id: string): string {
    return join(this.#root, id.slice(-2), id)
  }

  async #makeFolder(folder: string): Promise<void> {
    if (this.#made.has(folder)) return
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await syncFolder(this.#root)
    await syncFolder(this.#directory)
    this.#made.add(folder)
  }
}

async function listFolder(folder: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true })
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return []
    throw error
  }
}
