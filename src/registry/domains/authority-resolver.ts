import { eitherFamily, type HostAddress, type Lookup, type Resolver } from '#net/resolver.ts'
import type { Authority } from './authority.ts'
import type { ZoneRecord } from './zone-record.ts'

/** DNS as our own zones alone have it. `elsewhere` answers for every name that is in none of them. */
export function authorityResolver(authority: Authority, elsewhere: Lookup<never>): Resolver {
  async function ask<T>(
    name: string,
    type: 'MX' | 'TXT' | 'A' | 'AAAA',
    pick: (record: ZoneRecord) => T | undefined,
  ): Promise<Lookup<T>> {
    const answer = await authority.answers(name, type)
    if (answer.kind === 'refused') return elsewhere
    if (answer.kind === 'nxdomain') return { kind: 'no-such-name' }
    const records = answer.records.map(pick).filter((record) => record !== undefined)
    return records.length > 0 ? { kind: 'found', records } : { kind: 'no-data' }
  }
  return {
    mx: (name) => ask(name, 'MX', (record) => (record.type === 'MX' ? record : undefined)),
    async addresses(name) {
      const [six, four] = await Promise.all([
        ask(name, 'AAAA', (record) => (record.type === 'AAAA' ? hostAddress(record.data, 6) : undefined)),
        ask(name, 'A', (record) => (record.type === 'A' ? hostAddress(record.data, 4) : undefined)),
      ])
      return eitherFamily(six, four)
    },
    txt: (name) => ask(name, 'TXT', (record) => (record.type === 'TXT' ? record.text : undefined)),
  }
}

function hostAddress(address: string, family: 4 | 6): HostAddress {
  return { address, family }
}
