import { type Store, statement } from '#store/store.ts'

const count = statement<{ readonly reason: string; readonly entries: number }>(
  'suppression.count-reports',
  `select reason, count(*) as entries from suppression
   where account_id = $1 and reason in ('hard_bounce', 'complaint') and scope_type = 'account' and created_at >= $2
   group by reason`,
)

/** How many recipients were suppressed for what became of the account's mail, since a time in milliseconds. */
export async function countReports(
  store: Store,
  accountId: string,
  since: number,
): Promise<{ readonly hardBounces: number; readonly complaints: number }> {
  const rows = await store.all(count, [accountId, since])
  const of = (reason: string) => rows.find((row) => row.reason === reason)?.entries ?? 0
  return { hardBounces: of('hard_bounce'), complaints: of('complaint') }
}
