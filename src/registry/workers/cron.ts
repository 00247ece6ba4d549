/** When a Worker's `scheduled()` is due: five fields, in UTC, a minute at a time. */
export interface Cron {
  /** Whether it is due in the minute of that moment (milliseconds since 1970). */
  matches(time: number): boolean
}

type Matcher = (value: number, lastOfMonth: number, day: number) => boolean

interface Field {
  readonly name: string
  readonly low: number
  readonly high: number
  readonly names?: readonly string[]
}

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC']
const DAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT']

const MINUTE: Field = { name: 'minute', low: 0, high: 59 }
const HOUR: Field = { name: 'hour', low: 0, high: 23 }
const DAY: Field = { name: 'day of the month', low: 1, high: 31 }
const MONTH: Field = { name: 'month', low: 1, high: 12, names: MONTHS }
// The original counts from 1 for Sunday.
const WEEKDAY: Field = { name: 'day of the week', low: 1, high: 7, names: DAYS }
const FIELDS = [MINUTE, HOUR, DAY, MONTH, WEEKDAY]

const LONGEST = 100

/** Numbers, names, `*`, lists, ranges and steps; `L` for the last day of a month, `6L` for its last Friday, `6#2` for
 *  its second. Where both the day of the month and of the week are given, either will do. Out: what is wrong with it. */
export function parseCron(text: string): Cron | { readonly detail: string } {
  const parts = text.trim().split(/\s+/)
  if (text.length > LONGEST || parts.length !== FIELDS.length) {
    return { detail: 'A cron has five fields: minute, hour, day of the month, month, day of the week.' }
  }
  const matchers: Matcher[] = []
  for (const [index, field] of FIELDS.entries()) {
    const matcher = parseField(parts[index] ?? '', field)
    if (!matcher)
      return { detail: `'${parts[index]}' is no ${field.name} of a cron that this service reads.` }
    matchers.push(matcher)
  }
  const [minute, hour, day, month, weekday] = matchers
  if (!minute || !hour || !day || !month || !weekday) throw new Error('a cron has five fields')
  const anyDay = parts[2]?.startsWith('*')
  const anyWeekday = parts[4]?.startsWith('*')
  return {
    matches(time) {
      const at = new Date(time)
      const date = at.getUTCDate()
      const last = new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 0)).getUTCDate()
      const fits = (matcher: Matcher, value: number) => matcher(value, last, date)
      const days = [fits(day, date), fits(weekday, at.getUTCDay() + 1)]
      return (
        fits(minute, at.getUTCMinutes()) &&
        fits(hour, at.getUTCHours()) &&
        fits(month, at.getUTCMonth() + 1) &&
        (anyDay || anyWeekday ? days.every(Boolean) : days.some(Boolean))
      )
    },
  }
}

export function isCron(parsed: Cron | { readonly detail: string }): parsed is Cron {
  return 'matches' in parsed
}

function parseField(text: string, field: Field): Matcher | undefined {
  const matchers = text.split(',').map((item) => parseItem(item.toUpperCase(), field))
  const whole = matchers.filter((matcher) => matcher !== undefined)
  if (whole.length < matchers.length) return undefined
  return (...of) => whole.some((matcher) => matcher(...of))
}

function parseItem(item: string, field: Field): Matcher | undefined {
  if (field === DAY && item === 'L') return (value, last) => value === last
  const special = field === WEEKDAY ? /^(\w+)(?:(L)|#([1-5]))$/.exec(item) : null
  if (special) {
    const weekday = numberOf(special[1] ?? '', field)
    const nth = Number(special[3])
    if (weekday === undefined) return undefined
    return (value, last, day) =>
      value === weekday && (special[2] === 'L' ? day + 7 > last : Math.ceil(day / 7) === nth)
  }
  const [, from = '', to, step] = /^(\*|\w+)(?:-(\w+))?(?:\/(\d{1,2}))?$/.exec(item) ?? []
  const every = step === undefined ? 1 : Number(step)
  if (from === '' || every === 0 || (from === '*' && to !== undefined)) return undefined
  const low = from === '*' ? field.low : numberOf(from, field)
  const open = from === '*' || (to === undefined && step !== undefined)
  const high = open ? field.high : to === undefined ? low : numberOf(to, field)
  if (low === undefined || high === undefined || high < low) return undefined
  return (value) => value >= low && value <= high && (value - low) % every === 0
}

function numberOf(text: string, { low, high, names = [] }: Field): number | undefined {
  const named = names.indexOf(text)
  if (named >= 0) return named + low
  const value = /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN
  return value >= low && value <= high ? value : undefined
}
