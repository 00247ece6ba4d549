import { randomUUIDv7 } from 'node:crypto'
import { type Store, statement, type Write } from '#store/store.ts'
import type { Annotations, Author, Deployment } from './worker.ts'

/** The original lists as many, and the versions of those stay. */
const KEPT_DEPLOYMENTS = 10
const KEPT_VERSIONS = 100

interface DeploymentRow {
  readonly id: string
  readonly version_id: string
  readonly annotations: string
  readonly author_id: string
  readonly author_email: string
  readonly created_at: number
}

const ofWorker = statement<DeploymentRow>(
  'worker-deployment.of-worker',
  `select id, version_id, annotations, author_id, author_email, created_at from worker_deployment
   where worker_id = $1 order by number desc`,
)

// Its commit has changed the worker's row before, so that nobody else counts at the same time.
const insertDeployment = statement(
  'worker-deployment.insert',
  `insert into worker_deployment (id, worker_id, number, version_id, annotations, author_id, author_email, created_at)
   select $1, $2, (select coalesce(max(number), 0) + 1 from worker_deployment where worker_id = $2), $3, $4, $5, $6,
     cast($7 as bigint)`,
)

const dropDeployments = statement(
  'worker-deployment.drop-old',
  `delete from worker_deployment where worker_id = $1
     and number <= (select max(number) from worker_deployment where worker_id = $1) - ${KEPT_DEPLOYMENTS}`,
)

const dropVersions = statement(
  'worker-version.drop-old',
  `delete from worker_version where worker_id = $1
     and number <= (select latest_number from worker where id = $1) - ${KEPT_VERSIONS}
     and id not in (select version_id from worker_deployment where worker_id = $1)`,
)

const UNUSED = `worker_id = $1
  and not exists (select 1 from worker_version where worker_version.code_id = worker_code.id)`

const dropChunks = statement(
  'worker-code.drop-unused-chunks',
  `delete from worker_chunk where code_id in (select id from worker_code where ${UNUSED})`,
)

const dropCode = statement('worker-code.drop-unused', `delete from worker_code where ${UNUSED}`)

/** The newest first. */
export async function listDeployments(store: Store, workerId: string): Promise<Deployment[]> {
  return (await store.all(ofWorker, [workerId])).map((row) => ({
    id: row.id,
    versionId: row.version_id,
    createdAt: row.created_at,
    author: { id: row.author_id, email: row.author_email },
    annotations: JSON.parse(row.annotations),
  }))
}

export function newDeployment(made: {
  readonly versionId: string
  readonly at: number
  readonly author: Author
  readonly annotations: Annotations
}): Deployment {
  const { versionId, at: createdAt, author, annotations } = made
  return { id: randomUUIDv7(), versionId, createdAt, author, annotations }
}

export function deploymentWrite(workerId: string, deployment: Deployment): Write {
  const { id, versionId, annotations, author, createdAt } = deployment
  const params = [id, workerId, versionId, JSON.stringify(annotations), author.id, author.email, createdAt]
  return { statement: insertDeployment, params, rows: 1 }
}

/** At the end of a commit that made a version or a deployment: what is so old that nobody goes back to it. */
export function dropOld(workerId: string): Write[] {
  return [dropDeployments, dropVersions, dropChunks, dropCode].map((each) => ({
    statement: each,
    params: [workerId],
  }))
}
