import type { RuleAction, RuleSource } from '#registry/routes/rule.ts'
import type { Workers } from '#registry/workers/workers.ts'
import type { Fault } from './fault.ts'

export type KnownWorkers = Pick<Workers, 'worker' | 'tagged'>

/** wrangler asks again for a while when it meets this code: the Worker may be on its way (clients.md §3.3). */
const UNKNOWN_WORKER = { status: 400, code: 2016, message: 'Worker not found' } as const

/** A rule leads to a Worker of its account, and is managed for one. */
export async function lacksWorker(
  workers: KnownWorkers,
  accountId: string,
  { action, managed }: { readonly action?: RuleAction; readonly managed: RuleSource },
): Promise<Fault | undefined> {
  if (action?.type === 'worker' && !(await workers.worker(accountId, action.name))) {
    const detail = `This account has no Worker '${action.name}'.`
    return { ...UNKNOWN_WORKER, detail, pointer: '/actions/0/value/0' }
  }
  const { ownerWorkerTag } = managed
  if (ownerWorkerTag === null || (await workers.tagged(accountId, ownerWorkerTag))) return undefined
  const detail = 'This account has no Worker with this tag.'
  return { ...UNKNOWN_WORKER, detail, pointer: '/owner_worker_tag' }
}
