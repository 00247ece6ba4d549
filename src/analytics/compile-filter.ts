import type { Param } from '#store/store.ts'
import type { HistoryEngine } from './history-engine.ts'
import type {
  Field,
  FieldValue,
  Filter,
  FlagField,
  TextField,
  TimeField,
  WordField,
} from './history-query.ts'
import type { Word } from './label.ts'
import { storable } from './read-event.ts'
import { INTERVAL_MS, isTime, spansOf, type TimeLeaf } from './time-span.ts'

/** Where a field stands: `l` is the label, `r` the row. */
const COLUMNS = {
  status: 'l.status',
  type: 'l.type',
  eventType: 'l.event_type',
  sendingDomain: 'l.sending_domain',
  errorCause: 'l.error_cause',
  action: 'l.action',
  ruleMatched: 'l.rule_matched',
  arc: 'l.arc',
  dkim: 'l.dkim',
  dmarc: 'l.dmarc',
  spf: 'l.spf',
  zoneTag: 'l.zone_id',
  isSpam: 'l.is_spam',
  isNDR: 'l.is_ndr',
  isLastEvent: 's.is_last',
  from: 's.mail_from',
  to: 's.mail_to',
  envelopeTo: 's.mail_to',
  subject: 's.subject',
  // As `send` answered it, where it was sent from here.
  messageId: `case when l.dataset = 'sending' and s.message <> ''
    then '<' || s.message || '@' || l.sending_domain || '>' else s.message end`,
  sessionId: 's.session_id',
  errorDetail: 's.error_detail',
} as const satisfies Record<Exclude<Field, TimeField>, string>

const TEXTS: ReadonlySet<Field> = new Set<TextField>([
  ...(['from', 'to', 'envelopeTo', 'subject', 'messageId', 'sessionId', 'errorDetail'] as const),
])

/** Whether only rows have it: no rollup is kept by it. */
export function isText(field: Field): field is TextField {
  return TEXTS.has(field)
}

/** Whether a label has it. */
export function isOfLabel(field: Field): field is WordField | Exclude<FlagField, 'isLastEvent'> {
  return !isTime(field) && !isText(field) && field !== 'isLastEvent'
}

/** The word of a label that a field is; undefined of a field that labels do not have. */
export function wordOf(field: Field): Word | undefined {
  return isOfLabel(field) ? (COLUMNS[field].slice('l.'.length) as Word) : undefined
}

/** One query as it is being written. It speaks of a source `s`, whose time in ms is the column `time`, joined with its
 *  label `l`. */
export class QueryText {
  readonly values: Param[] = []
  readonly engine: HistoryEngine['kind']
  readonly time: string

  constructor(engine: HistoryEngine['kind'], time: string) {
    this.engine = engine
    this.time = time
  }

  add(value: Param): string {
    this.values.push(value)
    return `$${this.values.length}`
  }
}

/** The value of a field. */
export function fieldSql(field: Field, time: string): string {
  return isTime(field) ? intervalSql(time, INTERVAL_MS[field]) : COLUMNS[field]
}

export function intervalSql(time: string, ms: number): string {
  return `(${time} - ${time} % ${ms})`
}

/** A filter as a condition. */
export function filterSql(filter: Filter, text: QueryText): string {
  if ('and' in filter) return joined(filter.and, ' and ', '1 = 1', text)
  if ('or' in filter) return joined(filter.or, ' or ', '1 = 0', text)
  if (isTime(filter.field)) return timeSql(filter as TimeLeaf, text.time)
  const { field } = filter
  const { column, value } = comparable(field)
  switch (filter.is) {
    case 'like':
      return likeSql(COLUMNS[field], storable(filter.pattern), text)
    case 'contains': {
      const part = text.add(lowerAscii(storable(filter.text)))
      return text.engine === 'sqlite'
        ? `instr(lower(${COLUMNS[field]}), ${part}) > 0`
        : `strpos(lower(${COLUMNS[field]}), ${part}) > 0`
    }
    case 'in':
    case 'notin': {
      const list = filter.values.map((one) => text.add(value(one))).join(', ')
      if (list === '') return filter.is === 'in' ? '1 = 0' : '1 = 1'
      return `${column} ${filter.is === 'in' ? 'in' : 'not in'} (${list})`
    }
    case 'eq':
    case 'neq':
      return `${column} ${filter.is === 'eq' ? '=' : '<>'} ${text.add(value(filter.value))}`
    default:
      return `${COLUMNS[field]} ${SIGNS[filter.is]} ${text.add(plain(field, filter.value))}`
  }
}

const SIGNS = { gt: '>', geq: '>=', lt: '<', leq: '<=' } as const

function joined(filters: readonly Filter[], by: string, none: string, text: QueryText): string {
  if (filters.length === 0) return none
  return `(${filters.map((one) => filterSql(one, text)).join(by)})`
}

function timeSql(leaf: TimeLeaf, time: string): string {
  const spans = spansOf(leaf).map(({ from, to }) => {
    const bounds = [from === -Infinity ? '' : `${time} >= ${from}`, to === Infinity ? '' : `${time} < ${to}`]
    return bounds.filter(Boolean).join(' and ') || '1 = 1'
  })
  return spans.length === 0 ? '1 = 0' : `(${spans.map((span) => `(${span})`).join(' or ')})`
}

/** What equality compares: addresses by an index that ignores the case of their letters, message ids by their own. */
function comparable(field: Exclude<Field, TimeField>): {
  readonly column: string
  readonly value: (value: FieldValue) => Param
} {
  switch (field) {
    case 'from':
    case 'to':
    case 'envelopeTo':
      return { column: `lower(${COLUMNS[field]})`, value: (given) => lowerAscii(String(plain(field, given))) }
    case 'messageId':
      return { column: 's.message', value: (given) => bareId(String(plain(field, given))) }
    default:
      return { column: COLUMNS[field], value: (value) => plain(field, value) }
  }
}

function plain(field: Exclude<Field, TimeField>, value: FieldValue): Param {
  const isFlag = field === 'isSpam' || field === 'isNDR' || field === 'isLastEvent'
  if (isFlag !== (typeof value === 'number')) {
    throw new TypeError(`${field} is compared with a ${isFlag ? 'number' : 'string'}`)
  }
  return typeof value === 'string' ? storable(value) : value
}

/** `<id@domain>`, `id@domain` or the id itself. */
function bareId(text: string): string {
  return /^<?([0-9a-f]{32})(?:@[^<>@]*)?>?$/i.exec(text)?.[1]?.toLowerCase() ?? text
}

/** As SQLite's lower(), and PostgreSQL's in the collation C, have it. */
export function lowerAscii(text: string): string {
  return text.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase())
}

/** LIKE with the case of letters: SQLite's own ignores it, so there it is GLOB. */
function likeSql(column: string, pattern: string, text: QueryText): string {
  if (text.engine === 'postgres') {
    // A lone \\ at the end would be an error.
    const whole = /(?<!\\)(?:\\\\)*\\$/.test(pattern) ? `${pattern}\\` : pattern
    return `${column} like ${text.add(whole)}`
  }
  const glob = pattern.replaceAll(/\\([\s\S])|[\s\S]/g, (all, escaped: string | undefined) => {
    if (escaped !== undefined) return literal(escaped)
    return all === '%' ? '*' : all === '_' ? '?' : literal(all)
  })
  return `${column} glob ${text.add(glob)}`
}

function literal(character: string): string {
  return /[*?[]/.test(character) ? `[${character}]` : character
}
