import { type Store, statement } from '#store/store.ts'

const DAY_MS = 86_400_000
/** Beyond history: a bounce or a complaint that comes late finds the delivery that it is about. */
const LATE_REPORTS_DAYS = 30
/** Messages of one commit, and commits of one sweep: neither holds up mail for long. */
const BATCH = 200
const MOST_BATCHES = 50

/** Forgets messages that were accepted before history begins, and 30 days more, once all their deliveries are settled and
 *  their bodies gone: what is kept of mail is bounded by time, as history is. Out: how many went. */
export async function sweepSettled(store: Store, historyDays: number, now: number): Promise<number> {
  const before = idsFrom(now - (historyDays + LATE_REPORTS_DAYS) * DAY_MS)
  let forgotten = 0
  for (let batch = 0; batch < MOST_BATCHES; batch++) {
    const rows = await store.all(forgettable, [before, BATCH])
    const ids = JSON.stringify(rows.map(({ id }) => id))
    await store.commit(forget.map((one) => ({ statement: one, params: [ids] })))
    forgotten += rows.length
    if (rows.length < BATCH) break
  }
  return forgotten
}

/** Sorts before every id that was made at `at` (ms) or later (RFC 9562 §5.7). */
function idsFrom(at: number): string {
  return Math.max(0, at).toString(16).padStart(12, '0')
}

const forgettable = statement<{ readonly id: string }>(
  'outcome.forgettable',
  `select id from message where id < $1 and unsettled = 0
     and not exists (select 1 from body where body.id = message.body_id)
   order by id limit $2`,
)

// An operator may have sent one on its way again meanwhile.
const listed = {
  sqlite: '(select id from message where id in (select value from json_each($1)) and unsettled = 0)',
  postgres:
    '(select id from message where id = any (array(select json_array_elements_text($1::json))) and unsettled = 0)',
}

const forget = [
  statement('outcome.forget-reports', {
    sqlite: `delete from report where delivery_id in (select id from delivery where message_id in ${listed.sqlite})`,
    postgres: `delete from report where delivery_id in (select id from delivery where message_id in ${listed.postgres})`,
  }),
  statement('outcome.forget-deliveries', {
    sqlite: `delete from delivery where message_id in ${listed.sqlite}`,
    postgres: `delete from delivery where message_id in ${listed.postgres}`,
  }),
  statement('outcome.forget-messages', {
    sqlite: `delete from message where id in ${listed.sqlite}`,
    postgres: `delete from message where id in ${listed.postgres}`,
  }),
]
