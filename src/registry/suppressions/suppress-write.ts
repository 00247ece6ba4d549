import type { Address } from '#model/address.ts'
import { newId } from '#store/id.ts'
import { statement, type Write } from '#store/store.ts'
import { BEFORE_REPORT, reportAudit } from './report-audit.ts'
import { EXPIRED, INSERT, localKeyOf, type SuppressionReason } from './suppression.ts'

/** What happened to a recipient. How long it counts is the reporter's to say: `hard_bounce` 7 days, or for ever where
 *  every failure says that the mailbox or its domain does not exist; `soft_bounce` see `softBounceWrites`. */
export interface NewSuppression {
  readonly accountId: string
  readonly email: Address
  readonly emailKey: string
  readonly reason: Exclude<SuppressionReason, 'manual'>
  readonly createdAt: number
  readonly expiresAt: number | null
  readonly note?: string
}

/** Which report may take the place of an active entry: the operator's always; a complaint that of anything but the
 *  operator; a bounce that of a bounce which ends sooner and was no harder. An active entry keeps its id, so that a
 *  customer who looks at it still finds it. Every report speaks for the whole account. */
const giveWay = (
  engine: 'sqlite' | 'postgres',
) => `on conflict (account_id, email_key, scope_value) do update set
     report_id = excluded.report_id,
     before_report = case when ${EXPIRED} then null else ${BEFORE_REPORT[engine]} end,
     id = case when ${EXPIRED} then excluded.id else suppression.id end,
     created_at = case when ${EXPIRED} then excluded.created_at else suppression.created_at end,
     email = excluded.email, reason = excluded.reason, note = excluded.note, read_only = excluded.read_only,
     expires_at = excluded.expires_at
   where ${EXPIRED}
     or excluded.reason = 'policy'
     or (excluded.reason = 'complaint' and suppression.reason in ('manual', 'hard_bounce', 'soft_bounce'))
     or ((suppression.reason = 'soft_bounce' or (suppression.reason = 'hard_bounce' and excluded.reason = 'hard_bounce'))
       and suppression.expires_at is not null
       and (excluded.expires_at is null or excluded.expires_at > suppression.expires_at))`

const INSERT_REPORT = INSERT.replace(/\)$/, ', report_id)')

const report = `${INSERT_REPORT} values ($1, $2, $3, $4, $5, 'account', '', $6, $7, $8, $9, $10, $2)`
const suppress = statement('suppression.report', {
  sqlite: `${report} ${giveWay('sqlite')}`,
  postgres: `${report} ${giveWay('postgres')}`,
})

/** Suppresses a recipient as part of the set that settles its delivery. What stands already may stay as it is, so the
 *  writes have no expectation; what did change is in the audit log, as the service's own doing. */
export function suppressWrites(of: NewSuppression): readonly Write[] {
  const { accountId, email, emailKey, reason, createdAt, expiresAt, note = null } = of
  const id = newId()
  const readOnly = reason === 'policy' ? 1 : 0
  const subject = [accountId, id, email, emailKey, localKeyOf(emailKey)]
  return [
    { statement: suppress, params: [...subject, reason, note, readOnly, createdAt, expiresAt] },
    reportAudit({ accountId, emailKey, reportId: id, at: createdAt }),
  ]
}

const DAY_MS = 86_400_000

/** How long a mailbox rests after its first soft bounce, its second in a row, and so on; the last one repeats. */
export const SOFT_BOUNCE_RESTS_MS = [1, 3, 7, 14, 30].map((days) => days * DAY_MS)

/** A soft bounce later than this after the rest before it is a first one again. */
export const STREAK_MEMORY_MS = 7 * DAY_MS

const streak = 'soft_bounce_streak'
const nextStep = `case
    when excluded.last_at < ${streak}.ends_at then ${streak}.step
    when excluded.last_at >= ${streak}.ends_at + ${STREAK_MEMORY_MS} then 1
    when ${streak}.step >= ${SOFT_BOUNCE_RESTS_MS.length} then ${SOFT_BOUNCE_RESTS_MS.length}
    else ${streak}.step + 1 end`
const nextEnd = `(excluded.last_at + case ${nextStep}
    ${SOFT_BOUNCE_RESTS_MS.map((ms, index) => `when ${index + 1} then ${ms}`).join(' ')} end)`

const lengthenStreak = statement(
  'suppression.soft-bounce-streak',
  `insert into ${streak} (account_id, email_key, step, last_at, ends_at) values ($1, $2, 1, $3, $4)
   on conflict (account_id, email_key) do update set
     step = ${nextStep}, last_at = excluded.last_at,
     ends_at = case when ${nextEnd} > ${streak}.ends_at then ${nextEnd} else ${streak}.ends_at end`,
)

// Of parameters in a select list PostgreSQL knows no type but text.
const streakReport = `${INSERT_REPORT}
   select $1, $2, $3, $4, $5, 'account', '', 'soft_bounce', null, 0, cast($6 as bigint), ${streak}.ends_at, $2
   from ${streak} where ${streak}.account_id = $1 and ${streak}.email_key = $4`
const suppressByStreak = statement('suppression.report-soft-bounce', {
  sqlite: `${streakReport} ${giveWay('sqlite')}`,
  postgres: `${streakReport} ${giveWay('postgres')}`,
})

/** Suppresses a recipient whose mailbox was full or limited, as part of the set that settles its delivery: for 24 hours;
 *  for 3, 7, 14 and then 30 days each time the next soft bounce comes within 7 days after the rest before. Failures
 *  during a rest (of mail that was accepted before it) begin the same rest anew and are no step. It stays a
 *  `soft_bounce` however often it happens, and never lasts for ever. */
export function softBounceWrites(
  of: Omit<NewSuppression, 'reason' | 'expiresAt' | 'note'>,
): readonly Write[] {
  const { accountId, email, emailKey, createdAt } = of
  const id = newId()
  const first = createdAt + DAY_MS
  return [
    { statement: lengthenStreak, params: [accountId, emailKey, createdAt, first] },
    {
      statement: suppressByStreak,
      params: [accountId, id, email, emailKey, localKeyOf(emailKey), createdAt],
    },
    reportAudit({ accountId, emailKey, reportId: id, at: createdAt }),
  ]
}
