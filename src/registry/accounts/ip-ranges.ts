import { BlockList, isIP } from 'node:net'
import { addressKey } from './address-range.ts'

/** From where a token works: from an address in `in`, where that is given, and from none in `not_in`. */
export interface IpRanges {
  readonly in?: readonly string[]
  readonly not_in?: readonly string[]
}

// RFC 4291 §2.5.5.2.
const MAPPED = `${'0'.repeat(20)}ffff`

/** An address, or a range in CIDR notation. */
export function isIpRange(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/')
  const family = isIP(address)
  if (family === 0 || address.includes('%') || more.length > 0) return false
  // An IPv4 client counts by its IPv4 address, so that a mapped range would hold nobody.
  if (family === 6 && addressKey(address)?.startsWith(MAPPED)) return false
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128))
}

/** Undefined for an address that is not known: it is in no range. */
export function allowsAddress(ranges: IpRanges, address: string | undefined): boolean {
  if (address === undefined) return false
  // A door that listens on IPv6 sees IPv4 clients mapped (RFC 4291 §2.5.5.2).
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '')
  if (ranges.not_in && contains(ranges.not_in, plain)) return false
  return ranges.in === undefined || contains(ranges.in, plain)
}

function contains(ranges: readonly string[], address: string): boolean {
  const family = isIP(address)
  if (family === 0) return false
  const list = new BlockList()
  for (const range of ranges) {
    const [network = '', bits] = range.split('/')
    const type = isIP(network) === 4 ? 'ipv4' : 'ipv6'
    if (bits === undefined) list.addAddress(network, type)
    else list.addSubnet(network, Number(bits), type)
  }
  return list.check(address, family === 4 ? 'ipv4' : 'ipv6')
}
