import { DAY_MS, HOUR_MS, MINUTE_MS } from './day.ts'

/** What an event is counted under: its words that have few values. Rows name a label by its number, and rollups count
 *  by label, so that a grouped question reads thousands of counts and not millions of rows. */
export interface Words {
  readonly account_id: string
  readonly zone_id: string
  readonly dataset: string
  readonly status: string
  readonly type: string
  readonly event_type: string
  readonly sending_domain: string
  readonly error_cause: string
  readonly action: string
  readonly is_ndr: number
  readonly rule_matched: string
  readonly arc: string
  readonly dkim: string
  readonly dmarc: string
  readonly spf: string
  readonly is_spam: number
}

export type Word = keyof Words

/** In the order of their columns. */
export const WORDS = [
  ...(['account_id', 'zone_id', 'dataset', 'status', 'type', 'event_type', 'sending_domain'] as const),
  ...(['error_cause', 'action', 'is_ndr', 'rule_matched', 'arc', 'dkim', 'dmarc', 'spf', 'is_spam'] as const),
] as const satisfies readonly Word[]

const OF_RULE = ['rule_matched'] as const
const OF_ORIGIN = ['arc', 'dkim', 'dmarc', 'spf', 'is_spam'] as const

/** Rules and authentication results multiply each other: of ten million events with a hundred rules, labels by the hour
 *  are nearly as many as events. So there are labels without the one, the other, or both, each level counted by its own
 *  intervals, the longest first; a question is answered from the first level that has all of its words. */
export const LEVELS = [
  { name: 'coarse', without: [...OF_RULE, ...OF_ORIGIN], intervals: [DAY_MS, HOUR_MS, MINUTE_MS] },
  { name: 'by_rule', without: OF_ORIGIN, intervals: [DAY_MS, HOUR_MS] },
  { name: 'by_origin', without: OF_RULE, intervals: [DAY_MS, HOUR_MS] },
  { name: 'whole', without: [], intervals: [DAY_MS] },
] as const satisfies readonly Level[]

export interface Level {
  readonly name: string
  /** Words that its labels leave empty. */
  readonly without: readonly Word[]
  /** By which its labels are counted, in ms; each is a multiple of the next. */
  readonly intervals: readonly number[]
}

export type LevelName = (typeof LEVELS)[number]['name']

/** The levels above an event's own label, in the order of their columns. */
export const UPPER_LEVELS = ['coarse', 'by_rule', 'by_origin'] as const satisfies readonly LevelName[]

export interface Label {
  readonly level: LevelName
  /** The same for the same words, and for no others. */
  readonly key: string
  readonly words: Words
}

/** The label of an event. */
export function labelOf(words: Words): Label {
  return makeLabel('whole', words)
}

/** The label on an upper level that an event with a label is counted under, too. */
export function labelAbove({ words }: Label, level: (typeof UPPER_LEVELS)[number]): Label {
  const without = LEVELS.find(({ name }) => name === level)?.without ?? []
  const empty = without.map((word) => [word, typeof words[word] === 'number' ? 0 : ''])
  return makeLabel(level, { ...words, ...Object.fromEntries(empty) })
}

function makeLabel(level: LevelName, words: Words): Label {
  return { level, key: JSON.stringify([level, ...WORDS.map((word) => words[word])]), words }
}

/** A label as it is kept: its number, and those of the labels above it (0 where it is one of them). */
export type KeptLabel = { readonly id: number } & Readonly<Record<(typeof UPPER_LEVELS)[number], number>>
