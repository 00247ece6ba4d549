/** What became of what a domain sent. */
export interface Figures {
  /** Recipients whose deliveries ended, one way or the other. */
  readonly settled: number
  /** Those that arrived, without those that came back later. */
  readonly delivered: number
  /** Permanent failures (concept-deliverability.md), late ones too. */
  readonly hardBounced: number
  readonly complained: number
}

export interface Rates {
  /** Null where nothing ended yet. */
  readonly delivery: number | null
  readonly hardBounce: number | null
  readonly complaint: number | null
}

/** What the rates should stay above, or below. */
export interface Thresholds {
  readonly delivery: number
  readonly hardBounce: number
  readonly complaint: number
}

/** What is wrong with the figures, in the words of the API. */
export type FiguresProblem = 'delivery_rate.low' | 'hard_bounce_rate.high' | 'complaint_rate.high'

export const NO_FIGURES: Figures = { settled: 0, delivered: 0, hardBounced: 0, complained: 0 }

export function sum(all: readonly Figures[]): Figures {
  return all.reduce(
    (one, other) => ({
      settled: one.settled + other.settled,
      delivered: one.delivered + other.delivered,
      hardBounced: one.hardBounced + other.hardBounced,
      complained: one.complained + other.complained,
    }),
    NO_FIGURES,
  )
}

/** From 0 to 1. What came back of earlier mail may be more than what went out since. */
export function ratesOf({ settled, delivered, hardBounced, complained }: Figures): Rates {
  const share = (count: number) => (settled === 0 ? null : Math.min(1, Math.max(0, count / settled)))
  return { delivery: share(delivered), hardBounce: share(hardBounced), complaint: share(complained) }
}

/** Fewer deliveries say nothing of a domain. */
const LEAST_SETTLED = 100
/** So few are no pattern. */
const LEAST_EVENTS = { undelivered: 3, hardBounced: 3, complained: 2 } as const
/** How far back over its threshold a rate has to come before the problem is over: a rate that lies on it shall not be told
 *  of with each message. */
const MARGIN = 0.1

/** Which rates have crossed their thresholds. `before`: those that had when it was last looked. */
export function problemsOf(
  figures: Figures,
  thresholds: Thresholds,
  before: readonly FiguresProblem[],
): readonly FiguresProblem[] {
  const { settled, delivered, hardBounced, complained } = figures
  const { delivery, hardBounce, complaint } = ratesOf(figures)
  if (delivery === null || hardBounce === null || complaint === null) return []
  const isBad = (problem: FiguresProblem, bad: number, most: number, enough: boolean) => {
    // One that is known ends by a better rate alone, not because there is little mail now.
    if (before.includes(problem)) return bad > most * (1 - MARGIN)
    return enough && settled >= LEAST_SETTLED && bad >= most
  }
  const undelivered = settled - delivered
  const all: [FiguresProblem, boolean][] = [
    [
      'delivery_rate.low',
      isBad(
        'delivery_rate.low',
        1 - delivery,
        1 - thresholds.delivery,
        undelivered >= LEAST_EVENTS.undelivered,
      ),
    ],
    [
      'hard_bounce_rate.high',
      isBad(
        'hard_bounce_rate.high',
        hardBounce,
        thresholds.hardBounce,
        hardBounced >= LEAST_EVENTS.hardBounced,
      ),
    ],
    [
      'complaint_rate.high',
      isBad('complaint_rate.high', complaint, thresholds.complaint, complained >= LEAST_EVENTS.complained),
    ],
  ]
  return all.flatMap(([problem, bad]) => (bad ? [problem] : []))
}
