import type { WorkerVersion } from '#model/worker.ts'
import { type Store, statement, type Write } from '#store/store.ts'
import type { Vault } from '#vault/vault.ts'
import { changeSecrets, type SecretWish } from './change-secrets.ts'
import { changeCrons, changeSettings, changeSubdomain, deployVersion, removeAll } from './change-worker.ts'
import { listDeployments } from './deployment-row.ts'
import { openFindPlace, type Place } from './find-place.ts'
import { queueProducers, referencesTo } from './references.ts'
import type { BindingFault } from './resolve-bindings.ts'
import { chooseSubdomain, subdomainOf } from './subdomain.ts'
import { uploadVersion } from './upload-version.ts'
import { findVersion, listVersions, readVersion } from './version-row.ts'
import type {
  Annotations,
  Author,
  CodeRecord,
  Deployment,
  Upload,
  VersionRecord,
  Worker,
  WorkerSettings,
} from './worker.ts'
import { sweepModules } from './worker-code.ts'
import { openWorkerDomains, type WorkerDomains } from './worker-domains.ts'
import { openWorkerRoutes, type WorkerRoutes } from './worker-routes.ts'
import { findTagged, findWorker, listWorkers } from './worker-row.ts'

/** Customers' Workers: what was uploaded, what of it runs, and where it is reached. In: uploads and wishes of their
 *  owners. Out: versions, whole, for whoever runs them.
 *  Promise: a version never changes; its secrets lie sealed, and are shown to the Worker alone; once an upload resolves
 *  it is on the disk; one version of a Worker runs at a time; nothing of one account is seen or changed by another.
 *
 *  Whoever changes something says with `record` what else is to be in the same commit: the audit log's line, the rules
 *  that led to a Worker that goes. */
export interface Workers {
  /** What runs, for the runtime to see whether it still runs the right one: one point read. */
  currentId(accountId: string, scriptName: string): Promise<string | undefined>
  /** The same with all that it takes to run it, secrets in the clear. */
  current(accountId: string, scriptName: string): Promise<WorkerVersion | undefined>
  version(accountId: string, versionId: string): Promise<WorkerVersion | undefined>
  /** Whose a request for a host and a path is: on a route, a custom domain, or a host name of ours. */
  at(host: string, path: string): Promise<Place | undefined>
  /** Every Worker that has crons; `parseCron` reads them. */
  scheduled(): Promise<readonly (Place & { readonly crons: readonly string[] })[]>

  worker(accountId: string, name: string): Promise<Worker | undefined>
  tagged(accountId: string, tag: string): Promise<Worker | undefined>
  /** By name. */
  list(accountId: string): Promise<readonly Worker[]>
  /** The newest first. */
  versions(worker: Worker): Promise<readonly VersionRecord[]>
  versionRecord(worker: Worker, versionId: string): Promise<VersionRecord | undefined>
  /** The newest first, which is the one that runs; ten at most. */
  deployments(worker: Worker): Promise<readonly Deployment[]>
  /** The names of the Workers that call this one by a service binding. */
  references(accountId: string, name: string): Promise<readonly string[]>
  /** The names of the Workers that send to a queue, by its name. */
  queueProducers(accountId: string): Promise<ReadonlyMap<string, readonly string[]>>

  upload(upload: Upload, options: UploadOptions, record: RecordVersion): Promise<Outcome | UploadFault>
  changeSecrets(wish: SecretWish, record: RecordVersion): Promise<Outcome | SecretFault>
  /** Undefined where the Worker has no such version. */
  deploy(
    worker: Worker,
    wish: { readonly versionId: string; readonly author: Author; readonly annotations: Annotations },
    record: RecordChange,
  ): Promise<Deployment | undefined>
  /** Undefined, here and below, where the Worker is gone. */
  changeSettings(
    worker: Pick<Worker, 'accountId' | 'name'>,
    change: Partial<WorkerSettings>,
    record: RecordChange,
  ): Promise<Worker | undefined>
  changeSubdomain(worker: Worker, onSubdomain: boolean, record: RecordChange): Promise<Worker | undefined>
  changeCrons(worker: Worker, crons: readonly string[], record: RecordChange): Promise<Worker | undefined>
  /** With everything that is its own; false where it was gone. */
  remove(worker: Worker, record: RecordChange): Promise<boolean>

  /** The account's label below `host`. */
  subdomain(accountId: string): Promise<string>
  /** False where it is another account's. */
  chooseSubdomain(accountId: string, name: string, also: readonly Write[]): Promise<boolean>
  readonly routes: WorkerRoutes
  readonly domains: WorkerDomains
  /** Below it Workers have host names of their own. */
  readonly host: string
  /** Removes what uploads left that a crash ended; for the start. */
  sweep(): Promise<void>
}

export interface WorkersWorld {
  readonly store: Store
  readonly vault: Vault
  /** Milliseconds since 1970. */
  readonly clock: () => number
  /** The operator's wildcard, in the place of workers.dev. */
  readonly host: string
  /** Starts an upload once: which handlers it has and what that took, or why it does not start. */
  readonly tryOut?: (version: WorkerVersion) => Promise<TriedOut | { readonly detail: string }>
}

export type TriedOut = Pick<CodeRecord, 'handlers' | 'startupMs'>

export interface UploadOptions {
  readonly accountId: string
  readonly name: string
  readonly author: Author
  /** Whether it runs from now on; a first version does. */
  readonly deploy: boolean
  /** Whether there may be no such Worker yet. */
  readonly create: boolean
  readonly settings?: Partial<WorkerSettings>
}

export interface Outcome {
  readonly worker: Worker
  readonly version: VersionRecord
}

export type UploadFault =
  | BindingFault
  | { readonly kind: 'unknown-worker' }
  | { readonly kind: 'too-many-workers'; readonly limit: number }
  | { readonly kind: 'unknown-service'; readonly name: string; readonly service: string }
  | { readonly kind: 'does-not-start'; readonly detail: string }

export type SecretFault =
  | BindingFault
  | { readonly kind: 'unknown-worker' }
  | { readonly kind: 'unknown-secret'; readonly name: string }
  /** A binding of another type has the name. */
  | { readonly kind: 'name-taken'; readonly name: string; readonly by: string }
  | { readonly kind: 'latest-not-deployed' }

export type RecordVersion = (made: Outcome & { readonly before?: Worker }) => readonly Write[]

export type RecordChange = (change: { readonly before: Worker; readonly after?: Worker }) => readonly Write[]

export type RecordPlaces<P> = (change: {
  readonly before?: readonly P[]
  readonly after?: readonly P[]
}) => readonly Write[]

const withCrons = statement<{ readonly account_id: string; readonly name: string; readonly crons: string }>(
  'worker.with-crons',
  `select account_id, name, crons from worker where crons <> '[]' order by id`,
)

export function openWorkers(world: WorkersWorld): Workers {
  const { store, clock, host } = world
  const places = openFindPlace({ store, clock, host })

  async function currentId(accountId: string, scriptName: string): Promise<string | undefined> {
    return (await findWorker(store, accountId, scriptName))?.currentVersionId
  }

  return {
    currentId,
    async current(accountId, scriptName) {
      const id = await currentId(accountId, scriptName)
      return id === undefined ? undefined : readVersion(world, accountId, id)
    },
    version: (accountId, versionId) => readVersion(world, accountId, versionId),
    at: (asked, path) => places.at(asked, path),
    async scheduled() {
      const rows = await store.all(withCrons, [])
      return rows.map(({ account_id: accountId, name: scriptName, crons }) => ({
        ...{ accountId, scriptName, crons: JSON.parse(crons) },
      }))
    },

    worker: (accountId, name) => findWorker(store, accountId, name),
    tagged: (accountId, tag) => findTagged(store, accountId, tag),
    list: (accountId) => listWorkers(store, accountId),
    versions: (worker) => listVersions(store, worker),
    versionRecord: (worker, versionId) => findVersion(store, worker, versionId),
    deployments: ({ id }) => listDeployments(store, id),
    references: (accountId, name) => referencesTo(store, accountId, name),
    queueProducers: (accountId) => queueProducers(store, accountId),

    upload: (upload, options, record) => uploadVersion(world, upload, options, record),
    changeSecrets: (wish, record) => changeSecrets(world, wish, record),
    deploy: (worker, wish, record) => deployVersion(world, worker, wish, record),
    changeSettings: (worker, change, record) => changeSettings(world, worker, change, record),
    changeSubdomain: (worker, on, record) => changeSubdomain(world, worker, on, record),
    changeCrons: (worker, crons, record) => changeCrons(world, worker, crons, record),
    remove: (worker, record) => removeAll(world, worker, record),

    subdomain: (accountId) => subdomainOf(store, accountId),
    chooseSubdomain: (accountId, name, also) => chooseSubdomain(store, { accountId, name }, also),
    routes: openWorkerRoutes(world, places.forget),
    domains: openWorkerDomains(world),
    host,
    sweep: () => sweepModules(store, clock()),
  }
}
