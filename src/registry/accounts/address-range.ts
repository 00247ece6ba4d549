import { isIP } from 'node:net'

/** A range of IP addresses as keys that sort as the addresses do: 32 hex digits, IPv4 mapped (RFC 4291 §2.5.5.2). */
export interface AddressRange {
  readonly low: string
  readonly high: string
}

/** Of an address, or of a range in CIDR notation; undefined for anything else. */
export function addressRange(text: string): AddressRange | undefined {
  const [address = '', bits, ...more] = text.split('/')
  const key = addressKey(address)
  if (key === undefined || more.length > 0) return undefined
  if (bits === undefined) return { low: key, high: key }
  const most = isIP(address) === 4 ? 32 : 128
  if (!/^\d{1,3}$/.test(bits) || Number(bits) > most) return undefined
  const free = BigInt(most - Number(bits))
  const low = (BigInt(`0x${key}`) >> free) << free
  const high = low | ((1n << free) - 1n)
  return { low: hex(low), high: hex(high) }
}

/** The key of an address, without its zone (`%eth0`); undefined for what is no address. */
export function addressKey(address: string): string | undefined {
  const plain = address.replace(/%.*$/, '')
  const family = isIP(plain)
  if (family === 0) return undefined
  return family === 4 ? `${'0'.repeat(20)}ffff${quad(plain)}` : groups(plain)
}

function groups(address: string): string {
  // The last 32 bits may be written as in IPv4 (RFC 4291 §2.2).
  const text = address.replace(/(?<=:)[\d.]+\.\d+$/, (v4) => quad(v4).replace(/^.{4}/, '$&:'))
  const [before = [], after] = text.split('::').map((half) => (half === '' ? [] : half.split(':')))
  const zeros = after ? Array<string>(8 - before.length - after.length).fill('0') : []
  return [...before, ...zeros, ...(after ?? [])].map((group) => group.toLowerCase().padStart(4, '0')).join('')
}

function quad(address: string): string {
  return address
    .split('.')
    .map((octet) => Number(octet).toString(16).padStart(2, '0'))
    .join('')
}

function hex(value: bigint): string {
  return value.toString(16).padStart(32, '0')
}
