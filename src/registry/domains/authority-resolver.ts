import type { Lookup, Resolver } from '#net/resolver.ts'
import type { Authority } from './authority.ts'
import type { ZoneRecord } from './zone-record.ts'

/** DNS as our own zones alone have it. `elsewhere` answers for every name that is in none of them. */
export function authorityResolver(
  authority: Authority,
  elsewhere: Lookup<never>,
): Pick<Resolver, 'mx' | 'txt'> {
  async function ask<T>(
    name: string,
    type: 'MX' | 'TXT',
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
    txt: (name) => ask(name, 'TXT', (record) => (record.type === 'TXT' ? record.text : undefined)),
  }
}
