import type { FieldValue } from '../history-query.ts'
import type { FieldType } from './datasets.ts'

/** A value of a filter, or in words what is wrong with it and how it is written. */
export type ReadValue = { readonly value: FieldValue } | { readonly wrong: string }

const READERS: Readonly<Record<FieldType, (raw: unknown) => ReadValue>> = {
  Date: readDate,
  Time: readTime,
  string: (raw) => (typeof raw === 'string' ? readString(raw) : wrong(raw, 'string', 'text in quotes')),
  uint8: (raw) =>
    typeof raw === 'number' && Number.isInteger(raw) && raw >= 0 && raw <= 255
      ? { value: raw }
      : wrong(raw, 'uint8', 'a whole number from 0 to 255'),
}

/** Times become milliseconds since 1970. */
export function readValue(type: FieldType, raw: unknown): ReadValue {
  return READERS[type](raw)
}

// Nothing that is kept has a NUL in it, and PostgreSQL takes none.
function readString(raw: string): ReadValue {
  return raw.includes('\0') ? { wrong: 'no text here has a NUL character in it' } : { value: raw }
}

const A_DATE = 'year, month and day, as in "2024-07-15"'
const A_TIME = 'day and time of RFC 3339, as in "2024-07-15T00:00:00Z"'

const DATE = /^(\d{4})-(\d{2})-(\d{2})$/

function readDate(raw: unknown): ReadValue {
  const match = typeof raw === 'string' ? DATE.exec(raw) : undefined
  const value = match ? dayOf(match) : undefined
  if (value !== undefined) return { value: sinceEpoch(value) }
  const longer = typeof raw === 'string' ? /^(\d{4}-\d{2}-\d{2})T/.exec(raw)?.[1] : undefined
  if (longer !== undefined && 'value' in readTime(raw))
    return wrong(raw, 'Date', `the day alone, "${longer}"`)
  return wrong(raw, 'Date', match ? `a day that exists by ${A_DATE}` : A_DATE)
}

/** RFC 3339 §5.6, with any number of digits of the second. */
const TIME =
  /^(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/

function readTime(raw: unknown): ReadValue {
  const match = typeof raw === 'string' ? TIME.exec(raw) : undefined
  if (!match) {
    // Not by `readDate`, which asks whether it is a time.
    const date = typeof raw === 'string' ? DATE.exec(raw) : undefined
    const isDay = date ? dayOf(date) !== undefined : false
    return wrong(raw, 'Time', isDay ? `the time too, "${String(raw)}T00:00:00Z"` : A_TIME)
  }
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map(Number)
  const [fraction = '', sign = '+', hours = '0', minutes = '0'] = match.slice(7, 11)
  const start = midnight(year, month, day)
  const isOffset = Number(hours) < 24 && Number(minutes) < 60
  // A leap second (§5.7) is the one before it.
  if (start === undefined || hour > 23 || minute > 59 || second > 60 || !isOffset)
    return wrong(raw, 'Time', `a moment that exists by ${A_TIME}`)
  const offset = (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -60_000 : 60_000)
  const ofDay = ((hour * 60 + minute) * 60 + Math.min(second, 59)) * 1000
  return { value: sinceEpoch(start + ofDay + Number(fraction.padEnd(3, '0').slice(0, 3)) - offset) }
}

/** Before 1970 there is nothing to tell apart. */
function sinceEpoch(at: number): number {
  return Math.max(0, at)
}

function dayOf([, year, month, day]: RegExpExecArray): number | undefined {
  return midnight(Number(year), Number(month), Number(day))
}

/** Undefined for a day that no calendar has. */
function midnight(year: number, month: number, day: number): number | undefined {
  const at = new Date(0)
  // `Date.UTC` takes the first century for the twentieth.
  at.setUTCFullYear(year, month - 1, day)
  const is = at.getUTCFullYear() === year && at.getUTCMonth() === month - 1 && at.getUTCDate() === day
  return is ? at.getTime() : undefined
}

function wrong(raw: unknown, type: FieldType, how: string): ReadValue {
  return { wrong: `${quoted(raw)} is no ${type}: write ${how}` }
}

export function quoted(raw: unknown): string {
  const text = JSON.stringify(raw) ?? 'nothing'
  return text.length > 100 ? `${text.slice(0, 100)}…` : text
}

/** As the scalars have them: a day, or a second. */
export function writeDate(at: number): string {
  return new Date(at).toISOString().slice(0, 10)
}

export function writeTime(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19)}Z`
}
