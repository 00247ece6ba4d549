import { Resolver as NodeResolver } from 'node:dns/promises'

/** What DNS said, kept apart by what the asker must do: use it, take the absence as final, or come back later. */
export type Lookup<T> =
  | { readonly kind: 'found'; readonly records: readonly T[] }
  /** The name exists without such records (NODATA). */
  | { readonly kind: 'no-data' }
  /** The name does not exist, or could not: NXDOMAIN, or no legal name. */
  | { readonly kind: 'no-such-name' }
  /** Nobody answered, or with a fault (SERVFAIL, REFUSED); says nothing about the name. */
  | { readonly kind: 'temporary-failure'; readonly detail: string }

export interface MxRecord {
  readonly preference: number
  /** Without the final dot; the null MX of RFC 7505 is ''. */
  readonly exchange: string
}

export interface HostAddress {
  readonly address: string
  readonly family: 4 | 6
}

/** DNS as the rooms that need it see it. Names without the final dot, in A-labels. No call rejects. */
export interface Resolver {
  mx(name: string): Promise<Lookup<MxRecord>>
  /** AAAA before A (reference-postmaster.md: IPv6 first, IPv4 as the way back). */
  addresses(name: string): Promise<Lookup<HostAddress>>
  /** Each record as one string, its parts joined without a gap (RFC 7208 §3.3, RFC 6376 §3.6.2.2). */
  txt(name: string): Promise<Lookup<string>>
}

/** Which name servers a zone names for itself. No call rejects. */
export interface NameServerLookup {
  /** Host names without the final dot. */
  ns(name: string): Promise<Lookup<string>>
}

/** Which names an address has by its own account. No call rejects. */
export interface ReverseLookup {
  /** Host names without the final dot, for a name under `in-addr.arpa` or `ip6.arpa`. */
  ptr(name: string): Promise<Lookup<string>>
}

/** Answers that are to be kept for as long as their zone says. No call rejects. */
export interface TimedLookup {
  /** IPv4 addresses alone. */
  a(name: string): Promise<Lookup<TimedAddress>>
}

export interface TimedAddress {
  readonly address: string
  /** Where it is not known, whoever keeps the answer decides. */
  readonly ttlSeconds?: number
}

export interface SystemResolverOptions {
  /** `address` or `address:port`; absent means those of the machine. */
  readonly servers?: readonly string[]
  /** Wait for the first answer of one server; each further try waits longer. */
  readonly timeoutMs?: number
  readonly tries?: number
}

/** The production resolver: the machine's recursive servers, asked by c-ares. */
export function systemResolver({
  servers,
  timeoutMs = 3000,
  tries = 3,
}: SystemResolverOptions = {}): Resolver & NameServerLookup & ReverseLookup & TimedLookup {
  const dns = new NodeResolver({ timeout: timeoutMs, tries })
  if (servers) dns.setServers(servers)
  return {
    mx: (name) =>
      lookup(name, async () => {
        const records = await dns.resolveMx(name)
        return records.map(({ priority, exchange }) => ({ preference: priority, exchange }))
      }),
    txt: (name) =>
      lookup(name, async () => {
        const records = await dns.resolveTxt(name)
        return records.map((parts) => parts.join(''))
      }),
    ns: (name) => lookup(name, () => dns.resolveNs(name)),
    ptr: (name) => lookup(name, () => dns.resolvePtr(name)),
    a: (name) =>
      lookup(name, async () => {
        const records = await dns.resolve4(name, { ttl: true })
        return records.map(({ address, ttl }) => ({ address, ttlSeconds: ttl }))
      }),
    async addresses(name) {
      const [six, four] = await Promise.all([
        lookup(name, async () => hosts(await dns.resolve6(name), 6)),
        lookup(name, async () => hosts(await dns.resolve4(name), 4)),
      ])
      return eitherFamily(six, four)
    },
  }
}

/** One verdict from the two questions that "which addresses?" is. An answer outweighs the other question's failure:
 *  servers that fail for AAAA alone are common. */
export function eitherFamily(six: Lookup<HostAddress>, four: Lookup<HostAddress>): Lookup<HostAddress> {
  const records = [six, four].flatMap((answer) => (answer.kind === 'found' ? answer.records : []))
  if (records.length > 0) return { kind: 'found', records }
  return (
    [six, four].find(({ kind }) => kind === 'temporary-failure') ??
    [six, four].find(({ kind }) => kind === 'no-such-name') ?? { kind: 'no-data' }
  )
}

function hosts(addresses: readonly string[], family: 4 | 6): HostAddress[] {
  return addresses.map((address) => ({ address, family }))
}

async function lookup<T>(name: string, ask: () => Promise<readonly T[]>): Promise<Lookup<T>> {
  // c-ares takes a C string: past a NUL it would ask about another name.
  if (name.includes('\0')) return { kind: 'no-such-name' }
  try {
    const records = await ask()
    return records.length > 0 ? { kind: 'found', records } : { kind: 'no-data' }
  } catch (error) {
    return failure(error)
  }
}

function failure(error: unknown): Lookup<never> {
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined
  switch (code) {
    case 'ENODATA':
      return { kind: 'no-data' }
    case 'ENOTFOUND':
    case 'EBADNAME': // c-ares refuses to ask: an empty label, one past 63 octets, a space
      return { kind: 'no-such-name' }
    case undefined:
      throw error
    default:
      return { kind: 'temporary-failure', detail: code }
  }
}
