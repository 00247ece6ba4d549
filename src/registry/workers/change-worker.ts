import { statement, type Write } from '#store/store.ts'
import { deploymentWrite, dropOld, newDeployment } from './deployment-row.ts'
import { findVersion } from './version-row.ts'
import type { Annotations, Author, Deployment, Worker, WorkerSettings } from './worker.ts'
import { findWorker } from './worker-row.ts'
import type { RecordChange, WorkersWorld } from './workers.ts'

// Each lost race means that somebody else made progress.
const RACES = 10

const deploy = statement(
  'worker.deploy',
  'update worker set current_version_id = $3, modified_at = $4 where id = $1 and account_id = $2',
)

const setSettings = statement(
  'worker.set-settings',
  'update worker set settings = $3, modified_at = $4 where id = $1 and account_id = $2 and settings = $5',
)

const setSubdomain = statement(
  'worker.set-subdomain',
  'update worker set on_subdomain = $3, modified_at = $4 where id = $1 and account_id = $2',
)

const setCrons = statement(
  'worker.set-crons',
  'update worker set crons = $3, modified_at = $4 where id = $1 and account_id = $2',
)

/** In the order in which each refers to the next. */
const remove = [
  'delete from worker_deployment where worker_id = $1',
  'delete from worker_version where worker_id = $1',
  'delete from worker_chunk where code_id in (select id from worker_code where worker_id = $1)',
  'delete from worker_code where worker_id = $1',
].map((sql, index) => statement(`worker.remove-parts-${index}`, sql))

// First in its commit: a version that somebody adds meanwhile waits for it, or it for them.
const lock = statement(
  'worker.remove-begin',
  `update worker set current_version_id = '' where id = $1 and account_id = $2`,
)
const removeWorker = statement('worker.remove', 'delete from worker where id = $1')

/** Undefined where the Worker has no such version, or is gone. */
export async function deployVersion(
  { store, clock }: WorkersWorld,
  worker: Worker,
  wish: { readonly versionId: string; readonly author: Author; readonly annotations: Annotations },
  record: RecordChange,
): Promise<Deployment | undefined> {
  const { versionId } = wish
  if (!(await findVersion(store, worker, versionId))) return undefined
  const at = clock()
  const deployment = newDeployment({ ...wish, at })
  const after = { ...worker, currentVersionId: versionId, modifiedAt: at }
  const committed = await store.commit([
    { statement: deploy, params: [worker.id, worker.accountId, versionId, at], rows: 1 },
    deploymentWrite(worker.id, deployment),
    ...dropOld(worker.id),
    ...record({ before: worker, after }),
  ])
  return committed.ok ? deployment : undefined
}

/** What is not the versions'. Undefined where the Worker is gone. */
export async function changeSettings(
  { store, clock }: WorkersWorld,
  { accountId, name }: Pick<Worker, 'accountId' | 'name'>,
  change: Partial<WorkerSettings>,
  record: RecordChange,
): Promise<Worker | undefined> {
  for (let race = 0; race < RACES; race++) {
    const before = await findWorker(store, accountId, name)
    if (!before) return undefined
    const after = { ...before, settings: { ...before.settings, ...change }, modifiedAt: clock() }
    const texts = [after, before].map(({ settings }) => JSON.stringify(settings))
    const params = [before.id, accountId, texts[0] ?? '', after.modifiedAt, texts[1] ?? '']
    const committed = await store.commit([
      { statement: setSettings, params, rows: 1 },
      ...record({ before, after }),
    ])
    if (committed.ok) return after
  }
  throw new Error(`changing the settings of a Worker lost ${RACES} races in a row`)
}

export async function changeSubdomain(
  world: WorkersWorld,
  worker: Worker,
  onSubdomain: boolean,
  record: RecordChange,
): Promise<Worker | undefined> {
  return change(world, worker, { onSubdomain }, record, {
    ...{ statement: setSubdomain, value: onSubdomain ? 1 : 0 },
  })
}

/** `crons` were parsed. */
export async function changeCrons(
  world: WorkersWorld,
  worker: Worker,
  crons: readonly string[],
  record: RecordChange,
): Promise<Worker | undefined> {
  return change(world, worker, { crons }, record, { statement: setCrons, value: JSON.stringify(crons) })
}

async function change(
  { store, clock }: WorkersWorld,
  before: Worker,
  changed: Partial<Worker>,
  record: RecordChange,
  write: { readonly statement: Write['statement']; readonly value: string | number },
): Promise<Worker | undefined> {
  const after = { ...before, ...changed, modifiedAt: clock() }
  const params = [before.id, before.accountId, write.value, after.modifiedAt]
  const committed = await store.commit([
    { statement: write.statement, params, rows: 1 },
    ...record({ before, after }),
  ])
  return committed.ok ? after : undefined
}

/** False where it was gone already. */
export async function removeAll(
  { store }: WorkersWorld,
  worker: Worker,
  record: RecordChange,
): Promise<boolean> {
  const { id, accountId } = worker
  const committed = await store.commit([
    { statement: lock, params: [id, accountId], rows: 1 },
    ...remove.map((each) => ({ statement: each, params: [id] })),
    { statement: removeWorker, params: [id], rows: 1 },
    ...record({ before: worker }),
  ])
  return committed.ok
}
