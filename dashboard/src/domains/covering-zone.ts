/** The zone that a domain is of: its own, or the closest above it. */
export function coveringZone<Z extends { readonly name: string }>(
  zones: readonly Z[],
  domain: string,
): Z | undefined {
  const name = plainDomain(domain)
  return zones
    .filter((zone) => name === zone.name || name.endsWith(`.${zone.name}`))
    .toSorted((one, other) => other.name.length - one.name.length)[0]
}

/** As people type or paste it: an address of the web, an e-mail address, a final dot. */
export function plainDomain(text: string): string {
  return text
    .trim()
    .toLowerCase()
    .replace(/^[a-z]+:\/\//, '')
    .replace(/^.*@/, '')
    .replace(/[/?#:].*$/, '')
    .replace(/\.$/, '')
}
