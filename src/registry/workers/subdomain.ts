import { type Store, statement, type Write } from '#store/store.ts'

const ofAccount = statement<{ readonly name: string }>(
  'worker-subdomain.of-account',
  'select name from worker_subdomain where account_id = $1',
)

const holder = statement<{ readonly account_id: string }>(
  'worker-subdomain.holder',
  'select account_id from worker_subdomain where name = $1',
)

const save = statement(
  'worker-subdomain.save',
  `insert into worker_subdomain (account_id, name)
   select $1, $2 where not exists (select 1 from worker_subdomain where name = $2 and account_id <> $1)
   on conflict (account_id) do update set name = excluded.name`,
)

const drop = statement('worker-subdomain.drop', 'delete from worker_subdomain where account_id = $1')

/** The label below which an account's Workers have their host names: its own id until it chose another. */
export async function subdomainOf(store: Store, accountId: string): Promise<string> {
  return (await store.get(ofAccount, [accountId]))?.name ?? accountId
}

/** `name` is a label of a host name, in lower case. False where it is, or could become, another account's. */
export async function chooseSubdomain(
  store: Store,
  { accountId, name }: { readonly accountId: string; readonly name: string },
  also: readonly Write[],
): Promise<boolean> {
  if (name === accountId) {
    await store.commit([{ statement: drop, params: [accountId] }, ...also])
    return true
  }
  if (/^[0-9a-f]{32}$/.test(name)) return false
  const held = await store.get(holder, [name])
  if (held && held.account_id !== accountId) return false
  const committed = await store.commit([{ statement: save, params: [accountId, name], rows: 1 }, ...also])
  return committed.ok
}
