import type { ZoneQuery } from '#contract/zones.ts'
import { parseDomainName } from '#protocol/domain-name.ts'
import type { Account } from '#registry/accounts/accounts.ts'
import type { Zone } from '#registry/domains/zones.ts'

export interface ZoneEntry {
  readonly zone: Zone
  readonly account: Pick<Account, 'id' | 'name'>
}

/** Whether the query asks for it. */
export function isWanted({ zone, account }: ZoneEntry, query: ZoneQuery): boolean {
  const { name, status, type, match } = query
  const tests = [
    name === undefined || isNamed(zone.name, name),
    status === undefined || zone.status === status,
    type === undefined || type.includes(zone.type),
    query['account.id'] === undefined || account.id === query['account.id'].toLowerCase(),
    query['account.name'] === undefined || isNamed(account.name, query['account.name']),
  ]
  if (match === 'all') return tests.every(Boolean)
  const given = [name, status, type, query['account.id'], query['account.name']]
  const asked = tests.filter((_, i) => given[i] !== undefined)
  return asked.length === 0 || asked.some(Boolean)
}

const OPERATORS: Readonly<Record<string, (value: string, wanted: string) => boolean>> = {
  equal: (value, wanted) => value === wanted,
  not_equal: (value, wanted) => value !== wanted,
  contains: (value, wanted) => value.includes(wanted),
  starts_with: (value, wanted) => value.startsWith(wanted),
  ends_with: (value, wanted) => value.endsWith(wanted),
}

/** `example.com`, or with an operator before it. A domain may be written in its own script. */
function isNamed(value: string, filter: string): boolean {
  const [, operator = 'equal', text = ''] = /^(?:([a-z_]+):)?(.*)$/s.exec(filter) ?? []
  const compare = OPERATORS[operator]
  if (!compare) return false
  const name = parseDomainName(text)
  return [text.toLowerCase(), ...(typeof name === 'string' ? [name] : [])].some((wanted) =>
    compare(value.toLowerCase(), wanted),
  )
}

export function orderBy({ order, direction }: ZoneQuery): (one: ZoneEntry, other: ZoneEntry) => number {
  const sign = direction === 'asc' ? 1 : -1
  const key = ({ zone, account }: ZoneEntry): string => {
    if (order === 'status') return `${zone.status} ${zone.name}`
    if (order === 'account.id') return `${account.id} ${zone.name}`
    return order === 'account.name' ? `${account.name} ${zone.name}` : zone.name
  }
  const compare = (one: string, other: string) => (one < other ? -1 : one > other ? 1 : 0)
  return (one, other) => sign * compare(key(one), key(other)) || compare(one.zone.id, other.zone.id)
}
