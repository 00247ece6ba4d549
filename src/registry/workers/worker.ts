import type { WorkerBinding, WorkerModule } from '#model/worker.ts'

/** A customer's Worker, without what its versions hold. */
export interface Worker {
  /** Its tag, which stays while its name may come again: 32 hex digits. */
  readonly id: string
  readonly accountId: string
  readonly name: string
  /** Milliseconds since 1970. */
  readonly createdAt: number
  readonly modifiedAt: number
  /** Of the newest version, from 1 on. */
  readonly latestNumber: number
  readonly latestVersionId: string
  /** What runs; the newest unless that was only uploaded. */
  readonly currentVersionId: string
  readonly settings: WorkerSettings
  /** Whether it has a host name below its account's. */
  readonly onSubdomain: boolean
  readonly crons: readonly string[]
}

/** What is the Worker's and no version's. Kept for its owner; nothing here depends on it. */
export interface WorkerSettings {
  readonly logpush: boolean
  readonly observability: Readonly<Record<string, unknown>>
  readonly tags: readonly string[]
}

export const USUAL_SETTINGS: WorkerSettings = { logpush: false, observability: { enabled: false }, tags: [] }

/** Who made a version or a deployment. */
export interface Author {
  readonly id: string
  /** A user's address; of an account's token what stands for one. */
  readonly email: string
}

export type Annotations = Readonly<Record<string, string>>

/** What an owner may see of a version: everything but the texts of secrets and the code. */
export interface VersionRecord {
  /** UUID. */
  readonly id: string
  readonly workerId: string
  readonly number: number
  readonly createdAt: number
  readonly author: Author
  readonly annotations: Annotations
  readonly bindings: readonly ShownBinding[]
  readonly code: CodeRecord
}

export interface CodeRecord {
  readonly id: string
  readonly mainModule: string
  readonly modules: readonly ModuleRecord[]
  /** Of its content: the same for the same upload. */
  readonly etag: string
  /** YYYY-MM-DD. */
  readonly compatibilityDate: string
  readonly compatibilityFlags: readonly string[]
  /** `fetch`, `email`, `queue`, `scheduled`: as far as they are known. */
  readonly handlers: readonly string[]
  /** Milliseconds that it took to start when it was uploaded. */
  readonly startupMs: number
}

export interface ModuleRecord extends Pick<WorkerModule, 'name' | 'type'> {
  readonly size: number
}

export type ShownBinding =
  | Exclude<WorkerBinding, { readonly type: 'secret_text' }>
  | { readonly name: string; readonly type: 'secret_text' }

/** What somebody uploads: a version to be. */
export interface Upload {
  readonly mainModule: string
  readonly modules: readonly WorkerModule[]
  readonly compatibilityDate: string
  readonly compatibilityFlags: readonly string[]
  readonly bindings: readonly WantedBinding[]
  /** The types of which bindings of the version before stay where the upload does not name them. */
  readonly keep: readonly string[]
  readonly annotations: Annotations
}

/** A binding, or the wish to have the one that the version before had under a name. */
export type WantedBinding =
  | WorkerBinding
  | { readonly name: string; readonly type: 'inherit'; readonly from: string }

export interface Deployment {
  readonly id: string
  readonly versionId: string
  readonly createdAt: number
  readonly author: Author
  readonly annotations: Annotations
}
