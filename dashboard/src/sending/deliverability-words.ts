import type { DomainDeliverability } from '#contract/deliverability.ts'

/** "95%", "0.1%"; a dash where nothing ended. */
export function percent(rate: number | null): string {
  if (rate === null) return '–'
  return rate.toLocaleString(undefined, { style: 'percent', maximumFractionDigits: 1 })
}

type RateProblem = DomainDeliverability['problems'][number]

const RATE_WORDS = {
  'delivery_rate.low': 'Too little arrives',
  'hard_bounce_rate.high': 'Too many bounces',
  'complaint_rate.high': 'Too many complaints',
} as const satisfies Record<RateProblem, string>

/** In a list. */
export function rateWord(problem: RateProblem): string {
  return RATE_WORDS[problem]
}

export function explainProblem(
  problem: RateProblem,
  { thresholds }: Pick<DomainDeliverability, 'thresholds'>,
): string {
  switch (problem) {
    case 'delivery_rate.low':
      return `Less than ${percent(thresholds.delivery_rate)} arrive. Look at the failures in the activity log.`
    case 'hard_bounce_rate.high':
      return `More than ${percent(thresholds.hard_bounce_rate)} of the addresses do not exist. Providers distrust who writes to them: clean the list.`
    case 'complaint_rate.high':
      return `More than ${percent(thresholds.complaint_rate)} mark the mail as spam. Write only to who asked for it, with an easy way out.`
  }
}
