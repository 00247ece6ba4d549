import type { WorkerTestReport } from '#contract/workers-tests.ts'
import type { Accounts } from '#registry/accounts/accounts.ts'
import { auditWrite } from '#registry/accounts/audit.ts'
import type { Domains } from '#registry/domains/domains.ts'
import type { WorkerRules } from '#registry/routes/worker-rules.ts'
import type { Author, Worker } from '#registry/workers/worker.ts'
import type { Workers } from '#registry/workers/workers.ts'
import type { Write } from '#store/store.ts'
import type { Tails } from '#workers/tails/tails.ts'
import type { Actor, Call, ServedBy } from './serve-operation.ts'

/** What the routes about Workers work with. */
export interface WorkersWorld extends ServedBy {
  readonly workers: Workers
  readonly workerRules: WorkerRules
  /** Who watches them at work. */
  readonly tails: Tails
  /** Runs the Worker's `email()` with a message that its owner made up. */
  readonly tryMessage: (
    place: { readonly accountId: string; readonly scriptName: string },
    message: { readonly from: string; readonly to: string; readonly raw: Buffer },
  ) => Promise<Tried>
  /** Where a host name of theirs is reached. */
  readonly workerUrl: (host: string) => string
  readonly domains: Pick<Domains, 'zones' | 'recordsChanged'>
  /** Whether the account has what a binding names. */
  readonly hasKvNamespace: (accountId: string, id: string) => Promise<boolean>
  readonly hasQueue: (accountId: string, name: string) => Promise<boolean>
  readonly now: () => number
}

/** `gone`: the Worker was deleted meanwhile. */
export type Tried =
  | { readonly kind: 'ran'; readonly report: Unchanged<WorkerTestReport> }
  | { readonly kind: 'unfit'; readonly detail: string; readonly field?: 'from' | 'to' | 'raw' }
  | { readonly kind: 'gone' }
  | { readonly kind: 'busy' }

type Unchanged<T> = T extends readonly (infer Each)[]
  ? readonly Unchanged<Each>[]
  : T extends object
    ? { readonly [Name in keyof T]: Unchanged<T[Name]> }
    : T

type Asked = Pick<Call<unknown, unknown>, 'accountId' | 'params'>

export function scriptName({ params }: Asked): string {
  return params['script_name'] ?? ''
}

export function findScript({ workers }: WorkersWorld, call: Asked): Promise<Worker | undefined> {
  return workers.worker(call.accountId, scriptName(call))
}

/** Versions and deployments show an address: a user's, or what stands for a token of the account. */
export async function authorOf({ token }: Actor, accounts: Accounts): Promise<Author> {
  const user = token.userId === null ? undefined : await accounts.user(token.userId)
  return user ? { id: user.id, email: user.email } : { id: token.id, email: `API token ${token.id}` }
}

/** The audit log's line about a Worker. */
export function noteWorker(
  { by, accountId }: Pick<Call<unknown, unknown>, 'by' | 'accountId'>,
  at: number,
  {
    verb,
    worker,
    ...values
  }: { readonly verb: string; readonly worker: Worker; readonly before?: object; readonly after?: object },
): Write {
  const resource = { type: 'worker', id: worker.id }
  return auditWrite({
    ...{ accountId, actor: by.audit, action: `worker.${verb}`, resource, at },
    ...(values.before && { before: { name: worker.name, ...values.before } }),
    ...(values.after && { after: { name: worker.name, ...values.after } }),
  })
}
