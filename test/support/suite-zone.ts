import type { HostAddress, Lookup, Resolver, ReverseLookup } from '#net/resolver.ts'

/** One record as the SPF suites write it: `{ MX: [10, 'mx.example'] }`; `TIMEOUT` stands for whatever is not listed. */
export type SuiteRecord = 'TIMEOUT' | Readonly<Record<string, string | readonly (string | number)[]>>
export type SuiteZone = Readonly<Record<string, readonly SuiteRecord[]>>

type Value = string | readonly (string | number)[]

/** The DNS of a published suite as our rooms see DNS. Aliases are followed, as a recursive server would. */
export function suiteZone(zone: SuiteZone): Resolver & ReverseLookup {
  const byName = new Map(Object.entries(zone).map(([name, records]) => [keyOf(name), records]))

  function find(name: string, type: string, aliases = 0): Lookup<Value> {
    const records = byName.get(keyOf(name))
    if (!records) return { kind: 'no-such-name' }
    const values = valuesOf(records, type)
    if (values.length > 0) return { kind: 'found', records: values }
    const [alias] = valuesOf(records, 'CNAME')
    if (typeof alias === 'string' && aliases < 8) return find(alias, type, aliases + 1)
    return records.includes('TIMEOUT')
      ? { kind: 'temporary-failure', detail: 'ETIMEOUT' }
      : { kind: 'no-data' }
  }

  return {
    txt: async (name) => mapped(find(name, 'TXT'), (value) => [value].flat().join('')),
    mx: async (name) =>
      mapped(find(name, 'MX'), (value) => ({
        preference: Number(value[0]),
        exchange: bare(String(value[1])),
      })),
    ptr: async (name) => mapped(find(name, 'PTR'), (value) => bare(String(value))),
    async addresses(name) {
      const four = mapped(find(name, 'A'), hostAddress(4))
      const six = mapped(find(name, 'AAAA'), hostAddress(6))
      const records = [six, four].flatMap((answer) => (answer.kind === 'found' ? answer.records : []))
      return records.length > 0 ? { kind: 'found', records } : four
    },
  }
}

function valuesOf(records: readonly SuiteRecord[], type: string): Value[] {
  return records.flatMap((record) => {
    const value = record === 'TIMEOUT' ? undefined : record[type]
    return value === undefined ? [] : [value]
  })
}

function mapped<T, U>(answer: Lookup<T>, map: (record: T) => U): Lookup<U> {
  return answer.kind === 'found' ? { kind: 'found', records: answer.records.map(map) } : answer
}

const hostAddress =
  (family: 4 | 6) =>
  (value: Value): HostAddress => ({ address: String(value), family })

const keyOf = (name: string) => bare(name).toLowerCase()
const bare = (name: string) => name.replace(/\.$/, '')
