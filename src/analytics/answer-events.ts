import type { Asking } from './asking.ts'
import { type ChosenLabels, chosenSql } from './chosen-labels.ts'
import { fieldSql, filterSql, QueryText } from './compile-filter.ts'
import { DAY_MS, MINUTE_MS, startOfDay } from './day.ts'
import {
  type DayIndex,
  dayIndexFor,
  dayRowsSql,
  indexCondition,
  isOfRow,
  labelOfRowSql,
} from './day-index.ts'
import { countDays, minutesOf } from './find-windows.ts'
import type { Row } from './history-engine.ts'
import type { EventsQuery, Field, Filter, HistoryEvent, Order } from './history-query.ts'
import { type ReadFilter, readFilter } from './read-filter.ts'
import { readHistoryEvent } from './read-history-event.ts'
import { intersect, isTime, type Span } from './time-span.ts'

/** A question for single events. */
export interface EventsPlan {
  readonly query: EventsQuery
  readonly filter: ReadFilter
  readonly span: Span
  readonly account: number
  readonly chosen: ChosenLabels
  readonly order: readonly Order<Field>[]
  /** Where the order is that of time alone, its direction: the index has that order. */
  readonly inTime: 'asc' | 'desc' | undefined
  /** Which of a day's indexes leads to what is asked for. */
  readonly index: DayIndex
}

/** So many events of a day, for each that is wanted, are looked at before it is asked where those of the right kind are;
 *  past some hundreds it is cheaper to ask. */
const PROBE = 8
const MOST_PROBED = 2000
/** A day that has no more of them is looked through by the minute. */
const FEW = 2000

/** Reads single events. Whoever scrolls through the log wants the newest of a busy account: these are found by reading
 *  its events one after the other. Where few of them are of the kind that is asked for, the counts say when those were. */
export async function answerEvents(asking: Asking, query: EventsQuery): Promise<readonly HistoryEvent[]> {
  const [account, allDays] = await Promise.all([
    asking.index.account(query.scope.accountId),
    asking.index.days(),
  ])
  if (account === undefined) return []
  const plan = planEvents(asking, query, account)
  const { span, order, inTime, index } = plan
  const days = allDays.filter(
    (day) => startOfDay(day) < span.to && startOfDay(day) + DAY_MS > span.from && span.from < span.to,
  )
  if (days.length === 0) return []
  const [first] = order
  if (first && !isTime(first.by)) return (await readDays(asking, plan, days)).map(readHistoryEvent)
  if (first?.direction !== 'asc') days.reverse()
  const rows =
    inTime && index === 'at' && isChoosy(query)
      ? await readChosen(asking, plan, days)
      : await readInTurn(asking, plan, days)
  return rows.map(readHistoryEvent)
}

function planEvents({ since }: Asking, query: EventsQuery, account: number): EventsPlan {
  const filter = readFilter(query)
  const order = query.order?.length ? query.order : [{ by: 'datetime', direction: 'desc' } as const]
  const [first] = order
  const inTime = first?.by === 'datetime' && order.length === 1 ? first.direction : undefined
  const { after } = query
  if (after && !inTime) throw new TypeError('a page follows another only in the order of time')
  const kept = intersect(filter.span, { from: since, to: Infinity })
  // From its millisecond on: the rest of the position is compared with each event.
  const span = !after
    ? kept
    : intersect(kept, inTime === 'asc' ? { from: after.at, to: Infinity } : { from: 0, to: after.at + 1 })
  const chosen = { query, conditions: filter.ofLabel }
  return { query, filter, span, account, chosen, order, inTime, index: dayIndexFor(filter.rest) }
}

/** Whether it asks for less than all of an account's mail. */
function isChoosy({ scope, dataset, filter }: EventsQuery): boolean {
  return scope.zoneIds !== undefined || dataset !== undefined || filter !== undefined
}

/** Days by twice as many each time: most questions are answered by the first, and one that nothing answers shall not
 *  take a round trip for each. */
async function readInTurn(asking: Asking, plan: EventsPlan, days: readonly number[]): Promise<Row[]> {
  const rows: Row[] = []
  for (let from = 0, many = 1; from < days.length; from += many, many *= 2) {
    const some = days.slice(from, from + many)
    rows.push(...(await readDays(asking, plan, some, { limit: plan.query.limit - rows.length })))
    if (rows.length >= plan.query.limit) break
  }
  return rows
}

async function readChosen(asking: Asking, plan: EventsPlan, days: readonly number[]): Promise<Row[]> {
  const { limit } = plan.query
  const probe = Math.min(PROBE * limit, MOST_PROBED)
  const probed = await readDays(asking, plan, days.slice(0, 1), { limit, probe })
  if (probed.length >= limit) return probed
  // What else it asks for no count knows.
  if (plan.filter.rest.length > 0) return readInTurn(asking, plan, days)
  const rows: Row[] = []
  const counts = await countDays(asking, plan.chosen, days)
  for (const day of days) {
    const count = counts.get(day) ?? 0
    if (count === 0) continue
    const minutes = count < FEW ? await minutesOf(asking, plan.chosen, day) : undefined
    rows.push(
      ...(await readDays(asking, plan, [day], { limit: limit - rows.length, ...(minutes && { minutes }) })),
    )
    if (rows.length >= limit) break
  }
  return rows
}

interface Reading {
  readonly limit: number
  /** Of each day no more than so many events are looked at. */
  readonly probe?: number
  /** Nothing else of the days is looked at. */
  readonly minutes?: readonly number[]
}

async function readDays(
  { engine, deadline }: Asking,
  plan: EventsPlan,
  days: readonly number[],
  reading: Reading = { limit: plan.query.limit },
): Promise<Row[]> {
  deadline.check()
  const text = new QueryText(engine.kind, 's.at')
  const conditions = conditionsSql(plan, text)
  const minutes = reading.minutes && minutesSql(reading.minutes, text)
  const parts = days.map(
    (day) => `select * from (${daySql(plan, day, { ...reading, ...conditions, minutes, text })}) d${day}`,
  )
  const order = orderSql(plan).map(({ name, direction }) => `${name} ${direction}`)
  const sql = `select * from (${parts.join(' union all ')}) days order by ${order.join(', ')} limit ${reading.limit}`
  return engine.read('rows', sql, text.values)
}

/** First the rows, in the order of an index, and then their labels. */
function daySql(
  plan: EventsPlan,
  day: number,
  of: Omit<Reading, 'minutes'> & {
    readonly ofRow: string
    readonly others: string
    readonly minutes: string | undefined
    readonly text: QueryText
  },
): string {
  const { account, span, inTime = 'desc', index } = plan
  const within = [
    `s.account = ${account}`,
    ...(span.from > startOfDay(day) ? [`s.at >= ${span.from}`] : []),
    ...(span.to < startOfDay(day) + DAY_MS ? [`s.at < ${span.to}`] : []),
  ].join(' and ')
  const inner = ['at', 'seq', 'ordinal'].map((name) => `s.${name} ${inTime}`).join(', ')
  const rows = `select s.* from ${of.minutes ? `${of.minutes} cross join ` : ''}${dayRowsSql(day, index, of.text.engine)}
    where ${within} ${indexCondition(index)} ${of.minutes ? WITHIN_MINUTE : ''} ${of.ofRow}
    order by ${inner} ${of.probe ? `limit ${of.probe}` : ''}`
  const order = orderSql(plan)
  const keys = order.flatMap(({ name, sql }) => (name.startsWith('k') ? [`${sql} as ${name}`] : []))
  return `select ${[COLUMNS, ...keys].join(', ')} from (${rows}) s ${labelOfRowSql(of.text.engine)}
    where ${of.others}
    order by ${order.map(({ sql, direction }) => `${sql} ${direction}`).join(', ')} limit ${of.limit}`
}

function conditionsSql({ filter, chosen, query, inTime }: EventsPlan, text: QueryText) {
  const { after } = query
  const sign = inTime === 'asc' ? '>' : '<'
  const conditions = (some: readonly Filter[]) => some.map((one) => `and ${filterSql(one, text)}`).join(' ')
  const isLast = filter.last === undefined ? '' : `and s.is_last = ${filter.last}`
  const isAfter = after
    ? `and (s.at, s.seq, s.ordinal) ${sign} (${after.at}, ${after.seq}, ${after.ordinal})`
    : ''
  return {
    ofRow: `${isLast} ${isAfter} ${conditions(filter.rest.filter(isOfRow))}`,
    others: `${chosenSql(chosen, 'whole', text)} ${conditions(filter.rest.filter((one) => !isOfRow(one)))}`,
  }
}

/** The order, down to where two events cannot be equal; `k` are names of what it wants besides columns. */
function orderSql({ order, inTime }: EventsPlan) {
  const direction = inTime ?? 'desc'
  const keys = inTime
    ? []
    : order.map(({ by, direction }, index) => ({ name: `k${index}`, sql: fieldSql(by, 's.at'), direction }))
  return [...keys, ...['at', 'seq', 'ordinal'].map((name) => ({ name, sql: `s.${name}`, direction }))]
}

const COLUMNS = `s.at, s.seq, s.ordinal, s.event_id, s.delivery_id, s.message, s.mail_from, s.mail_to, s.subject,
  s.session_id, s.error_detail, s.is_last, l.account_id, l.zone_id, l.dataset, l.status, l.type, l.event_type,
  l.sending_domain, l.error_cause, l.action, l.is_ndr, l.rule_matched, l.arc, l.dkim, l.dmarc, l.spf, l.is_spam`

const WITHIN_MINUTE = `and s.at >= m.start and s.at < m.start + ${MINUTE_MS}`

function minutesSql(minutes: readonly number[], text: QueryText): string {
  const list = text.add(JSON.stringify(minutes))
  return text.engine === 'sqlite'
    ? `(select value as start from json_each(${list})) m`
    : `(select value::bigint as start from jsonb_array_elements_text(${list}::jsonb) as one (value)) m`
}
