import type { Asking } from './asking.ts'
import { choosePlaces, type Place } from './choose-places.ts'
import { type ChosenLabels, chosenSql, levelWith } from './chosen-labels.ts'
import { fieldSql, filterSql, intervalSql, isText, QueryText } from './compile-filter.ts'
import { coverSpan, type Part } from './cover-span.ts'
import { DAY_MS, dayOf, HOUR_MS, MINUTE_MS, startOfDay } from './day.ts'
import { dayIndexFor, dayRowsSql, isOfRow, partsSql } from './day-index.ts'
import type { Row } from './history-engine.ts'
import type { Field, FieldValue, Filter, Group, GroupsQuery } from './history-query.ts'
import type { LevelName } from './label.ts'
import { boundsOf, fieldsOf, type ReadFilter, readFilter } from './read-filter.ts'
import { INTERVAL_MS, intersect, isTime, type Span } from './time-span.ts'

/** How a grouped question is answered: from which counts, or from the events themselves. */
interface Plan {
  readonly query: GroupsQuery
  readonly by: readonly Field[]
  readonly filter: ReadFilter
  readonly chosen: ChosenLabels
  readonly level: LevelName
  /** Of the level's counts that are to be used, longest first; none where events are to be read. */
  readonly intervals: readonly number[]
  /** What only events have, and is grouped by or asked of. */
  readonly texts: readonly Field[]
  /** Conditions of the filter that are asked while events are read, and not again. */
  readonly ofRow: readonly Filter[]
  /** Whether what is the last of its delivery must be told from what is not. */
  readonly splits: boolean
}

/** Where a plan's events are. */
interface Where {
  readonly account: number
  readonly places: readonly Pick<Place, 'day' | 'index'>[]
}

/** Counts events by fields. The planner: words and flags choose labels, the times a span, and both are answered from the
 *  longest intervals that are counted; only what is not a whole interval, and questions for what every event has of its
 *  own, read events. */
export async function answerGroups(asking: Asking, query: GroupsQuery): Promise<readonly Group[]> {
  const { engine, index, since, deadline } = asking
  const plan = planGroups(query)
  const [account, days] = await Promise.all([index.account(query.scope.accountId), index.days()])
  const [first, last] = [days[0], days.at(-1)]
  if (account === undefined || first === undefined || last === undefined) return []
  const kept = { from: Math.max(since, startOfDay(first)), to: startOfDay(last) + DAY_MS }
  const asked = intersect(plan.filter.span, kept)
  const where = { account, places: await placesOf(asking, plan, { days, span: asked }) }
  const groups: Group[] = []
  for (const span of inTurn(plan, asked)) {
    deadline.check()
    const text = new QueryText(engine.kind, 's.t')
    const limit = query.limit - groups.length
    const sql = groupsSql(plan, where, coverSpan(span, plan.intervals), { text, limit })
    if (sql === undefined) continue
    const rows = await engine.read('counts', sql, text.values)
    groups.push(...rows.map((row) => readGroup(plan.by, row)))
    if (groups.length >= query.limit) break
  }
  return groups
}

function planGroups(query: GroupsQuery): Plan {
  const by = [...new Set(query.by)]
  const filter = readFilter(query)
  const used = [...by, ...filter.rest.flatMap(fieldsOf)]
  const texts = used.filter(isText)
  const ofRow = filter.rest.filter(isOfRow)
  const level = levelWith([...used, ...filter.ofLabel.flatMap(fieldsOf)])
  const bounds = [...by.filter(isTime).map((field) => INTERVAL_MS[field]), ...filter.rest.flatMap(boundsOf)]
  const isWhole = (interval: number) => bounds.every((bound) => bound % interval === 0)
  return {
    ...{ query, by, filter, texts, ofRow, level: level.name },
    chosen: { query, conditions: filter.ofLabel },
    intervals: texts.length > 0 ? [] : level.intervals.filter(isWhole),
    splits: used.includes('isLastEvent'),
  }
}

/** Where it reads more events than those at the ends of a span, the counts say on which days they are. */
async function placesOf(
  asking: Asking,
  { chosen, intervals, ofRow }: Plan,
  { days, span }: { readonly days: readonly number[]; readonly span: Span },
): Promise<Where['places']> {
  const some = days.filter((day) => startOfDay(day) < span.to && startOfDay(day) + DAY_MS > span.from)
  const index = dayIndexFor(ofRow)
  const readsMany = coverSpan(span, intervals).some(
    ({ interval, from, to }) => interval === 0 && to - from > HOUR_MS,
  )
  return readsMany && index === 'at'
    ? choosePlaces(asking, chosen, { days: some })
    : some.map((day) => ({ day, index }))
}

/** Where the order begins with a time, days can be answered one after the other until there are rows enough: no group
 *  has events of two days. Worth it only where a whole span means millions of rows. */
function inTurn({ query, intervals }: Plan, span: Span): readonly Span[] {
  const [first] = query.order ?? []
  const isCheap = (intervals[0] ?? 0) > MINUTE_MS
  if (span.from >= span.to) return []
  if (isCheap || !first || first.by === 'count' || !isTime(first.by)) return [span]
  const spans: Span[] = []
  for (let start = span.from; start < span.to; start = start - (start % DAY_MS) + DAY_MS) {
    spans.push(intersect(span, { from: start, to: start - (start % DAY_MS) + DAY_MS }))
  }
  return first.direction === 'asc' ? spans : spans.toReversed()
}

function groupsSql(
  plan: Plan,
  where: Where,
  parts: readonly Part[],
  { text, limit }: { readonly text: QueryText; readonly limit: number },
): string | undefined {
  const { by, filter, query, chosen } = plan
  const counts = parts.filter(({ interval }) => interval > 0)
  const counted = counts.length > 0 ? chosenSql(chosen, plan.level, text) : ''
  const sources = [
    ...counts.flatMap((part) => countsSql(plan, part, counted)),
    ...eventsSql(
      plan,
      parts.filter(({ interval }) => interval === 0),
      where,
      text,
    ),
  ]
  if (sources.length === 0) return undefined
  const values = by.map((field, index) => `${fieldSql(field, text.time)} as g${index}`)
  // The labels of counts were chosen already; events are of every label that their account has.
  const isChosen =
    counts.length === parts.length ? '1 = 1' : `(l.level <> 'whole' or (${chosenSql(chosen, 'whole', text)}))`
  const asked = filter.rest.filter((condition) => !plan.ofRow.includes(condition))
  const rest = asked.map((condition) => `and ${filterSql(condition, text)}`)
  const names = by.map((_, index) => `g${index}`)
  const order = [
    ...(query.order ?? []).map(({ by: field, direction }) => `${orderName(by, field)} ${direction}`),
    ...names,
  ]
  const labels = where.places.some(({ index }) => index === 'label') ? partsSql(chosen, text) : ''
  return `${labels} select ${[...values, 'sum(s.n) as n'].join(', ')}
    from (${summedSql(plan, sources.join(' union all '))}) s cross join history_label l
    where l.id = s.label and ${isChosen} ${rest.join(' ')}
    ${names.length > 0 ? `group by ${names.join(', ')}` : ''} having sum(s.n) > 0
    ${order.length > 0 ? `order by ${order.join(', ')}` : ''} limit ${limit}`
}

function orderName(by: readonly Field[], field: Field | 'count'): string {
  if (field === 'count') return 'n'
  const index = by.indexOf(field)
  if (index < 0) throw new TypeError(`groups are ordered by what they are grouped by, and not by ${field}`)
  return `g${index}`
}

/** Added up by label before labels become words, of which there are many to compare: where that leaves fewer. */
function summedSql({ by, filter, splits, texts, intervals }: Plan, sources: string): string {
  const hasTime = filter.rest.some((condition) => boundsOf(condition).length > 0)
  const finest = Math.min(...by.filter(isTime).map((field) => INTERVAL_MS[field]))
  if (texts.length > 0 || finest === intervals[0]) return sources
  const time = hasTime ? 't' : Number.isFinite(finest) ? intervalSql('t', finest) : '0'
  const last = splits ? ', is_last' : ''
  return `select label, ${time} as t${last}, sum(n) as n from (${sources}) parts group by 1, 2${splits ? ', 3' : ''}`
}

/** A label, a time `t` and a number `n`, from the counts of an interval. */
function countsSql({ filter, splits }: Plan, part: Part, counted: string): readonly string[] {
  const { from, to, interval } = part
  const where = `from history_label l cross join history_count c where ${counted}
    and c.span = ${interval} and c.label = l.id and c.start >= ${from} and c.start < ${to}`
  const wanted = (last: 0 | 1) => filter.last === undefined || filter.last === last
  if (splits) {
    return [
      ...(wanted(1) ? [`select c.label, c.start as t, 1 as is_last, c.last as n ${where}`] : []),
      ...(wanted(0) ? [`select c.label, c.start as t, 0 as is_last, c.events - c.last as n ${where}`] : []),
    ]
  }
  const number = filter.last === undefined ? 'c.events' : filter.last === 1 ? 'c.last' : 'c.events - c.last'
  return [`select c.label, c.start as t, ${number} as n ${where}`]
}

/** The same, and what else is asked for, from events themselves. */
function eventsSql(
  { by, filter, ofRow, splits }: Plan,
  parts: readonly Part[],
  { account, places }: Where,
  text: QueryText,
): readonly string[] {
  if (parts.length === 0) return []
  const later = [...by, ...filter.rest.filter((one) => !ofRow.includes(one)).flatMap(fieldsOf)]
  const columns = [
    ...(splits ? ['s.is_last'] : []),
    '1 as n',
    ...new Set(later.flatMap((field) => TEXT_COLUMNS[field] ?? [])),
  ]
  const conditions = [
    ...(filter.last === undefined ? [] : [`and s.is_last = ${filter.last}`]),
    ...ofRow.map((condition) => `and ${filterSql(condition, text)}`),
  ].join(' ')
  return parts.flatMap(({ from, to }) =>
    places
      .filter(({ day }) => day >= dayOf(from) && day <= dayOf(to - 1))
      .map(({ day, index }) => {
        const where = `s.at >= ${from} and s.at < ${to} ${conditions}`
        const rows = dayRowsSql(day, index, { engine: text.engine, account, where })
        return `select s.label, s.at as t, ${columns.join(', ')} from ${rows}`
      }),
  )
}

const TEXT_COLUMNS: Partial<Record<Field, string>> = {
  from: 's.mail_from',
  to: 's.mail_to',
  envelopeTo: 's.mail_to',
  subject: 's.subject',
  messageId: 's.message',
  sessionId: 's.session_id',
  errorDetail: 's.error_detail',
}

function readGroup(by: readonly Field[], row: Row): Group {
  const dimensions = Object.fromEntries(by.map((field, index) => [field, row[`g${index}`] as FieldValue]))
  return { count: Number(row['n']), dimensions }
}
