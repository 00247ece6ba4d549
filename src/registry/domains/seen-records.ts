import type { HostAddress, Lookup, Resolver } from '#net/resolver.ts'
import type { ExpectedRecord } from './onboarding-records.ts'

/** A record that is there, in DNS or in a zone of ours. */
export interface SeenRecord {
  readonly name: string
  readonly type: string
  readonly content: string
  readonly priority: number | null
}

/** What DNS says at the names that onboarding cares about. */
export interface Seen {
  readonly records: readonly SeenRecord[]
  /** Names whose records nobody told: nothing is known of them. */
  readonly unanswered: readonly string[]
}

/** Asks DNS for every name and type among `expected`, all at once. An alias shows by the addresses it leads to: what is
 *  at those of its target is as good as the CNAME, whatever stands there. */
export async function lookUpRecords(
  expected: readonly Pick<ExpectedRecord, 'name' | 'type' | 'content'>[],
  resolver: Resolver,
): Promise<Seen> {
  const mx = [...new Set(expected.filter(({ type }) => type === 'MX').map(({ name }) => name))]
  const txt = [...new Set(expected.filter(({ type }) => type === 'TXT').map(({ name }) => name))]
  const answers = await Promise.all([
    ...mx.map(async (name) =>
      read(name, await resolver.mx(name), ({ preference, exchange }) => ({
        name,
        type: 'MX',
        // As names are stored: hosts tell them in any case (RFC 4343), some with the final dot.
        content: exchange.toLowerCase().replace(/\.$/, ''),
        priority: preference,
      })),
    ),
    ...txt.map(async (name) =>
      read(name, await resolver.txt(name), (content) => ({ name, type: 'TXT', content, priority: null })),
    ),
    ...expected
      .filter(({ type }) => type === 'CNAME')
      .map(async ({ name, content }) => {
        const [there, target] = await Promise.all([resolver.addresses(name), resolver.addresses(content)])
        return readAlias({ name, content }, there, target)
      }),
  ])
  return {
    records: answers.flatMap(({ records }) => records),
    unanswered: [...new Set(answers.flatMap(({ unanswered }) => unanswered))],
  }
}

function readAlias(
  alias: { readonly name: string; readonly content: string },
  there: Lookup<HostAddress>,
  target: Lookup<HostAddress>,
): Seen {
  const unknown = there.kind === 'temporary-failure' || target.kind === 'temporary-failure'
  if (unknown) return { records: [], unanswered: [alias.name] }
  const addresses = there.kind === 'found' ? there.records : []
  const targets = target.kind === 'found' ? target.records.map(({ address }) => address) : []
  if (addresses.length > 0 && addresses.every(({ address }) => targets.includes(address)))
    return { records: [{ ...alias, type: 'CNAME', priority: null }], unanswered: [] }
  return {
    records: addresses.map(({ address, family }) => ({
      name: alias.name,
      type: family === 6 ? 'AAAA' : 'A',
      content: address,
      priority: null,
    })),
    unanswered: [],
  }
}

function read<T>(name: string, answer: Lookup<T>, record: (found: T) => SeenRecord): Seen {
  if (answer.kind === 'temporary-failure') return { records: [], unanswered: [name] }
  return { records: answer.kind === 'found' ? answer.records.map(record) : [], unanswered: [] }
}
