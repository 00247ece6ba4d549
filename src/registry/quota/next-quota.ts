/** How daily quotas begin and grow. */
export interface QuotaGrowth {
  /** Of a new account, in recipients. */
  readonly start: number
  /** By what a quota is multiplied after good days that made use of it; 1 keeps it as it is. */
  readonly growth: number
  /** Where it stops growing by itself. */
  readonly ceiling: number
}

/** What an account did since its quota was last reckoned. */
export interface Conduct {
  /** Recipients of its busiest day, and of all days. */
  readonly busiest: number
  readonly sent: number
  /** Recipients who were suppressed for it. */
  readonly hardBounces: number
  readonly complaints: number
}

// concept-deliverability.md: fewer than 2 of 100 bounce, and fewer than 1 of 1,000 complain.
const MOST_BOUNCES = 0.02
const MOST_COMPLAINTS = 0.001

/** A quota grows where a day used half of it or more and what was sent was wanted; it never shrinks by itself. */
export function nextQuota(quota: number, conduct: Conduct, { growth, ceiling }: QuotaGrowth): number {
  const { busiest, sent, hardBounces, complaints } = conduct
  const used = busiest * 2 >= quota
  const wanted = hardBounces < sent * MOST_BOUNCES && complaints < sent * MOST_COMPLAINTS
  return used && wanted ? Math.max(quota, Math.min(ceiling, Math.ceil(quota * growth))) : quota
}
