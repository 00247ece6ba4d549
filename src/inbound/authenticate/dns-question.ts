import type { HostAddress, Lookup, Resolver, ReverseLookup } from '#net/resolver.ts'

/** A question as `node:dns` would be asked it, from the thread that verifies. */
export interface DnsQuestion {
  readonly name: string
  readonly type: string
}

/** What `node:dns` would resolve to, or the code it would reject with. */
export type DnsAnswer =
  | { readonly records: readonly string[] | readonly string[][] | readonly MailExchange[] }
  | { readonly code: 'ENODATA' | 'ENOTFOUND' | 'ESERVFAIL' }

export interface MailExchange {
  readonly exchange: string
  readonly priority: number
}

/** What mailauth asks DNS by: `node:dns`'s `resolve`. */
export type DnsFunction = (name: string, type: string) => Promise<string[][]>

export function dnsFunction(ask: (question: DnsQuestion) => Promise<DnsAnswer>): DnsFunction {
  return async (name, type) => {
    const answer = await ask({ name, type })
    if ('code' in answer) throw Object.assign(new Error(`${answer.code} ${name}`), { code: answer.code })
    // mailauth takes what `node:dns` gives, of which its types know a part.
    return answer.records as string[][]
  }
}

/** Asks our own resolver, so that verification sees the same DNS as delivery does. A resolver that knows no names of
 *  addresses (PTR) lets SPF's `ptr` mechanism, which RFC 7208 §5.5 tells everybody not to use, match nobody. */
export async function answerDns(
  resolver: Resolver & Partial<ReverseLookup>,
  { name, type }: DnsQuestion,
): Promise<DnsAnswer> {
  switch (type) {
    case 'TXT': {
      const answer = await resolver.txt(name)
      return answer.kind === 'found' ? { records: answer.records.map((text) => [text]) } : absence(answer)
    }
    case 'MX': {
      const answer = await resolver.mx(name)
      if (answer.kind !== 'found') return absence(answer)
      return {
        records: answer.records.map(({ exchange, preference }) => ({ exchange, priority: preference })),
      }
    }
    case 'A':
      return ofFamily(4, await resolver.addresses(name))
    case 'AAAA':
      return ofFamily(6, await resolver.addresses(name))
    case 'PTR': {
      const answer = (await resolver.ptr?.(name)) ?? { kind: 'no-data' }
      return answer.kind === 'found' ? { records: answer.records } : absence(answer)
    }
    default:
      return { code: 'ENODATA' }
  }
}

/** The resolver tells both families at once. */
function ofFamily(wanted: 4 | 6, answer: Lookup<HostAddress>): DnsAnswer {
  if (answer.kind !== 'found') return absence(answer)
  const addresses = answer.records.filter(({ family }) => family === wanted).map(({ address }) => address)
  return addresses.length > 0 ? { records: addresses } : { code: 'ENODATA' }
}

function absence({ kind }: Exclude<Lookup<unknown>, { kind: 'found' }>): DnsAnswer {
  return { code: CODES[kind] }
}

const CODES = {
  'no-data': 'ENODATA',
  'no-such-name': 'ENOTFOUND',
  'temporary-failure': 'ESERVFAIL',
} as const
