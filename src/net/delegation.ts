import type { DecodedPacket } from 'dns-packet'
import { askNameServer } from './ask-name-server.ts'
import type { Lookup, NameServerLookup, Resolver } from './resolver.ts'

/** To whom a name is delegated, by the word of the zone above it. A resolver cannot be asked: it follows the delegation
 *  and asks the delegated servers, which may not answer for the name yet. No call rejects. */
export interface DelegationLookup {
  /** Host names in lower case without the final dot. */
  delegation(name: string): Promise<Lookup<string>>
}

export interface DelegationOptions {
  readonly resolver: Pick<Resolver, 'addresses'> & NameServerLookup
  /** Whether we may connect there: the zone above may be anybody's, and name any address. */
  readonly mayAsk: (address: string) => boolean
  readonly port?: number
  readonly timeoutMs?: number
}

const SERVERS_ASKED = 4

/** `name` in lower case, of two labels or more. */
export function delegationLookup(options: DelegationOptions): DelegationLookup {
  const { resolver, mayAsk, port = 53, timeoutMs = 3000 } = options

  async function serversAbove(name: string): Promise<Lookup<string>> {
    const labels = name.split('.')
    for (let i = 1; i < labels.length; i++) {
      const found = await resolver.ns(labels.slice(i).join('.'))
      // A name without NS records is no zone's beginning: its zone begins further up.
      if (found.kind === 'found' || found.kind === 'temporary-failure') return found
    }
    return { kind: 'no-such-name' }
  }

  return {
    async delegation(name) {
      const servers = await serversAbove(name)
      if (servers.kind !== 'found') return servers
      for (const host of servers.records.slice(0, SERVERS_ASKED)) {
        const addresses = await resolver.addresses(host)
        const address =
          addresses.kind === 'found' ? addresses.records.find((one) => mayAsk(one.address)) : undefined
        if (!address) continue
        const answer = await askNameServer({ address: address.address, port }, name, timeoutMs)
        const said = answer && delegationIn(answer, name)
        if (said) return said
      }
      return { kind: 'temporary-failure', detail: 'no name server of the zone above answered' }
    },
  }
}

const NXDOMAIN = 3

/** Undefined where the server does not know. */
function delegationIn(answer: DecodedPacket, name: string): Lookup<string> | undefined {
  const rcode = (answer.flags ?? 0) & 0xf
  if (rcode === NXDOMAIN) return { kind: 'no-such-name' }
  if (rcode !== 0) return undefined
  // RFC 1034 §4.3.2: a referral is in the authority section; a server of both zones answers with the records.
  const said = [...(answer.answers ?? []), ...(answer.authorities ?? [])]
  const records = said.flatMap((record) =>
    record.type === 'NS' && record.name.toLowerCase() === name ? [record.data.toLowerCase()] : [],
  )
  if (records.length > 0) return { kind: 'found', records }
  return answer.flag_aa ? { kind: 'no-data' } : undefined
}
