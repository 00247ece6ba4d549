import { type Store, statement } from '#store/store.ts'
import type { Worker } from './worker.ts'

export interface WorkerRow {
  readonly id: string
  readonly account_id: string
  readonly name: string
  readonly created_at: number
  readonly modified_at: number
  readonly latest_number: number
  readonly latest_version_id: string
  readonly current_version_id: string
  readonly settings: string
  readonly on_subdomain: number
  readonly crons: string
}

const COLUMNS = `id, account_id, name, created_at, modified_at, latest_number, latest_version_id, current_version_id,
  settings, on_subdomain, crons`

const byName = statement<WorkerRow>(
  'worker.by-name',
  `select ${COLUMNS} from worker where account_id = $1 and name = $2`,
)

const byTag = statement<WorkerRow>(
  'worker.by-tag',
  `select ${COLUMNS} from worker where account_id = $1 and id = $2`,
)

const ofAccount = statement<WorkerRow>(
  'worker.of-account',
  `select ${COLUMNS} from worker where account_id = $1 order by name`,
)

const idOfName = statement<{ readonly id: string }>(
  'worker.id-of-name',
  'select id from worker where account_id = $1 and name = $2',
)

/** Undefined for a name that is none's; null stands for no Worker. */
export async function workerId(
  store: Store,
  accountId: string,
  name: string | null,
): Promise<string | null | undefined> {
  return name === null ? null : (await store.get(idOfName, [accountId, name]))?.id
}

export async function findWorker(store: Store, accountId: string, name: string): Promise<Worker | undefined> {
  const row = await store.get(byName, [accountId, name])
  return row && workerOf(row)
}

export async function findTagged(store: Store, accountId: string, tag: string): Promise<Worker | undefined> {
  const row = await store.get(byTag, [accountId, tag])
  return row && workerOf(row)
}

export async function listWorkers(store: Store, accountId: string): Promise<Worker[]> {
  return (await store.all(ofAccount, [accountId])).map(workerOf)
}

function workerOf(row: WorkerRow): Worker {
  return {
    id: row.id,
    accountId: row.account_id,
    name: row.name,
    createdAt: row.created_at,
    modifiedAt: row.modified_at,
    latestNumber: row.latest_number,
    latestVersionId: row.latest_version_id,
    currentVersionId: row.current_version_id,
    // Written by `upload-version.ts` and `change-worker.ts` alone.
    settings: JSON.parse(row.settings),
    onSubdomain: row.on_subdomain === 1,
    crons: JSON.parse(row.crons),
  }
}
