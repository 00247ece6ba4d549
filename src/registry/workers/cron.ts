import { Cron as Pattern } from 'croner'

/** When a Worker's `scheduled()` is due: five fields, in UTC, a minute at a time. */
export interface Cron {
  /** Whether it is due in the minute of that moment (milliseconds since 1970). */
  matches(time: number): boolean
}

const LONGEST = 100
const MINUTE_MS = 60_000

const FIELDS = [
  { name: 'minute', form: /^[\d*,/-]+$/ },
  { name: 'hour', form: /^[\d*,/-]+$/ },
  { name: 'day of the month', form: /^[\d*,/LW-]+$/ },
  { name: 'month', form: /^[\dA-Z*,/-]+$/ },
  // The original counts from 1 for Sunday.
  { name: 'day of the week', form: /^[1-7A-Z*,/#-]+$/ },
] as const

/** Numbers, names, `*`, lists, ranges and steps; `L` for the last day of a month, `LW` for its last and `15W` for its
 *  nearest working day, `6L` for its last Friday, `6#2` for its second. Where both the day of the month and of the week
 *  are given, either will do. Out: what is wrong with it. */
export function parseCron(text: string): Cron | { readonly detail: string } {
  const parts = text.trim().toUpperCase().split(/\s+/)
  if (text.length > LONGEST || parts.length !== FIELDS.length) {
    return { detail: 'A cron has five fields: minute, hour, day of the month, month, day of the week.' }
  }
  for (const [index, { name, form }] of FIELDS.entries()) {
    const part = parts[index] ?? ''
    const alone = FIELDS.map((_, at) => (at === index ? part : '*'))
    if (!form.test(part) || !patternOf(alone)) {
      return { detail: `'${part}' is no ${name} of a cron that this service reads.` }
    }
  }
  const pattern = patternOf(parts)
  if (!pattern) return { detail: 'This service does not read that cron.' }
  return { matches: (time) => pattern.match(new Date(Math.floor(time / MINUTE_MS) * MINUTE_MS)) }
}

export function isCron(parsed: Cron | { readonly detail: string }): parsed is Cron {
  return 'matches' in parsed
}

/** Undefined for what the library refuses. */
function patternOf(parts: readonly string[]): Pattern | undefined {
  try {
    return new Pattern(parts.join(' '), {
      ...{ alternativeWeekdays: true, sloppyRanges: true, utcOffset: 0, mode: '5-part', paused: true },
    })
  } catch {
    return undefined
  }
}
