import { newId } from '#store/id.ts'
import { statement, type Write } from '#store/store.ts'

/** An entry as the audit log shows it, made by the database: only there is it known, in the commit itself, whether a
 *  report changed anything, and what was there before. Times in ISO 8601, as the API has them. */
const TOLD = {
  sqlite: `json_object('email', suppression.email, 'reason', suppression.reason, 'expires_at',
     strftime('%Y-%m-%dT%H:%M:%fZ', suppression.expires_at / 1000.0, 'unixepoch'))`,
  postgres: `json_build_object('email', suppression.email, 'reason', suppression.reason, 'expires_at',
     to_char(to_timestamp(suppression.expires_at / 1000.0) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))::text`,
} as const

/** In `on conflict`: the entry that stands, before it gives way. */
export const BEFORE_REPORT = TOLD

const ID = 'suppression.id'
// RFC 9562 §4, as the API shows these ids.
const UUID = [
  [1, 8],
  [9, 4],
  [13, 4],
  [17, 4],
  [21, 12],
]
  .map(([from, length]) => `substr(${ID}, ${from}, ${length})`)
  .join(` || '-' || `)

// The columns are those of registry/accounts/audit.ts, whose line this is.
const line = (engine: keyof typeof TOLD) => `insert into audit_log
    (id, account_id, at, action, actor_type, actor_id, actor_token_id, actor_address, user_level,
     resource_type, resource_id, zone_name, before_value, after_value)
   select $1, suppression.account_id, cast($2 as bigint),
     case when suppression.before_report is null then 'suppression.create' else 'suppression.update' end,
     'system', 'system', null, '', 0, 'suppression', ${UUID}, null, suppression.before_report, ${TOLD[engine]}
   from suppression
   where suppression.account_id = $3 and suppression.email_key = $4 and suppression.scope_value = ''
     and suppression.report_id = $5`

const insertLine = statement('suppression.report-audit', {
  sqlite: line('sqlite'),
  postgres: line('postgres'),
})

/** The audit log's line about what a report did, to follow it in the same set; none where the report did nothing. */
export function reportAudit(of: {
  readonly accountId: string
  readonly emailKey: string
  readonly reportId: string
  readonly at: number
}): Write {
  return { statement: insertLine, params: [newId(), of.at, of.accountId, of.emailKey, of.reportId] }
}
