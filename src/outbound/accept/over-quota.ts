import type { Refusal } from '#model/refusal.ts'
import type { QuotaReport } from '#registry/quota/quota.ts'

/** What a message to `recipients` that count is refused with, where the day has no room for them. */
export function overQuota({ used, limit, resetsAt }: QuotaReport, recipients: number, at: number): Refusal {
  const begins = new Date(resetsAt).toISOString()
  const detail = `The account may send to ${limit} recipients a day and has sent to ${used}; this message has ${recipients} that count. Nothing was sent. The count begins anew at ${begins}; verified destination addresses do not count.`
  return { kind: 'daily-limit-exceeded', detail, retryAfterMs: Math.max(0, resetsAt - at) }
}
