import type { LastReckoning } from './day-limit.ts'
import type { QuotaReason } from './next-quota.ts'
import type { QuotaReport } from './quota.ts'
import { DAY_MS } from './utc-day.ts'

/** Why an account may send what it may. */
export interface QuotaExplained {
  readonly code: QuotaReason | 'new' | 'operator' | 'no-quotas'
  /** A sentence for whoever sends. */
  readonly detail: string
  /** Since which day (UTC) that has been so: `2026-11-20`; null where it always was. */
  readonly since: string | null
}

/** In words. */
export function explainQuota({ setting, automatic, reckoned }: QuotaReport): QuotaExplained {
  if (setting.mode !== 'automatic')
    return { code: 'operator', detail: 'The operator of this installation has set it.', since: null }
  if (automatic === null)
    return { code: 'no-quotas', detail: 'This installation sets no daily quotas.', since: null }
  if (!reckoned)
    return {
      code: 'new',
      detail: 'What accounts begin with. It grows after days that make use of it, if the mail is wanted.',
      since: null,
    }
  const since = new Date(reckoned.day * DAY_MS).toISOString().slice(0, 10)
  return { code: reckoned.reason, detail: SENTENCES[reckoned.reason](reckoned), since }
}

const SENTENCES = {
  grown: ({ before, after }) =>
    `It has grown from ${before} to ${after}: it was made use of, and the mail was wanted.`,
  ceiling: () => 'It has grown as far as it grows by itself. The operator may raise it.',
  unused: ({ after }) => `It stays at ${after}: no day used half of it.`,
  'hard-bounces': (last) => `${change(last)}: ${share(last, 'hardBounces')} hard-bounced in the days before.`,
  complaints: (last) => `${change(last)}: ${share(last, 'complaints')} complained in the days before.`,
} as const satisfies Record<QuotaReason, (last: LastReckoning) => string>

function change({ before, after }: LastReckoning): string {
  return after < before ? `It has shrunk from ${before} to ${after}` : `It stays at ${after}`
}

function share({ lately }: LastReckoning, kind: 'hardBounces' | 'complaints'): string {
  return `${lately[kind]} of ${lately.settled} recipients`
}
