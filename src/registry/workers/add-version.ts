import { randomUUIDv7 } from 'node:crypto'
import type { WorkerBinding } from '#model/worker.ts'
import { newId } from '#store/id.ts'
import { statement, type Write } from '#store/store.ts'
import { deploymentWrite, dropOld, newDeployment } from './deployment-row.ts'
import { versionWrite } from './version-row.ts'
import { shownBinding } from './version-secrets.ts'
import {
  type Annotations,
  type Author,
  type CodeRecord,
  USUAL_SETTINGS,
  type VersionRecord,
  type Worker,
  type WorkerSettings,
} from './worker.ts'
import { codeWrite } from './worker-code.ts'
import type { RecordVersion, WorkersWorld } from './workers.ts'

export const WORKERS_PER_ACCOUNT = 500

const insertWorker = statement(
  'worker.insert',
  `insert into worker (id, account_id, name, created_at, modified_at, latest_number, latest_version_id,
     current_version_id, settings, on_subdomain, crons)
   select $1, $2, $3, cast($4 as bigint), cast($4 as bigint), 1, $5, $5, $6, 0, '[]'
   where (select count(*) from worker where account_id = $2) < ${WORKERS_PER_ACCOUNT}
   on conflict (account_id, name) do nothing`,
)

// The number last seen makes this a compare-and-set: what a version inherits is what the one before it has.
const advanceWorker = statement(
  'worker.advance',
  `update worker set latest_number = latest_number + 1, latest_version_id = $4,
     current_version_id = coalesce(cast($5 as text), current_version_id), settings = $6, modified_at = $7
   where id = $1 and account_id = $2 and latest_number = $3`,
)

export interface NewVersion {
  readonly accountId: string
  readonly name: string
  /** The Worker as it was seen; absent for one that is to be. */
  readonly before: Worker | undefined
  /** `kept`: it is another version's. */
  readonly code: { readonly record: CodeRecord; readonly kept: boolean }
  readonly bindings: readonly WorkerBinding[]
  readonly annotations: Annotations
  readonly author: Author
  readonly deploy: boolean
  readonly settings?: Partial<WorkerSettings>
}

/** Undefined where the Worker was changed after it was seen, or is one too many. */
export async function addVersion(
  { store, vault, clock }: WorkersWorld,
  wish: NewVersion,
  record: RecordVersion,
): Promise<{ readonly worker: Worker; readonly version: VersionRecord } | undefined> {
  const { accountId, name, before, code, bindings, annotations, author } = wish
  const at = clock()
  const id = randomUUIDv7()
  const deploy = wish.deploy || before === undefined
  const worker: Worker = {
    ...(before ?? {
      ...{ id: newId(), accountId, name, createdAt: at, onSubdomain: false, crons: [] },
      ...{ currentVersionId: id },
    }),
    ...{ modifiedAt: at, latestNumber: (before?.latestNumber ?? 0) + 1, latestVersionId: id },
    ...(deploy && { currentVersionId: id }),
    settings: { ...(before?.settings ?? USUAL_SETTINGS), ...wish.settings },
  }
  const version: VersionRecord = {
    ...{ id, workerId: worker.id, number: worker.latestNumber, createdAt: at, author, annotations },
    ...{ bindings: bindings.map(shownBinding), code: code.record },
  }
  const deployment = deploy && newDeployment({ versionId: id, at, author, annotations })
  const committed = await store.commit([
    before ? advance(before, worker, deploy) : insert(worker),
    ...(code.kept ? [] : [codeWrite(worker.id, code.record)]),
    versionWrite(vault, accountId, version, bindings),
    ...(deployment ? [deploymentWrite(worker.id, deployment)] : []),
    ...dropOld(worker.id),
    ...record({ worker, version, ...(before && { before }) }),
  ])
  if (committed.ok) return { worker, version }
  if (committed.conflict !== insertWorker.name && committed.conflict !== advanceWorker.name)
    throw new Error(`${committed.conflict} did not write its row`)
  return undefined
}

function insert({ id, accountId, name, createdAt, latestVersionId, settings }: Worker): Write {
  const params = [id, accountId, name, createdAt, latestVersionId, JSON.stringify(settings)]
  return { statement: insertWorker, params, rows: 1 }
}

function advance(before: Worker, after: Worker, deploy: boolean): Write {
  const params = [
    ...[before.id, before.accountId, before.latestNumber, after.latestVersionId],
    ...[deploy ? after.latestVersionId : null, JSON.stringify(after.settings), after.modifiedAt],
  ]
  return { statement: advanceWorker, params, rows: 1 }
}
