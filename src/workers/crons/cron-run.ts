import { type Store, statement } from '#store/store.ts'

/** A cron of one Worker, as its owner wrote it. */
export interface CronKey {
  readonly accountId: string
  readonly scriptName: string
  readonly cron: string
}

/** `minute`: in minutes since 1970, the last one that was looked after. */
export interface CronRun extends CronKey {
  readonly minute: number
}

const all = statement<{
  readonly account_id: string
  readonly script_name: string
  readonly cron: string
  readonly minute: number
}>('cron-run.all', 'select account_id, script_name, cron, minute from cron_run')

// Of several processes, and of one that starts anew within the minute, one alone gets a row.
const claim = statement<{ readonly minute: number }>(
  'cron-run.claim',
  `insert into cron_run (account_id, script_name, cron, minute) values ($1, $2, $3, $4)
   on conflict (account_id, script_name, cron) do update set minute = excluded.minute
   where cron_run.minute < excluded.minute returning minute`,
)

const forget = statement(
  'cron-run.forget',
  'delete from cron_run where account_id = $1 and script_name = $2 and cron = $3 and minute = $4',
)

/** By JSON of account, Worker and cron. */
export async function readRuns(store: Store): Promise<ReadonlyMap<string, CronRun>> {
  const rows = await store.all(all, [])
  return new Map(
    rows.map(({ account_id: accountId, script_name: scriptName, cron, minute }) => [
      JSON.stringify([accountId, scriptName, cron]),
      { accountId, scriptName, cron, minute },
    ]),
  )
}

/** False where that minute, or a later one, was taken already. */
export async function claimRun(store: Store, key: CronKey, minute: number): Promise<boolean> {
  const params = [key.accountId, key.scriptName, key.cron, minute]
  return (await store.commit([{ statement: claim, params, rows: 1 }])).ok
}

/** Of a cron that is gone. */
export async function forgetRun(store: Store, run: CronRun): Promise<void> {
  const params = [run.accountId, run.scriptName, run.cron, run.minute]
  await store.commit([{ statement: forget, params }])
}
