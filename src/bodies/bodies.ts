import { newId } from '#store/id.ts'
import { type Store, statement, type Write } from '#store/store.ts'
import { BodyFiles } from './body-files.ts'

/** Bodies: the contents of messages. In: octets. Out: writes for the caller's set, and the octets again. Promise: what
 *  `keep` returned is readable once its writes are committed, a file being on disk with its folder before; what is
 *  released goes when its time comes; what no row names goes too. */
export interface Bodies {
  /** Up to 64 KiB in the row itself; more in a file (SQLite) or in chunk rows (PostgreSQL). Throws StoreFull. */
  keep(content: Uint8Array): Promise<{ readonly id: string; readonly writes: readonly Write[] }>
  /** Undefined for a body that is gone. Throws BodyLost where a row names content that is not there, or not whole. */
  read(id: string): Promise<Buffer | undefined>
  /** Lets the body go at `at` (ms). */
  release(id: string, at: number): Write
  /** Deletes some of what was released by `now` (ms), and files that no row has named for an hour. Out: how many
   *  released bodies went. */
  sweep(now: number): Promise<number>
}

/** A row names a body whose content is not where it says, or is not as long as it says. */
export class BodyLost extends Error {
  override readonly name = 'BodyLost'
}

const INLINE_BYTES = 64 * 1024
const CHUNK_BYTES = 1024 * 1024
/** Rows of one commit, and commits of one sweep: neither holds up mail for long. */
const SWEEP_ROWS = 500
const SWEEP_COMMITS = 20

export function openBodies({
  store,
  directory,
}: {
  readonly store: Store
  readonly directory: string
}): Bodies {
  const files = new BodyFiles(directory)

  async function keep(content: Uint8Array) {
    const id = newId()
    if (content.length <= INLINE_BYTES) return { id, writes: [insert(id, 'row', content.length, content)] }
    if (store.engine === 'postgres') {
      return { id, writes: [insert(id, 'chunks', content.length, null), ...chunksOf(id, content)] }
    }
    await files.write(id, content)
    return { id, writes: [insert(id, 'file', content.length, null)] }
  }

  async function read(id: string): Promise<Buffer | undefined> {
    const row = await store.get(selectBody, [id])
    if (row === undefined) return undefined
    const content = await contentOf(id, row)
    if (content === undefined) throw new BodyLost(`body ${id} has a row and no ${row.location}`)
    if (content.length === row.size) return content
    throw new BodyLost(
      `body ${id} has ${content.length} bytes in its ${row.location} and should have ${row.size}`,
    )
  }

  async function contentOf(id: string, row: BodyRow): Promise<Buffer | undefined> {
    if (row.location === 'file') return files.read(id)
    if (row.location === 'row') return row.content === null ? undefined : asBuffer(row.content)
    const chunks: Uint8Array[] = []
    for (let seq = 0; seq * CHUNK_BYTES < row.size; seq++) {
      const chunk = await store.get(selectChunk, [id, seq])
      if (chunk !== undefined) chunks.push(chunk.content)
    }
    return Buffer.concat(chunks)
  }

  async function sweep(now: number): Promise<number> {
    let deleted = 0
    for (let commits = 0; commits < SWEEP_COMMITS; commits++) {
      // Rows first: a file without a row is an orphan, a row without its file would be a loss.
      const swept = await store.commit([{ statement: deleteReleased, params: [now, SWEEP_ROWS] }])
      const gone = swept.ok
        ? (swept.rows[0] as readonly { readonly id: string; readonly location: string }[])
        : []
      for (const { id, location } of gone) if (location === 'file') await files.delete(id)
      deleted += gone.length
      if (gone.length < SWEEP_ROWS) break
    }
    if (store.engine === 'sqlite') {
      await files.sweepOrphans(now, async (id) => (await store.get(bodyExists, [id])) !== undefined)
    }
    return deleted
  }

  return { keep, read, release: (id, at) => ({ statement: releaseBody, params: [id, at] }), sweep }
}

interface BodyRow {
  readonly size: number
  readonly location: 'row' | 'file' | 'chunks'
  readonly content: Uint8Array | null
}

function insert(id: string, location: BodyRow['location'], size: number, content: Uint8Array | null): Write {
  return { statement: insertBody, params: [id, size, content, location], rows: 1 }
}

function* chunksOf(id: string, content: Uint8Array): Generator<Write> {
  for (let seq = 0; seq * CHUNK_BYTES < content.length; seq++) {
    const chunk = content.subarray(seq * CHUNK_BYTES, (seq + 1) * CHUNK_BYTES)
    yield { statement: insertChunk, params: [id, seq, chunk], rows: 1 }
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

const insertBody = statement(
  'body.insert',
  'insert into body (id, size, content, location, created_at) values ($1, $2, $3, $4, {now})',
)
const insertChunk = statement(
  'body.insert-chunk',
  'insert into body_chunk (body_id, seq, content) values ($1, $2, $3)',
)
const selectBody = statement<BodyRow>('body.by-id', 'select size, location, content from body where id = $1')
const selectChunk = statement<{ content: Uint8Array }>(
  'body.chunk',
  'select content from body_chunk where body_id = $1 and seq = $2',
)
const bodyExists = statement('body.exists', 'select 1 as found from body where id = $1')
const releaseBody = statement('body.release', 'update body set release_at = $2 where id = $1')
const deleteReleased = statement(
  'body.delete-released',
  `delete from body where id in
     (select id from body where release_at is not null and release_at <= $1 order by release_at limit $2)
   returning id, location`,
)
