/** How daily quotas begin, grow and shrink. */
export interface QuotaGrowth {
  /** Of a new account, in recipients. */
  readonly start: number
  /** By what a quota is multiplied after good days that made use of it; 1 keeps it as it is. */
  readonly growth: number
  /** Where it stops growing by itself. */
  readonly ceiling: number
  /** By what it is multiplied after bad days; 1 keeps it as it is. */
  readonly shrink: number
  /** Where it stops shrinking by itself. */
  readonly floor: number
  /** Rates from which on an account is in bad standing (concept-deliverability.md). */
  readonly most: { readonly hardBounces: number; readonly complaints: number }
}

/** What became of mail in some days. */
export interface Conduct {
  /** Recipients whose deliveries ended. */
  readonly settled: number
  readonly hardBounces: number
  readonly complaints: number
}

/** What an account did, as its quota is reckoned. */
export interface Standing {
  /** Recipients of its busiest day since the quota was last reckoned. */
  readonly busiest: number
  /** Since the quota was last reckoned. */
  readonly since: Conduct
  /** Over the window that reputation is judged by. */
  readonly lately: Conduct
}

/** Why a quota is what it is. `unused`: no day used half of it. */
export type QuotaReason = 'grown' | 'ceiling' | 'unused' | 'hard-bounces' | 'complaints'

export interface Reckoned {
  readonly quota: number
  readonly reason: QuotaReason
}

/** So many are no accident: fewer hold a quota back, and do not shrink it. */
const LEAST = { hardBounces: 3, complaints: 2 } as const

/** A quota grows where a day used half of it or more and what was sent was wanted. It shrinks where bounces or complaints
 *  are too many over the whole window, and those that are new are too many by themselves: so one bad day counts once,
 *  and what comes back late is set against what it comes back from. */
export function nextQuota(quota: number, standing: Standing, rule: QuotaGrowth): Reckoned {
  const { busiest, since, lately } = standing
  for (const [kind, reason] of JUDGED) {
    const most = rule.most[kind]
    const tooMany = (conduct: Conduct) => conduct[kind] > 0 && conduct[kind] >= conduct.settled * most
    if (tooMany(lately) && tooMany(since) && lately[kind] >= LEAST[kind])
      return { quota: Math.max(Math.min(rule.floor, quota), Math.floor(quota * rule.shrink)), reason }
    if (tooMany(lately) || tooMany(since)) return { quota, reason }
  }
  if (busiest * 2 < quota) return { quota, reason: 'unused' }
  const grown = Math.max(quota, Math.min(rule.ceiling, Math.ceil(quota * rule.growth)))
  return { quota: grown, reason: grown > quota ? 'grown' : 'ceiling' }
}

/** A complaint weighs more. */
const JUDGED = [
  ['complaints', 'complaints'],
  ['hardBounces', 'hard-bounces'],
] as const satisfies readonly (readonly [keyof Conduct, QuotaReason])[]
