import { type KeptLabel, UPPER_LEVELS, WORDS, type Words } from './label.ts'
import type { Head } from './plan-batch.ts'

/** Of rows `r` and their labels `l`: what a plan must know of them. */
export const HEAD_COLUMNS = `r.message, r.at, r.seq, r.ordinal, r.is_last, r.mail_from, r.mail_to, r.subject,
  r.session_id, r.header_id, ${['id', ...UPPER_LEVELS, ...WORDS].map((column) => `l.${column}`).join(', ')}`

export function readHead(row: Record<string, unknown>): Head {
  const words = Object.fromEntries(WORDS.map((word) => [word, row[word]]))
  return {
    message: String(row['message']),
    ...{ at: Number(row['at']), seq: Number(row['seq']), ordinal: Number(row['ordinal']) },
    ...{ label: readKeptLabel(row), isLast: row['is_last'] === 1 },
    ...{ from: String(row['mail_from']), to: String(row['mail_to']), subject: String(row['subject']) },
    ...{ sessionId: String(row['session_id']), headerMessageId: String(row['header_id']) },
    // Every word is a column of the table, which has nothing else in it.
    words: words as unknown as Words,
  }
}

export function readKeptLabel(row: Record<string, unknown>): KeptLabel {
  const number = (column: string) => Number(row[column])
  return {
    id: number('id'),
    coarse: number('coarse'),
    by_rule: number('by_rule'),
    by_origin: number('by_origin'),
  }
}
