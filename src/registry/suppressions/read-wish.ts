import { isAddress, parseAddress } from '#protocol/address.ts'
import { parseDomainName } from '#protocol/domain-name.ts'
import type { ManualSuppression, SuppressionScope } from './suppression.ts'

/** What a customer wrote, of any origin: the API's JSON, a line of a file. */
export interface WishFields {
  readonly email: string
  readonly expiresAt?: string | null | undefined
  readonly note?: string | null | undefined
  readonly scope?: ScopeFields | null | undefined
}

export interface ScopeFields {
  readonly type: SuppressionScope['type']
  readonly value?: string | undefined
}

/** `pointer` names the field (RFC 6901), `detail` is a sentence: what is wrong, what would be right. */
export interface WishFault {
  readonly pointer: string
  readonly detail: string
}

export const LONGEST_NOTE = 1000

/** Everything a wish must be; `now` because an expiry lies ahead. */
export function readWish(fields: WishFields, now: number): ManualSuppression | WishFault {
  const email = parseAddress(fields.email)
  if (!isAddress(email)) return { pointer: '/email', detail: email.detail }
  const expiresAt = readExpiry(fields.expiresAt ?? null, now)
  if (isFault(expiresAt)) return expiresAt
  const note = readNote(fields.note ?? null)
  if (isFault(note)) return note
  const scope = readScope(fields.scope ?? { type: 'account' })
  if ('pointer' in scope) return scope
  return { email, expiresAt, note, scope }
}

export function isFault(value: unknown): value is WishFault {
  return typeof value === 'object' && value !== null && 'pointer' in value
}

/** Null for no expiry, milliseconds otherwise. */
export function readExpiry(text: string | null, now: number): number | null | WishFault {
  if (text === null) return null
  const at = parseTime(text)
  const fault = (detail: string) => ({ pointer: '/expires_at', detail })
  if (at === undefined) {
    return fault('expires_at must be a time of RFC 3339 such as 2030-01-31T12:00:00Z, or null for no expiry.')
  }
  if (at <= now) {
    return fault(
      `expires_at lies in the past: ${isoTime(at)} is not after ${isoTime(now)}. Give a time to come, or null for no expiry.`,
    )
  }
  return at
}

/** Null for no note, which an empty one is too. */
export function readNote(text: string | null): string | null | WishFault {
  if (text === null || text === '') return null
  const fault = (detail: string) => ({ pointer: '/note', detail })
  // Each has one or two units of UTF-16: no need to count in what is far too long.
  if (text.length > 2 * LONGEST_NOTE || Array.from(text).length > LONGEST_NOTE) {
    return fault(`A note may have ${LONGEST_NOTE} characters at most.`)
  }
  // oxlint-disable-next-line no-control-regex -- controls are what it looks for; databases do not keep NUL
  if (!text.isWellFormed() || /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/.test(text)) {
    return fault('A note may not hold control characters, nor half of a surrogate pair.')
  }
  return text
}

/** An entry of a sending domain needs its name; whether the account sends from it is not asked. */
export function readScope({ type, value }: ScopeFields): SuppressionScope | WishFault {
  if (type === 'account') {
    if (value === undefined) return { type }
    return { pointer: '/scope/value', detail: 'scope.value belongs to scope.type "sending_domain" alone.' }
  }
  const domain = value === undefined ? undefined : readScopeValue(value)
  if (typeof domain === 'string') return { type, value: domain }
  const detail =
    domain?.detail ?? 'scope.type "sending_domain" needs scope.value, the name of the sending domain.'
  return { pointer: '/scope/value', detail }
}

export function readScopeValue(value: string): string | { readonly detail: string } {
  const domain = value.length > 1000 ? value : value.replace(/\.+$/, '')
  // oxlint-disable-next-line no-control-regex -- everything outside ASCII is what it looks for
  if (/[^\x00-\x7f]/.test(domain)) {
    return {
      detail: 'A sending domain must be written in ASCII, an internationalized one as A-labels (xn--).',
    }
  }
  return parseDomainName(domain)
}

const TIME =
  /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9})\d*)?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/

/** RFC 3339 §5.6 `date-time`, to milliseconds since 1970; undefined for what is none. */
export function parseTime(text: string): number | undefined {
  const match = text.length > 100 ? null : TIME.exec(text)
  if (!match) return undefined
  const field = (index: number) => Number(match[index] ?? 0)
  const [year, month, day, hour, minute, second] = [
    field(1),
    field(2),
    field(3),
    field(4),
    field(5),
    field(6),
  ]
  // §5.7: a minute may have a leap second, which is the first of the next minute on a clock that has none.
  if (hour > 23 || minute > 59 || second > 60 || field(9) > 23 || field(10) > 59) return undefined
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined
  const ms = Math.trunc(Number(`0.${match[7] ?? '0'}`) * 1000)
  const offset = (match[8] === '-' ? -1 : 1) * (field(9) * 60 + field(10))
  return date.getTime() + ((hour * 60 + minute - offset) * 60 + second) * 1000 + ms
}

/** As the API writes times; the earliest and the latest that it reads have four digits of year too. */
export function isoTime(at: number): string {
  return new Date(at).toISOString()
}
