import { BlockList, isIPv4, isIPv6 } from 'node:net'

/** Where an address lives, by the special-purpose registries of IANA (RFC 6890 and what followed it). Only `public`
 *  may be dialled on a stranger's word. */
export type AddressScope =
  | 'public'
  | 'unspecified'
  | 'loopback'
  | 'private'
  | 'link-local'
  | 'shared'
  | 'multicast'
  | 'reserved'

type Rule = readonly [network: string, bits: number, scope: AddressScope]

const IPV4: readonly Rule[] = [
  ['0.0.0.0', 8, 'unspecified'], // "this network", RFC 791; Linux connects 0.0.0.0 to itself
  ['10.0.0.0', 8, 'private'],
  ['100.64.0.0', 10, 'shared'], // carrier-grade NAT, RFC 6598; cloud metadata lives here too
  ['127.0.0.0', 8, 'loopback'],
  ['169.254.0.0', 16, 'link-local'], // cloud metadata
  ['172.16.0.0', 12, 'private'],
  ['192.0.0.0', 24, 'reserved'],
  ['192.0.2.0', 24, 'reserved'], // documentation, RFC 5737
  ['192.88.99.0', 24, 'reserved'], // 6to4 relays, withdrawn by RFC 7526
  ['192.168.0.0', 16, 'private'],
  ['198.18.0.0', 15, 'reserved'], // benchmarks, RFC 2544
  ['198.51.100.0', 24, 'reserved'],
  ['203.0.113.0', 24, 'reserved'],
  ['168.63.129.16', 32, 'link-local'], // Azure's host agent: routable by form, never beyond the machine
  ['224.0.0.0', 4, 'multicast'],
  ['240.0.0.0', 4, 'reserved'], // 255.255.255.255 included
]

const IPV6: readonly Rule[] = [
  ['::', 128, 'unspecified'],
  ['::1', 128, 'loopback'],
  ['64:ff9b:1::', 48, 'private'], // local-use NAT64, RFC 8215: leads wherever its operator likes
  ['fc00::', 7, 'private'],
  ['fe80::', 10, 'link-local'],
  ['fec0::', 10, 'private'], // site-local, RFC 3879
  ['ff00::', 8, 'multicast'],
  ['2001::', 23, 'reserved'], // IETF protocol assignments: Teredo, benchmarks, ORCHID
  ['2001:db8::', 32, 'reserved'],
  ['3fff::', 20, 'reserved'], // documentation, RFC 9637
]

/** IPv6 forms that carry an IPv4 address, which is where the packet ends up, and the 16-bit group it begins in. */
const EMBEDDING: readonly (readonly [network: string, bits: number, group: number])[] = [
  ['::ffff:0:0', 96, 6], // mapped
  ['64:ff9b::', 96, 6], // NAT64, RFC 6052
  ['2002::', 16, 1], // 6to4, RFC 3056
]

const ipv4Rules = IPV4.map(([network, bits, scope]) => ({ list: subnet(network, bits, 'ipv4'), scope }))
const ipv6Rules = IPV6.map(([network, bits, scope]) => ({ list: subnet(network, bits, 'ipv6'), scope }))
const embeddings = EMBEDDING.map(([network, bits, group]) => ({ list: subnet(network, bits, 'ipv6'), group }))
// RFC 4291 §2.4: whatever lies outside is assigned to nobody, so it is not public.
const globalUnicast = subnet('2000::', 3, 'ipv6')
const OUTSIDE = ['::/3', '4000::/2', '8000::/1']

/** The same for those who decide by networks: the ones with no public address, and, as they cannot look into an address,
 *  those whose addresses carry another. */
export const CLOSED_NETWORKS: readonly string[] = [
  ...[...IPV4, ...IPV6, ...EMBEDDING].map(([network, bits]) => `${network}/${bits}`),
  ...OUTSIDE,
]

/** The scope of an IP address, `undefined` for text that is none. The short, octal, hex and decimal spellings that
 *  some libraries take for IPv4 are none: they would mean one address here and another to whoever connects. */
export function addressScope(address: string): AddressScope | undefined {
  if (isIPv4(address)) return ipv4Scope(address)
  if (!isIPv6(address)) return undefined
  const bare = withoutZone(address)
  const embedding = embeddings.find(({ list }) => list.check(bare, 'ipv6'))
  if (embedding) return ipv4Scope(embeddedIpv4(bare, embedding.group))
  const rule = ipv6Rules.find(({ list }) => list.check(bare, 'ipv6'))
  return rule?.scope ?? (globalUnicast.check(bare, 'ipv6') ? 'public' : 'reserved')
}

/** True only for an IP address that belongs to the public internet; the guard for every destination that a customer
 *  or a stranger's DNS names. */
export function isPublicAddress(address: string): boolean {
  return addressScope(address) === 'public'
}

function ipv4Scope(address: string): AddressScope {
  return ipv4Rules.find(({ list }) => list.check(address, 'ipv4'))?.scope ?? 'public'
}

function subnet(network: string, bits: number, family: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList()
  list.addSubnet(network, bits, family)
  return list
}

function withoutZone(address: string): string {
  const percent = address.indexOf('%')
  return percent === -1 ? address : address.slice(0, percent)
}

function embeddedIpv4(address: string, group: number): string {
  const groups = ipv6Groups(address)
  const [high = 0, low = 0] = groups.slice(group, group + 2)
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.')
}

/** The eight groups of an address that `isIPv6` accepted (RFC 4291 §2.2). */
function ipv6Groups(address: string): number[] {
  const [head = '', tail] = address.split('::')
  const before = groupsOf(head)
  if (tail === undefined) return before
  const after = groupsOf(tail)
  return [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after]
}

function groupsOf(text: string): number[] {
  if (text === '') return []
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)]
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number)
    return [(a << 8) | b, (c << 8) | d]
  })
}
