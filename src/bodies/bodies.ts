import { newId } from '#store/id.ts'
import { type Store, statement, type Write } from '#store/store.ts'
import { BodyFiles } from './body-files.ts'

/** Bodies: the contents of messages. In: octets. Out: writes for the caller's set, and the octets again. Promise: what
 *  `keep` returned is readable once its writes are committed, a file being on disk with its folder before; what is
 *  released goes when its time comes; what no row names goes too. */
export interface Bodies {
  /** Up to 64 KiB in the row itself; more in a file (SQLite) or in chunk rows (PostgreSQL). Throws StoreFull. */
  keep(content: Uint8Array | BodyStream): Promise<{ readonly id: string; readonly writes: readonly Write[] }>
  /** Undefined for a body that is gone. Throws BodyLost where a row names content that is not there, or not whole. */
  read(id: string): Promise<Buffer | undefined>
  /** In pieces, none of them large, as often as it is wanted. Undefined for a body that is gone; a stream throws where
   *  its content is not there, or not whole. */
  stream(id: string): Promise<BodyStream | undefined>
  /** Lets the body go at `at` (ms). */
  release(id: string, at: number): Write
  /** Deletes some of what was released by `now` (ms), and files that no row has named for an hour. Out: how many
   *  released bodies went. */
  sweep(now: number): Promise<number>
}

/** Octets that nobody wants to hold all at once. */
export interface BodyStream {
  readonly size: number
  open(): AsyncIterable<Uint8Array>
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

  async function keep(given: Uint8Array | BodyStream) {
    const id = newId()
    const isSmall = (given instanceof Uint8Array ? given.length : given.size) <= INLINE_BYTES
    const isGathered = isSmall || store.engine === 'postgres'
    // A write set is held whole until it is committed.
    const content = given instanceof Uint8Array ? given : isGathered ? await gather(given) : given
    if (!(content instanceof Uint8Array)) {
      await files.write(id, content.open())
      return { id, writes: [insert(id, 'file', content.size, null)] }
    }
    if (isSmall) return { id, writes: [insert(id, 'row', content.length, content)] }
    if (store.engine === 'postgres') {
      return { id, writes: [insert(id, 'chunks', content.length, null), ...chunksOf(id, content)] }
    }
    await files.write(id, content)
    return { id, writes: [insert(id, 'file', content.length, null)] }
  }

  async function stream(id: string): Promise<BodyStream | undefined> {
    const row = await store.get(selectPlace, [id])
    if (row === undefined) return undefined
    return { size: row.size, open: () => whole(id, row.size, piecesOf(id, row)) }
  }

  function piecesOf(id: string, { location, size }: Omit<BodyRow, 'content'>): AsyncIterable<Uint8Array> {
    if (location === 'file') return files.stream(id)
    return location === 'chunks' ? chunkStream(id, size) : rowStream(id)
  }

  async function* rowStream(id: string): AsyncGenerator<Uint8Array> {
    const row = await store.get(selectBody, [id])
    if (row?.content) yield asBuffer(row.content)
  }

  async function* chunkStream(id: string, size: number): AsyncGenerator<Uint8Array> {
    for (let seq = 0; seq * CHUNK_BYTES < size; seq++) {
      const chunk = await store.get(selectChunk, [id, seq])
      if (chunk !== undefined) yield asBuffer(chunk.content)
    }
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

  return { keep, read, stream, release: (id, at) => ({ statement: releaseBody, params: [id, at] }), sweep }
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

async function gather(body: BodyStream): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of body.open()) pieces.push(piece)
  return Buffer.concat(pieces)
}

async function* whole(
  id: string,
  size: number,
  pieces: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let octets = 0
  for await (const piece of pieces) {
    octets += piece.length
    yield piece
  }
  if (octets !== size) throw new BodyLost(`body ${id} has ${octets} bytes and should have ${size}`)
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
const selectPlace = statement<Omit<BodyRow, 'content'>>(
  'body.place',
  'select size, location from body where id = $1',
)
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
