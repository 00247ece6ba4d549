import type { FieldValue, Filter, FlagField, TimeField } from '../history-query.ts'
import { isTime } from '../time-span.ts'
import { FIELDS, type NodeField } from './datasets.ts'
import type { FilterKey } from './filter-keys.ts'
import { QueryFault } from './query-fault.ts'
import { quoted, readValue } from './read-value.ts'

/** What one filter may hold: more than any chart needs, and less than what an engine minds. SQLite takes a thousand
 *  conditions side by side at most, and a time in a list is one: it means a second or a day. */
export const FILTER_LIMITS = { depth: 8, conditions: 200, list: 1000, values: 2000 } as const

type Leaf = Extract<Filter, { readonly field: unknown }>

/** What a filter holds so far. */
interface Reading {
  readonly keys: ReadonlyMap<string, FilterKey>
  conditions: number
  values: number
}

/** The argument `filter` of a dataset, literal or from a variable: whatever it holds, it has been looked at by nobody.
 *  Keys of one object hold together; what is null is not asked for. Throws a QueryFault that names the key. */
export function readFilter(raw: unknown, keys: ReadonlyMap<string, FilterKey>): Filter | undefined {
  if (raw === undefined || raw === null) return undefined
  return readObject(raw, 'filter', 1, { keys, conditions: 0, values: 0 })
}

function readObject(raw: unknown, at: string, depth: number, reading: Reading): Filter {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw))
    throw wrong(at, 'it is an object of filters')
  if (depth > FILTER_LIMITS.depth) throw limit(`AND and OR are nested deeper than ${FILTER_LIMITS.depth}`)
  const and: Filter[] = []
  for (const [key, value] of Object.entries(raw)) {
    // A variable that was not given.
    if (value === null || value === undefined) continue
    const place = `${at}.${key}`
    if (key === 'AND' || key === 'OR') {
      const filters = listOf(value).map((each, index) =>
        readObject(each, `${place}.${index}`, depth + 1, reading),
      )
      if (key === 'AND') and.push(...filters)
      // None of nothing is true, and hardly what was meant.
      else if (filters.length === 0) throw wrong(place, 'it needs one filter at least')
      else and.push({ or: filters })
      continue
    }
    const known = reading.keys.get(key)
    if (!known) throw wrong(place, 'there is no such filter')
    countConditions(reading, 1)
    and.push(readLeaf(known, value, place, reading))
  }
  // One that asks for nothing is still written into the question.
  if (and.length === 0) countConditions(reading, 1)
  const [first] = and
  return and.length === 1 && first ? first : { and }
}

function countConditions(reading: Reading, more: number): void {
  reading.conditions += more
  if (reading.conditions <= FILTER_LIMITS.conditions) return
  throw limit(`a filter has more than ${FILTER_LIMITS.conditions} conditions, each time of a list among them`)
}

function readLeaf({ field, type, is }: FilterKey, raw: unknown, at: string, reading: Reading): Leaf {
  const valueOf = (each: unknown, place: string): FieldValue => {
    const read = readValue(type, each)
    if ('wrong' in read) throw wrong(place, read.wrong)
    return read.value
  }
  switch (is) {
    case 'in':
    case 'notin': {
      const list = listOf(raw)
      reading.values += list.length
      if (list.length > FILTER_LIMITS.list)
        throw limit(`${at} has ${list.length} values, and a list may have ${FILTER_LIMITS.list}`)
      if (reading.values > FILTER_LIMITS.values)
        throw limit(`the lists of a filter have more than ${FILTER_LIMITS.values} values`)
      if (isTime(field)) countConditions(reading, list.length)
      return { field, is, values: list.map((each, index) => valueOf(each, `${at}.${index}`)) }
    }
    case 'like':
      if (!isText(field)) throw new TypeError(`${field} is not compared as text`)
      return { field, is, pattern: String(valueOf(raw, at)) }
    default:
      return { field, is, value: valueOf(raw, at) }
  }
}

function isText(field: NodeField): field is Exclude<NodeField, TimeField | FlagField> {
  return FIELDS[field].type === 'string'
}

/** A single value stands for a list of it (GraphQL specification, List: Input Coercion). */
export function listOf(raw: unknown): readonly unknown[] {
  return Array.isArray(raw) ? raw : [raw]
}

export function wrong(at: string, how: string): QueryFault {
  return new QueryFault('arguments', `error parsing args: ${clip(at)}: ${how}`)
}

function limit(what: string): QueryFault {
  return new QueryFault('limit', `error parsing args: ${what}`)
}

function clip(at: string): string {
  return at.length > 200 ? quoted(at) : at
}

/** The moment before which a filter can match nothing; undefined where it names none. */
export function earliest(filter: Filter): number | undefined {
  if ('and' in filter) {
    const all = filter.and.map(earliest).filter((at) => at !== undefined)
    return all.length > 0 ? Math.max(...all) : undefined
  }
  if ('or' in filter) {
    const all = filter.or.map(earliest)
    const known = all.filter((at) => at !== undefined)
    return known.length === all.length ? Math.min(...known) : undefined
  }
  if (!isTime(filter.field)) return undefined
  switch (filter.is) {
    case 'eq':
    case 'geq':
    case 'gt':
      return Number(filter.value)
    case 'in':
      return filter.values.length > 0 ? Math.min(...filter.values.map(Number)) : undefined
    default:
      return undefined
  }
}
