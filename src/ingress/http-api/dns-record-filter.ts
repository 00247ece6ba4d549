import type { z } from 'zod'
import type { dnsRecordQuery } from '#contract/dns-records.ts'
import type { ZoneRecordRow } from '#registry/domains/dns-provider.ts'

export type DnsRecordQuery = z.output<typeof dnsRecordQuery>

type Compare = (value: string, wanted: string) => boolean

const COMPARISONS: readonly (readonly [string, Compare])[] = [
  ['', (value, wanted) => value === wanted],
  ['.exact', (value, wanted) => value === wanted],
  ['.contains', (value, wanted) => value.includes(wanted)],
  ['.startswith', (value, wanted) => value.startsWith(wanted)],
  ['.endswith', (value, wanted) => value.endsWith(wanted)],
]

/** Whether a list with these filters shows the record. */
export function isWantedRecord(row: ZoneRecordRow, query: DnsRecordQuery): boolean {
  const tests = [...textTests(row, query), ...otherTests(row, query)]
  return query.match === 'all' || tests.length === 0 ? tests.every(Boolean) : tests.some(Boolean)
}

function textTests(row: ZoneRecordRow, query: DnsRecordQuery): boolean[] {
  const values = { name: row.name, content: row.content, comment: row.comment ?? '' }
  const given = new Map(Object.entries(query))
  return Object.entries(values).flatMap(([field, value]) =>
    COMPARISONS.flatMap(([how, compare]) => {
      const wanted = given.get(`${field}${how}`)
      if (typeof wanted !== 'string') return []
      return [compare(value.toLowerCase(), field === 'name' ? bare(wanted) : wanted.toLowerCase())]
    }),
  )
}

function otherTests(row: ZoneRecordRow, query: DnsRecordQuery): boolean[] {
  const { type, proxied, search, tag, tag_match: tagMatch } = query
  const tests: boolean[] = []
  if (type !== undefined) tests.push(row.type === type.toUpperCase())
  if (proxied !== undefined) tests.push(proxied === 'false')
  if (search !== undefined) tests.push(isFound(row, search.toLowerCase()))
  if (tag) {
    const has = (one: string) => row.tags.includes(one)
    tests.push(tagMatch === 'all' ? tag.every(has) : tag.some(has))
  }
  if (query['comment.present'] !== undefined) tests.push(row.comment !== null)
  if (query['comment.absent'] !== undefined) tests.push(row.comment === null)
  return tests
}

function isFound({ name, type, content, comment, tags }: ZoneRecordRow, text: string): boolean {
  return [name, type, content, comment ?? '', ...tags].some((value) => value.toLowerCase().includes(text))
}

function bare(name: string): string {
  return name.toLowerCase().replace(/\.$/, '')
}

/** As asked, and records that are alike in that as they were before. */
export function orderRecords(rows: readonly ZoneRecordRow[], query: DnsRecordQuery): ZoneRecordRow[] {
  const { order, direction } = query
  const sign = direction === 'asc' ? 1 : -1
  return rows.toSorted((one, other) => {
    if (order === 'ttl') return sign * (one.ttl - other.ttl)
    if (order !== 'name' && order !== 'type' && order !== 'content') return 0
    return sign * (one[order] < other[order] ? -1 : one[order] > other[order] ? 1 : 0)
  })
}
