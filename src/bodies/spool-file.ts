import { type FileHandle, open, rm } from 'node:fs/promises'
import { systemErrorCode } from '#store/durable-file.ts'

export interface SpoolFileParts {
  readonly path: string
  /** What it is charged to. */
  readonly disk: { take(bytes: number): boolean; giveBack(bytes: number): void }
  /** Whether the file system bears so many octets more. */
  readonly hasRoom: (bytes: number) => Promise<boolean>
}

/** The file of one content of the spool, made with its first octets. It is not synced: nothing was promised yet. */
export class SpoolFile {
  readonly path: string
  readonly #disk: SpoolFileParts['disk']
  readonly #hasRoom: SpoolFileParts['hasRoom']
  #handle: FileHandle | undefined
  #made = false
  #size = 0
  #charged = 0

  constructor({ path, disk, hasRoom }: SpoolFileParts) {
    this.path = path
    this.#disk = disk
    this.#hasRoom = hasRoom
  }

  get size(): number {
    return this.#size
  }

  /** False where there is no room for it; then the file is of no use any more. Throws what the file system throws
   *  otherwise. */
  async append(bytes: Uint8Array): Promise<boolean> {
    if (!this.#disk.take(bytes.length)) return false
    this.#charged += bytes.length
    if (!(await this.#hasRoom(bytes.length))) return false
    try {
      this.#made = true
      this.#handle ??= await open(this.path, 'wx', 0o600)
      await this.#handle.writeFile(bytes)
    } catch (error) {
      if (systemErrorCode(error) === 'ENOSPC' || systemErrorCode(error) === 'EDQUOT') return false
      throw error
    }
    this.#size += bytes.length
    return true
  }

  async close(): Promise<void> {
    const handle = this.#handle
    this.#handle = undefined
    await handle?.close()
  }

  /** Never rejects: what cannot be removed is swept when the spool is opened again. */
  async remove(): Promise<void> {
    // At once, not after the file: contents that run out of room together would all be refused, where one is enough.
    this.#disk.giveBack(this.#charged)
    this.#charged = 0
    this.#size = 0
    await this.close().catch(() => undefined)
    // Most contents never need one.
    if (!this.#made) return
    this.#made = false
    await rm(this.path, { force: true }).catch(() => undefined)
  }
}
