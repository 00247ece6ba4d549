import { type Store, statement } from '#store/store.ts'
import { readShown } from './version-secrets.ts'

const bound = statement<{ readonly name: string; readonly bindings: string }>(
  'worker.bound-versions',
  `select worker.name, version.bindings from worker
   join worker_version version on version.id = worker.current_version_id where worker.account_id = $1 order by worker.name`,
)

/** The account's other Workers that have a service binding to this one, as they run now. */
export async function referencesTo(
  store: Store,
  accountId: string,
  name: string,
): Promise<readonly string[]> {
  const rows = await store.all(bound, [accountId])
  return rows
    .filter(
      (row) =>
        row.name !== name && readShown(row).some((each) => each.type === 'service' && each.service === name),
    )
    .map((row) => row.name)
}

/** The account's Workers that send to queues, as they run now: their names, by the name of the queue. */
export async function queueProducers(
  store: Store,
  accountId: string,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const producers = new Map<string, string[]>()
  for (const row of await store.all(bound, [accountId])) {
    const queues = readShown(row).flatMap((each) => (each.type === 'queue' ? [each.queueName] : []))
    for (const queue of new Set(queues)) producers.set(queue, [...(producers.get(queue) ?? []), row.name])
  }
  return producers
}
