import { createHash } from 'node:crypto'
import type { WorkerModule } from '#model/worker.ts'
import { type Store, statement, type Write } from '#store/store.ts'
import type { CodeRecord, Upload } from './worker.ts'

/** One write at most: what is longer would hold up the mail behind it. */
const CHUNK_OCTETS = 1_048_576

/** An upload that takes longer has failed. */
const LEFT_BEHIND_MS = 3_600_000

const insertChunk = statement(
  'worker-code.insert-chunk',
  'insert into worker_chunk (code_id, module, seq, content) values ($1, $2, $3, $4)',
)

const readChunk = statement<{ readonly content: Uint8Array }>(
  'worker-code.read-chunk',
  'select content from worker_chunk where code_id = $1 and module = $2 and seq = $3',
)

const insertCode = statement(
  'worker-code.insert',
  `insert into worker_code (id, worker_id, main_module, modules, etag, compatibility_date, compatibility_flags, handlers,
     startup_ms)
   values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
)

const dropChunks = statement('worker-code.drop-chunks', 'delete from worker_chunk where code_id = $1')

// Ids begin with their time (RFC 9562 §5.7).
const sweepChunks = statement(
  'worker-code.sweep-chunks',
  `delete from worker_chunk where code_id < $1
     and not exists (select 1 from worker_code where worker_code.id = worker_chunk.code_id)`,
)

/** Brings the modules to the disk, ahead of the commit that makes them a version's. */
export async function keepModules(store: Store, id: string, modules: readonly WorkerModule[]): Promise<void> {
  let set: Write[] = []
  let octets = 0
  for (const [module, { content }] of modules.entries()) {
    for (let seq = 0; seq * CHUNK_OCTETS < content.length; seq++) {
      const chunk = content.subarray(seq * CHUNK_OCTETS, (seq + 1) * CHUNK_OCTETS)
      if (octets + chunk.length > CHUNK_OCTETS) {
        await commitAll(store, set)
        set = []
        octets = 0
      }
      set.push({ statement: insertChunk, params: [id, module, seq, chunk], rows: 1 })
      octets += chunk.length
    }
  }
  if (set.length > 0) await commitAll(store, set)
}

async function commitAll(store: Store, set: readonly Write[]): Promise<void> {
  const committed = await store.commit(set)
  if (!committed.ok) throw new Error(`${committed.conflict} wrote no row`)
}

/** Of an upload that came to nothing. */
export async function dropModules(store: Store, id: string): Promise<void> {
  await store.commit([{ statement: dropChunks, params: [id] }])
}

/** What uploads left that a crash ended; `now` in milliseconds. */
export async function sweepModules(store: Store, now: number): Promise<void> {
  const before = Math.max(0, now - LEFT_BEHIND_MS)
    .toString(16)
    .padStart(12, '0')
  await store.commit([{ statement: sweepChunks, params: [before] }])
}

export function codeWrite(workerId: string, code: CodeRecord): Write {
  const { id, mainModule, modules, etag, compatibilityDate, compatibilityFlags, handlers, startupMs } = code
  const params = [
    ...[id, workerId, mainModule, JSON.stringify(modules), etag, compatibilityDate],
    ...[JSON.stringify(compatibilityFlags), JSON.stringify(handlers), startupMs],
  ]
  return { statement: insertCode, params, rows: 1 }
}

export function codeOf(
  id: string,
  upload: Upload,
  triedOut: Pick<CodeRecord, 'handlers' | 'startupMs'>,
): CodeRecord {
  const { mainModule, modules, compatibilityDate, compatibilityFlags } = upload
  return {
    ...{ id, mainModule, compatibilityDate, compatibilityFlags, ...triedOut },
    modules: modules.map(({ name, type, content }) => ({ name, type, size: content.length })),
    etag: etagOf(modules),
  }
}

function etagOf(modules: readonly WorkerModule[]): string {
  const digest = createHash('sha256')
  // JSON keeps the parts apart whatever they contain.
  for (const { name, type, content } of modules)
    digest.update(JSON.stringify([name, type, content.length])).update(content)
  return digest.digest('hex')
}

/** The modules as they were uploaded. Throws where the store lacks one: it was removed meanwhile, or is broken. */
export async function readModules(
  store: Store,
  { id, modules }: Pick<CodeRecord, 'id' | 'modules'>,
): Promise<WorkerModule[]> {
  const read: WorkerModule[] = []
  for (const [module, { name, type, size }] of modules.entries()) {
    const chunks: Uint8Array[] = []
    for (let seq = 0; seq * CHUNK_OCTETS < size; seq++) {
      const row = await store.get(readChunk, [id, module, seq])
      if (!row) throw new Error(`code ${id} lacks part ${seq} of module ${module}`)
      chunks.push(row.content)
    }
    const content = Buffer.concat(chunks)
    if (content.length !== size) throw new Error(`code ${id} lacks a part of module ${module}`)
    read.push({ name, type, content })
  }
  return read
}
