import { statement, type Write } from '#store/store.ts'

/** What an account may do so many times in a period; counted in the store, so for all nodes and across restarts. */
const ALLOWANCES = {
  /** Requests that bring many entries at once: 10 a minute (newer-facts.md). */
  bulk: { most: 10, periodMs: 60_000 },
  /** Complaints taken back: 10 a day in UTC (DECISIONS, Delivery and what comes back). */
  'complaint-removal': { most: 10, periodMs: 86_400_000 },
} as const

export type Allowance = keyof typeof ALLOWANCES

// A node whose clock is a little behind counts into the period that another has begun.
const samePeriod = 'suppression_allowance.period in (excluded.period, excluded.period + 1)'

export const SPEND = 'suppression.spend'
const spend = statement(
  SPEND,
  `insert into suppression_allowance (account_id, kind, period, used) values ($1, $2, $3, 1)
   on conflict (account_id, kind) do update set
     period = case when ${samePeriod} then suppression_allowance.period else excluded.period end,
     used = case when ${samePeriod} then suppression_allowance.used + 1 else 1 end
   where not ${samePeriod} or suppression_allowance.used < $4`,
)

/** Conflicts (`SPEND`) where nothing of the allowance is left. */
export function spendWrite(accountId: string, kind: Allowance, at: number): Write {
  const { most, periodMs } = ALLOWANCES[kind]
  return { statement: spend, params: [accountId, kind, Math.floor(at / periodMs), most], rows: 1 }
}

/** Whole seconds until the next period begins. */
export function untilNextPeriod(kind: Allowance, at: number): number {
  const { periodMs } = ALLOWANCES[kind]
  return Math.ceil((periodMs - (at % periodMs)) / 1000)
}
