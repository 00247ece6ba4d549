/** An IP address as the labels that reverse trees and DNS block lists file it under: octets of IPv4 (RFC 1035 §3.5),
 *  nibbles of IPv6 (RFC 3596 §2.5), the last first; an IPv4-mapped address as its IPv4 address. Equal addresses give
 *  equal labels, however they are written. Undefined for what is no address. */
export function reversedAddress(address: string): string | undefined {
  const ipv4 = /^(?:::ffff:)?(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/i.exec(address)
  if (ipv4) {
    const octets = ipv4.slice(1).map(Number)
    return octets.every((octet) => octet < 256) ? octets.toReversed().join('.') : undefined
  }
  const groups = ipv6Groups(address.replace(/%.*$/s, ''))
  if (groups === undefined) return undefined
  const [high = 0, low = 0] = groups.slice(6)
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff
  if (isMapped) return [low & 0xff, low >> 8, high & 0xff, high >> 8].join('.')
  const nibbles = groups.flatMap((group) => [group >> 12, (group >> 8) & 15, (group >> 4) & 15, group & 15])
  return nibbles
    .toReversed()
    .map((nibble) => nibble.toString(16))
    .join('.')
}

/** The name whose PTR records name the address; undefined for what is no address. */
export function reverseName(address: string): string | undefined {
  const labels = reversedAddress(address)
  if (labels === undefined) return undefined
  return labels.split('.').length === 4 ? `${labels}.in-addr.arpa` : `${labels}.ip6.arpa`
}

/** The eight groups of an IPv6 address (RFC 4291 §2.2). */
function ipv6Groups(text: string): number[] | undefined {
  const [head = '', tail, ...more] = text.split('::')
  if (more.length > 0) return undefined
  const before = groupsOf(head)
  const after = tail === undefined ? [] : groupsOf(tail)
  if (before === undefined || after === undefined) return undefined
  const zeros = 8 - before.length - after.length
  if (tail === undefined ? zeros !== 0 : zeros < 1) return undefined
  return [...before, ...Array<number>(zeros).fill(0), ...after]
}

function groupsOf(text: string): number[] | undefined {
  if (text === '') return []
  const groups: number[] = []
  const parts = text.split(':')
  for (const [index, part] of parts.entries()) {
    const dotted =
      index === parts.length - 1 ? /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(part) : null
    if (dotted) {
      const [a = 0, b = 0, c = 0, d = 0] = dotted.slice(1).map(Number)
      if (Math.max(a, b, c, d) > 255) return undefined
      groups.push((a << 8) | b, (c << 8) | d)
    } else if (/^[0-9a-f]{1,4}$/i.test(part)) groups.push(Number.parseInt(part, 16))
    else return undefined
  }
  return groups
}
