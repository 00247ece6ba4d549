import { mkdir, readdir, rm, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import type { Content } from '#model/content.ts'
import { newId } from '#store/id.ts'
import { SpoolFile } from './spool-file.ts'

/** The spool: contents that arrive, before anything is promised about them. In: chunks. Out: a Content. Promise: all
 *  contents together take a bounded amount of memory and of disk, and no owner more than its share of either; whatever
 *  way one ends, its file goes, and what a killed process left goes when the spool is opened. Nothing here survives a
 *  crash, which is right: nobody was answered 250. */
export interface Spool {
  /** A place for one content; `owner` is charged for it. `size`: what the peer declared (RFC 1870), where it did.
   *  Undefined where there is no room for it now. */
  open(owner: string, size?: number): SpooledContent | undefined
}

export interface SpooledContent extends AsyncDisposable {
  /** A promise holds the peer back; the chunk may be used again when it resolves. Rejects where the disk is broken. What
   *  comes after the room ran out is dropped. */
  write(chunk: Buffer): void | Promise<void>
  /** Once, after the last `write`. `full` where memory or disk ran out on the way. */
  finish(): Promise<Content | 'full'>
  /** Gives back memory and disk: the content is gone. At any time, as often as one likes; never rejects. */
  release(): Promise<void>
}

/** Octets that may be held at once, in shares of owners. */
export interface Shares {
  of(owner: string): { take(bytes: number): boolean; giveBack(bytes: number): void }
}

export interface SpoolOptions {
  /** The data folder; the files are in `spool/` below it. */
  readonly directory: string
  readonly memory: Shares
  readonly disk: Shares
  /** Octets of the file system that the spool leaves free: the database needs them to keep its promises. */
  readonly keepFree?: number
  /** What is larger goes into a file. */
  readonly memoryBytes?: number
  /** Octets that the file system has free. */
  readonly freeBytes?: () => Promise<number>
}

const KEEP_FREE = 256 * 1024 * 1024
const MEMORY_BYTES = 256 * 1024
const FIRST_CAPACITY = 16 * 1024

/** Empties `spool/` of what an earlier process left there. One process has a data folder at a time. */
export async function openSpool(options: SpoolOptions): Promise<Spool> {
  const folder = join(options.directory, 'spool')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  for (const name of await readdir(folder)) await rm(join(folder, name), { recursive: true, force: true })
  const { keepFree = KEEP_FREE, memoryBytes = MEMORY_BYTES, freeBytes = () => freeOf(folder) } = options
  const hasRoom = async (bytes: number) => (await freeBytes()) - bytes >= keepFree
  return {
    open(owner, size = 0) {
      const memory = options.memory.of(owner)
      const disk = options.disk.of(owner)
      // Not kept for it: a peer that declares much and sends nothing would keep out the others of its network.
      if (size > memoryBytes) {
        if (!disk.take(size)) return undefined
        disk.giveBack(size)
      }
      const capacity = Math.min(FIRST_CAPACITY, memoryBytes)
      if (!memory.take(capacity)) return undefined
      const file = new SpoolFile({ path: join(folder, newId()), disk, hasRoom })
      return new Spooling({ file, memory, capacity, most: memoryBytes })
    },
  }
}

async function freeOf(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder)
  return bavail * bsize
}

interface SpoolingParts {
  readonly file: SpoolFile
  readonly memory: ReturnType<Shares['of']>
  /** Of the buffer that it begins with, taken already. */
  readonly capacity: number
  /** Of the buffer. */
  readonly most: number
}

/** One content. It gathers in a buffer, which doubles while it may; when the buffer is full it goes into the file, and
 *  is filled anew. Where memory is short the buffer just stays small. */
class Spooling implements SpooledContent {
  readonly #file: SpoolFile
  readonly #memory: ReturnType<Shares['of']>
  readonly #most: number
  #buffer: Buffer
  #length = 0
  #full = false
  #released = false
  /** The write to the file that is under way. */
  #flushing: Promise<void> | undefined

  constructor({ file, memory, capacity, most }: SpoolingParts) {
    this.#file = file
    this.#memory = memory
    this.#most = most
    this.#buffer = Buffer.allocUnsafeSlow(capacity)
  }

  write(chunk: Buffer): void | Promise<void> {
    if (this.#full || this.#released) return undefined
    if (this.#fits(chunk.length)) {
      this.#append(chunk)
      return undefined
    }
    return this.#spill(chunk)
  }

  async finish(): Promise<Content | 'full'> {
    if (this.#full || this.#released) return 'full'
    if (this.#file.size === 0) return { kind: 'memory', bytes: this.#buffer.subarray(0, this.#length) }
    await this.#flush()
    if (this.#full || this.#released) return 'full'
    await this.#file.close()
    this.#dropBuffer()
    return { kind: 'file', path: this.#file.path, size: this.#file.size }
  }

  async release(): Promise<void> {
    this.#released = true
    // The buffer is the file system's until then.
    await this.#flushing?.catch(() => undefined)
    this.#dropBuffer()
    await this.#file.remove()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release()
  }

  #fits(more: number): boolean {
    const wanted = this.#length + more
    while (wanted > this.#buffer.length && this.#buffer.length < this.#most && this.#grow());
    return wanted <= this.#buffer.length
  }

  #grow(): boolean {
    const capacity = Math.min(this.#buffer.length * 2, this.#most)
    if (!this.#memory.take(capacity)) return false
    const grown = Buffer.allocUnsafeSlow(capacity)
    this.#buffer.copy(grown, 0, 0, this.#length)
    this.#memory.giveBack(this.#buffer.length)
    this.#buffer = grown
    return true
  }

  #append(chunk: Buffer): void {
    chunk.copy(this.#buffer, this.#length)
    this.#length += chunk.length
  }

  async #spill(chunk: Buffer): Promise<void> {
    for (let at = 0; at < chunk.length && !this.#full && !this.#released; ) {
      const piece = chunk.subarray(at, at + this.#buffer.length - this.#length)
      this.#append(piece)
      at += piece.length
      if (this.#length === this.#buffer.length) await this.#flush()
    }
  }

  #flush(): Promise<void> {
    this.#flushing = this.#writeOut()
    return this.#flushing
  }

  async #writeOut(): Promise<void> {
    const written = await this.#file.append(this.#buffer.subarray(0, this.#length))
    this.#length = 0
    if (written || this.#released) return
    this.#full = true
    // Room for the others at once: the peer may take its time to get to the end.
    this.#dropBuffer()
    await this.#file.remove()
  }

  #dropBuffer(): void {
    this.#memory.giveBack(this.#buffer.length)
    this.#buffer = Buffer.alloc(0)
    this.#length = 0
  }
}
