import { mkdir, open, opendir, readFile, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { newId } from '#store/id.ts'
import { type Store, statement, type Write } from '#store/store.ts'

/** Bodies: the contents of messages. In: octets. Out: writes for the caller's set, and the octets again. Promise: what
 *  `keep` returned is readable once its writes are committed, a file being on disk with its folder before; what is
 *  released goes when its time comes; what no row names goes too. */
export interface Bodies {
  /** Up to 64 KiB in the row itself; more in a file (SQLite) or in chunk rows (PostgreSQL). */
  keep(content: Uint8Array): Promise<{ readonly id: string; readonly writes: readonly Write[] }>
  /** Undefined for a body that is gone. Throws where a row names a file that is not there. */
  read(id: string): Promise<Buffer | undefined>
  /** Lets the body go at `at` (ms). */
  release(id: string, at: number): Write
  /** Deletes what was released by `now`, and files that no row names. Out: how many bodies. */
  sweep(now: number): Promise<number>
}

const INLINE_BYTES = 64 * 1024
const CHUNK_BYTES = 1024 * 1024
const SWEEP_BATCH = 500
/** Longer than any promise takes: a file this old without a row belongs to a promise that never was. */
const ORPHAN_MS = 3_600_000

export function openBodies({ store, directory }: { readonly store: Store; readonly directory: string }): Bodies {
  const root = join(directory, 'bodies')
  const pathOf = (id: string) => join(root, id.slice(-2), id)
  const folders = new Set<string>()

  async function keep(content: Uint8Array) {
    const id = newId()
    const row = (location: string, inline: Uint8Array | null): Write => ({
      statement: insertBody,
      params: [id, content.length, inline, location, Date.now()],
      rows: 1,
    })
    if (content.length <= INLINE_BYTES) return { id, writes: [row('row', content)] }
    if (store.engine === 'postgres') return { id, writes: [row('chunks', null), ...chunks(id, content)] }
    await writeDurably(pathOf(id), content)
    return { id, writes: [row('file', null)] }
  }

  /** The file, then the folder that names it: a power cut must not leave a row without its file. */
  async function writeDurably(path: string, content: Uint8Array): Promise<void> {
    const folder = dirname(path)
    if (!folders.has(folder)) {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      await syncFolder(root)
      await syncFolder(directory)
      folders.add(folder)
    }
    const file = await open(path, 'wx', 0o600)
    try {
      await file.writeFile(content)
      await file.sync()
    } finally {
      await file.close()
    }
    await syncFolder(folder)
  }

  async function read(id: string): Promise<Buffer | undefined> {
    const row = await store.get(selectBody, [id])
    if (!row) return undefined
    switch (row.location) {
      case 'row':
        return Buffer.from(row.content ?? [])
      case 'file':
        return readFile(pathOf(id))
      default: {
        const rows = await store.all(selectChunks, [id])
        return Buffer.concat(rows.map(({ content }) => content))
      }
    }
  }

  async function sweep(now: number): Promise<number> {
    const due = await store.all(selectReleased, [now, SWEEP_BATCH])
    if (due.length > 0) {
      // Rows first: a file without a row is an orphan, a row without its file would be a loss.
      await store.commit(due.map(({ id }) => ({ statement: deleteBody, params: [id] })))
      for (const { id, location } of due) if (location === 'file') await rm(pathOf(id), { force: true })
    }
    if (store.engine === 'sqlite') await sweepOrphans(now)
    return due.length
  }

  let nextFolder = 0

  /** One of the 256 folders a time, so that a sweep stays short. */
  async function sweepOrphans(now: number): Promise<void> {
    const folder = join(root, (nextFolder++ % 256).toString(16).padStart(2, '0'))
    const files = await opendir(folder).catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
      throw error
    })
    if (!files) return
    for await (const { name } of files) {
      if ((await store.get(selectBody, [name])) !== undefined) continue
      const path = join(folder, name)
      const { mtimeMs } = await stat(path)
      if (mtimeMs < now - ORPHAN_MS) await rm(path, { force: true })
    }
  }

  return {
    keep,
    read,
    release: (id, at) => ({ statement: releaseBody, params: [id, at] }),
    sweep,
  }
}

function* chunks(id: string, content: Uint8Array): Generator<Write> {
  for (let seq = 0; seq * CHUNK_BYTES < content.length; seq++) {
    const chunk = content.subarray(seq * CHUNK_BYTES, (seq + 1) * CHUNK_BYTES)
    yield { statement: insertChunk, params: [id, seq, chunk], rows: 1 }
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

const insertBody = statement(
  'body.insert',
  'insert into body (id, size, content, location, created_at) values ($1, $2, $3, $4, $5)',
)
const insertChunk = statement('body.insert-chunk', 'insert into body_chunk (body_id, seq, content) values ($1, $2, $3)')
const selectBody = statement<{ location: 'row' | 'file' | 'chunks'; content: Uint8Array | null }>(
  'body.by-id',
  'select location, content from body where id = $1',
)
const selectChunks = statement<{ content: Uint8Array }>(
  'body.chunks',
  'select content from body_chunk where body_id = $1 order by seq',
)
const releaseBody = statement('body.release', 'update body set release_at = $2 where id = $1')
const selectReleased = statement<{ id: string; location: string }>(
  'body.released',
  'select id, location from body where release_at <= $1 order by release_at limit $2',
)
const deleteBody = statement('body.delete', 'delete from body where id = $1')
