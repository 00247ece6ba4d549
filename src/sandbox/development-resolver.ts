import { isIPv6 } from 'node:net'
import { parseDomainName } from '#protocol/domain-name.ts'

/** What DNS said: the shapes of `net/resolver.ts`, restated because this room needs nothing else of `net`. */
export type Lookup<T> =
  | { readonly kind: 'found'; readonly records: readonly T[] }
  | { readonly kind: 'no-data' }
  | { readonly kind: 'no-such-name' }
  | { readonly kind: 'temporary-failure'; readonly detail: string }

export interface DevelopmentResolver {
  mx(name: string): Promise<Lookup<{ readonly preference: number; readonly exchange: string }>>
  addresses(name: string): Promise<Lookup<{ readonly address: string; readonly family: 4 | 6 }>>
  txt(name: string): Promise<Lookup<string>>
}

/** What the service zone and the hosted zones say; `refused` for a name in none of them. */
export type OwnAnswer =
  | { readonly kind: 'answer'; readonly records: readonly OwnRecord[] }
  | { readonly kind: 'nodata' | 'nxdomain' | 'refused' | 'referral' }

export type OwnRecord =
  | { readonly type: 'MX'; readonly preference: number; readonly exchange: string }
  | { readonly type: 'TXT'; readonly text: string }
  | { readonly type: 'A' | 'AAAA' | 'CNAME' | 'NS' | 'PTR'; readonly data: string }
  | { readonly type: 'SOA' | 'SRV' | 'CAA' | 'SSHFP' | 'TLSA' }

type Asked = 'MX' | 'TXT' | 'A' | 'AAAA'

export interface DevelopmentResolverOptions {
  readonly answers: (name: string, type: Asked) => Promise<OwnAnswer>
  readonly sandbox: {
    /** The MX of every foreign name, e.g. `sandbox.posthorn.test`. */
    readonly host: string
    readonly addresses?: readonly string[]
  }
}

/** A chain of aliases that leads nowhere has to end. */
const MAX_ALIASES = 8

/** DNS for the development instance: our own zones as their authority answers, and for every other name one MX, the
 *  sandbox, so that no mail leaves the machine. Names under `invalid` do not exist (RFC 6761 §6.4), for tests that
 *  need a domain without mail. */
export function developmentResolver({ answers, sandbox }: DevelopmentResolverOptions): DevelopmentResolver {
  const { host, addresses = ['127.0.0.1'] } = sandbox
  const sandboxMx = found([{ preference: 10, exchange: host }])

  async function ask<T>(
    name: string,
    types: readonly Asked[],
    pick: (record: OwnRecord) => T | undefined,
    elsewhere: Lookup<T>,
    aliases = 0,
  ): Promise<Lookup<T>> {
    if (isAbsent(name)) return { kind: 'no-such-name' }
    const own = await Promise.all(types.map((type) => answers(name, type)))
    const records = own.flatMap((answer) => (answer.kind === 'answer' ? answer.records : []))
    const picked = records.map(pick).filter((record) => record !== undefined)
    if (picked.length > 0) return found(picked)
    const alias = records.findLast((record) => record.type === 'CNAME')
    if (alias?.type === 'CNAME' && aliases < MAX_ALIASES)
      return ask(alias.data, types, pick, elsewhere, aliases + 1)
    if (own.some(({ kind }) => kind === 'nxdomain')) return { kind: 'no-such-name' }
    // What a zone of ours delegated to others is as foreign as what never was here.
    return own.every(({ kind }) => kind === 'refused' || kind === 'referral')
      ? elsewhere
      : { kind: 'no-data' }
  }

  return {
    mx(name) {
      if (isSame(name, host)) return Promise.resolve(sandboxMx)
      return ask(name, ['MX'], (record) => (record.type === 'MX' ? record : undefined), sandboxMx)
    },
    addresses(name) {
      if (isSame(name, host)) return Promise.resolve(found(addresses.map(hostAddress)))
      // AAAA before A, as the real resolver.
      return ask(name, ['AAAA', 'A'], addressOf, { kind: 'no-data' })
    },
    txt: (name) =>
      ask(name, ['TXT'], (record) => (record.type === 'TXT' ? record.text : undefined), { kind: 'no-data' }),
  }
}

function found<T>(records: readonly T[]): Lookup<T> {
  return { kind: 'found', records }
}

function addressOf(record: OwnRecord) {
  return record.type === 'A' || record.type === 'AAAA' ? hostAddress(record.data) : undefined
}

function hostAddress(address: string): { readonly address: string; readonly family: 4 | 6 } {
  return { address, family: isIPv6(address) ? 6 : 4 }
}

function isSame(name: string, host: string): boolean {
  return name.toLowerCase().replace(/\.$/, '') === host
}

/** Underscores are for the names that hold keys and policies, not for hosts. */
function isAbsent(name: string): boolean {
  const parsed = parseDomainName(name.replace(/\.$/, '').replaceAll(/(^|\.)_/g, '$1'))
  return typeof parsed !== 'string' || /(?:^|\.)invalid$/.test(parsed)
}
