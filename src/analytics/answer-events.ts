import type { Asking } from './asking.ts'
import { choosePlaces, type Place } from './choose-places.ts'
import { type ChosenLabels, chosenSql } from './chosen-labels.ts'
import { fieldSql, filterSql, QueryText } from './compile-filter.ts'
import { DAY_MS, startOfDay } from './day.ts'
import { dayIndexFor, dayRowsSql, isOfRow, labelOfRowSql, partsSql } from './day-index.ts'
import type { Row } from './history-engine.ts'
import type { EventPosition, EventsQuery, Field, Filter, HistoryEvent, Order } from './history-query.ts'
import { type ReadFilter, readFilter } from './read-filter.ts'
import { readHistoryEvent } from './read-history-event.ts'
import { intersect, isTime, type Span } from './time-span.ts'

/** A question for single events. */
interface EventsPlan {
  readonly query: EventsQuery
  readonly filter: ReadFilter
  readonly span: Span
  readonly account: number
  readonly chosen: ChosenLabels
  readonly order: readonly Order<Field>[]
  /** Where the order is that of time alone, its direction: the index has that order. */
  readonly inTime: 'asc' | 'desc' | undefined
  /** Which of a day's indexes what is asked of rows leads to. */
  readonly index: 'at' | 'message' | 'to'
}

/** A part of a day that is read at once. */
type Slice = Place & Span

export interface FoundEvents {
  readonly rows: readonly HistoryEvent[]
  /** Where it was ended for its time; only where that was asked for. */
  readonly reached?: EventPosition
}

/** So many events of the first day, for each that is wanted, are looked at before it is asked where those of the right
 *  kind are. */
const PROBE = 8
const MOST_PROBED = 2000
/** So many events are looked at by one query, about: between two, it is asked how late it is. */
const MOST_AT_ONCE = 100_000
const MOST_SLICES = 16

/** Reads single events. Whoever scrolls through the log wants the newest of a busy account: these are found by reading
 *  its events one after the other. Where few of them are of the kind that is asked for, the counts say on which days those
 *  were, and their labels lead to them. */
export async function answerEvents(asking: Asking, query: EventsQuery): Promise<FoundEvents> {
  const [account, allDays] = await Promise.all([
    asking.index.account(query.scope.accountId),
    asking.index.days(),
  ])
  if (account === undefined) return { rows: [] }
  const plan = planEvents(asking, query, account)
  const { span, order } = plan
  const days = allDays.filter(
    (day) => startOfDay(day) < span.to && startOfDay(day) + DAY_MS > span.from && span.from < span.to,
  )
  const [first] = order
  if (first?.direction !== 'asc') days.reverse()
  const probed = await probe(asking, plan, days)
  if (probed) return { rows: probed.map(readHistoryEvent) }
  const places = await placesOf(asking, plan, days)
  if (first && isTime(first.by)) return readInTurn(asking, plan, places)
  const slices = places.map((place) => ({ ...place, ...spanOf(plan, place.day) }))
  const rows = await readSlices(asking, plan, slices, { limit: query.limit })
  return { rows: rows.map(readHistoryEvent) }
}

function planEvents({ since }: Asking, query: EventsQuery, account: number): EventsPlan {
  const filter = readFilter(query)
  const order = query.order?.length ? query.order : [{ by: 'datetime', direction: 'desc' } as const]
  const [first] = order
  const inTime = first?.by === 'datetime' && order.length === 1 ? first.direction : undefined
  const { after, partly } = query
  if ((after || partly) && !inTime) throw new TypeError('a page follows another only in the order of time')
  const kept = intersect(filter.span, { from: since, to: Infinity })
  const span = after ? intersect(kept, spanAfter(after, inTime)) : kept
  const chosen = { query, conditions: filter.ofLabel }
  return { query, filter, span, account, chosen, order, inTime, index: dayIndexFor(filter.rest) }
}

/** What most questions want is among the newest events. Undefined where too little of it is. */
async function probe(asking: Asking, plan: EventsPlan, days: readonly number[]): Promise<Row[] | undefined> {
  const { query, inTime, index } = plan
  const [day] = days
  if (!inTime || index !== 'at' || day === undefined) return undefined
  const { limit } = query
  const slice = { ...spanOf(plan, day), day, index, chosen: 0, cost: 0 }
  const most = isChoosy(query) ? Math.min(PROBE * limit, MOST_PROBED) : limit
  if (most < limit) return undefined
  const rows = await readSlices(asking, plan, [slice], { limit, probe: most })
  return rows.length >= limit ? rows : undefined
}

/** Whether it asks for less than all of an account's mail. */
function isChoosy({ scope, dataset, filter }: EventsQuery): boolean {
  return scope.zoneIds !== undefined || dataset !== undefined || filter !== undefined
}

async function placesOf(
  asking: Asking,
  { query, filter, inTime, index, chosen }: EventsPlan,
  days: readonly number[],
): Promise<readonly Place[]> {
  // It leads to some events alone: to ask where they are would be as much work as to read them.
  if (index !== 'at') return days.map((day) => ({ day, index, chosen: 0, cost: 0 }))
  // Of what else it asks no count knows.
  const counted = inTime && filter.rest.length === 0 && filter.last === undefined
  return choosePlaces(asking, chosen, { days, ...(counted && { wanted: query.limit }) })
}

/** Reads slice after slice until there are rows enough. Most questions are answered by the first; one that hardly
 *  anything answers takes as many at once as are read in a moment. */
async function readInTurn(asking: Asking, plan: EventsPlan, places: readonly Place[]): Promise<FoundEvents> {
  const { query, inTime } = plan
  const slices = places.flatMap((place) => slicesOf(plan, place))
  const rows: Row[] = []
  for (let at = 0; at < slices.length && rows.length < query.limit; ) {
    const last = slices[at - 1]
    if (query.partly && last && asking.deadline.isNear()) {
      return { rows: rows.map(readHistoryEvent), reached: positionAfter(last, inTime) }
    }
    const many = at === 0 ? 1 : howMany(slices.slice(at, at + MOST_SLICES))
    const some = slices.slice(at, at + many)
    rows.push(...(await readSlices(asking, plan, some, { limit: query.limit - rows.length })))
    at += many
  }
  return { rows: rows.map(readHistoryEvent) }
}

/** How many of the next slices are read at once: with each, so many events more are looked at. */
function howMany(slices: readonly Slice[]): number {
  let cost = 0
  for (const [index, slice] of slices.entries()) {
    cost += slice.cost
    if (cost > MOST_AT_ONCE) return Math.max(index, 1)
  }
  return slices.length
}

function spanOf({ span }: EventsPlan, day: number): Span {
  return intersect(span, { from: startOfDay(day), to: startOfDay(day) + DAY_MS })
}

/** A day's slices, in the order that is asked for: as many, of even length, as there are too many events for one. */
function slicesOf(plan: EventsPlan, place: Place): readonly Slice[] {
  const whole = { ...place, ...spanOf(plan, place.day) }
  const pieces = plan.inTime ? Math.ceil(place.cost / MOST_AT_ONCE) : 1
  if (pieces <= 1) return [whole]
  const step = Math.ceil(DAY_MS / pieces)
  const start = startOfDay(place.day)
  const slices = Array.from({ length: pieces }, (_, i): Slice => {
    const span = intersect(whole, { from: start + i * step, to: start + (i + 1) * step })
    return { ...place, ...span, cost: place.cost / pieces }
  }).filter(({ from, to }) => from < to)
  return plan.inTime === 'asc' ? slices : slices.toReversed()
}

/** Where those follow that were not looked at yet: events count from 1. */
function positionAfter({ from, to }: Span, direction: EventsPlan['inTime']): EventPosition {
  return { at: direction === 'asc' ? to : from, seq: 0, ordinal: 0 }
}

/** From a position's millisecond on: the rest of it is compared with each event. */
function spanAfter({ at, seq }: EventPosition, direction: EventsPlan['inTime']): Span {
  if (direction === 'asc') return { from: at, to: Infinity }
  return { from: 0, to: seq === 0 ? at : at + 1 }
}

interface Reading {
  readonly limit: number
  /** Of each slice no more than so many events are looked at. */
  readonly probe?: number
}

async function readSlices(
  { engine, deadline }: Asking,
  plan: EventsPlan,
  slices: readonly Slice[],
  reading: Reading,
): Promise<Row[]> {
  if (slices.length === 0) return []
  deadline.check()
  const text = new QueryText(engine.kind, 's.at')
  const labels = slices.some(({ index }) => index === 'label') ? partsSql(plan.chosen, text) : ''
  const conditions = conditionsSql(plan, text)
  const parts = slices.map(
    (slice, i) => `select * from (${sliceSql(plan, slice, { ...reading, ...conditions, text })}) d${i}`,
  )
  const order = orderSql(plan).map(({ name, direction }) => `${name} ${direction}`)
  const sql = `${labels} select * from (${parts.join(' union all ')}) days
    order by ${order.join(', ')} limit ${reading.limit}`
  return engine.read('rows', sql, text.values)
}

/** First the rows, by an index, and then their labels. */
function sliceSql(
  plan: EventsPlan,
  { day, index, from, to }: Slice,
  of: Reading & ReturnType<typeof conditionsSql> & { readonly text: QueryText },
): string {
  const { account, inTime = 'desc' } = plan
  const { engine } = of.text
  const within = [
    '1 = 1',
    ...(from > startOfDay(day) ? [`s.at >= ${from}`] : []),
    ...(to < startOfDay(day) + DAY_MS ? [`s.at < ${to}`] : []),
  ].join(' and ')
  const where = `${within} ${of.isAfter} ${of.probe ? '' : of.ofRow}`
  const rows = dayRowsSql(day, index, { engine, account, where })
  const inner = ['at', 'seq', 'ordinal'].map((name) => `s.${name} ${inTime}`).join(', ')
  // By their labels they come in no order, and few.
  const inOrder = index === 'label' ? '' : `order by ${inner} ${of.probe ? `limit ${of.probe}` : ''}`
  const order = orderSql(plan)
  const keys = order.flatMap(({ name, sql }) => (name.startsWith('k') ? [`${sql} as ${name}`] : []))
  return `select ${[COLUMNS, ...keys].join(', ')} from (select s.* from ${rows} ${inOrder}) s ${labelOfRowSql(engine)}
    where ${of.others} ${of.probe ? of.ofRow : ''}
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
    isAfter,
    ofRow: `${isLast} ${conditions(filter.rest.filter(isOfRow))}`,
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
  s.session_id, s.error_detail, s.header_id, s.is_last, l.account_id, l.zone_id, l.dataset, l.status, l.type, l.event_type,
  l.sending_domain, l.error_cause, l.action, l.is_ndr, l.rule_matched, l.arc, l.dkim, l.dmarc, l.spf, l.is_spam`
