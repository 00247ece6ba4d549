import type { WorkerBinding, WorkerVersion } from '#model/worker.ts'
import { type Store, statement, type Write } from '#store/store.ts'
import type { Vault } from '#vault/vault.ts'
import { openBindings, readShown, type StoredBindings, sealBindings } from './version-secrets.ts'
import type { VersionRecord, Worker } from './worker.ts'
import { readModules } from './worker-code.ts'

interface VersionRow extends StoredBindings {
  readonly id: string
  readonly worker_id: string
  readonly account_id: string
  readonly script_name: string
  readonly number: number
  readonly annotations: string
  readonly author_id: string
  readonly author_email: string
  readonly created_at: number
  readonly code_id: string
  readonly main_module: string
  readonly modules: string
  readonly etag: string
  readonly compatibility_date: string
  readonly compatibility_flags: string
  readonly handlers: string
  readonly startup_ms: number
}

const SELECT = `select version.id, version.worker_id, version.account_id, worker.name as script_name, version.number,
    version.bindings, version.secrets, version.annotations, version.author_id, version.author_email, version.created_at,
    code.id as code_id, code.main_module, code.modules, code.etag, code.compatibility_date, code.compatibility_flags,
    code.handlers, code.startup_ms
  from worker_version version join worker on worker.id = version.worker_id
    join worker_code code on code.id = version.code_id`

const byId = statement<VersionRow>(
  'worker-version.by-id',
  `${SELECT} where version.id = $1 and version.account_id = $2`,
)

const ofWorker = statement<VersionRow>(
  'worker-version.of-worker',
  `${SELECT} where version.worker_id = $1 and version.account_id = $2 order by version.number desc`,
)

const insertVersion = statement(
  'worker-version.insert',
  `insert into worker_version (id, worker_id, account_id, number, code_id, bindings, secrets, annotations, author_id,
     author_email, created_at)
   values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
)

/** Of that very Worker; undefined for every other id. */
export async function findVersion(
  store: Store,
  worker: Pick<Worker, 'id' | 'accountId'>,
  versionId: string,
): Promise<VersionRecord | undefined> {
  const row = await store.get(byId, [versionId, worker.accountId])
  return row?.worker_id === worker.id ? recordOf(row) : undefined
}

/** The newest first. */
export async function listVersions(
  store: Store,
  { id, accountId }: Pick<Worker, 'id' | 'accountId'>,
): Promise<VersionRecord[]> {
  return (await store.all(ofWorker, [id, accountId])).map(recordOf)
}

/** What a new version may inherit, secrets in the clear. */
export async function readBindings(
  { store, vault }: { readonly store: Store; readonly vault: Vault },
  accountId: string,
  versionId: string,
): Promise<WorkerBinding[]> {
  const row = await store.get(byId, [versionId, accountId])
  return row ? openBindings(vault, { versionId, accountId }, row) : []
}

/** All that the runtime needs; undefined where the account has no such version. */
export async function readVersion(
  { store, vault }: { readonly store: Store; readonly vault: Vault },
  accountId: string,
  versionId: string,
): Promise<WorkerVersion | undefined> {
  const row = await store.get(byId, [versionId, accountId])
  if (!row) return undefined
  const { code } = recordOf(row)
  return {
    ...{ id: versionId, accountId, scriptName: row.script_name, mainModule: code.mainModule },
    modules: await readModules(store, code),
    bindings: openBindings(vault, { versionId, accountId }, row),
    ...{ compatibilityDate: code.compatibilityDate, compatibilityFlags: code.compatibilityFlags },
  }
}

export function versionWrite(
  vault: Vault,
  accountId: string,
  version: Omit<VersionRecord, 'bindings'>,
  bindings: readonly WorkerBinding[],
): Write {
  const { id, workerId, number, code, annotations, author, createdAt } = version
  const stored = sealBindings(vault, { versionId: id, accountId }, bindings)
  const params = [
    ...[id, workerId, accountId, number, code.id, stored.bindings, stored.secrets],
    ...[JSON.stringify(annotations), author.id, author.email, createdAt],
  ]
  return { statement: insertVersion, params, rows: 1 }
}

function recordOf(row: VersionRow): VersionRecord {
  return {
    id: row.id,
    workerId: row.worker_id,
    number: row.number,
    createdAt: row.created_at,
    author: { id: row.author_id, email: row.author_email },
    annotations: JSON.parse(row.annotations),
    bindings: readShown(row),
    code: {
      id: row.code_id,
      mainModule: row.main_module,
      modules: JSON.parse(row.modules),
      etag: row.etag,
      compatibilityDate: row.compatibility_date,
      compatibilityFlags: JSON.parse(row.compatibility_flags),
      handlers: JSON.parse(row.handlers),
      startupMs: row.startup_ms,
    },
  }
}
