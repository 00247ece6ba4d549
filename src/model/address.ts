/** An e-mail address `local@domain` that `protocol/address.ts` parsed: the domain in lower-case A-labels, the
 *  local part as its owner wrote it (RFC 5321 §2.4) but in NFC, quoted only where it must be. Only the local part may
 *  lie beyond ASCII (RFC 6531 §3.3). */
export type Address = string & { readonly __brand: 'Address' }

/** An address with the display name a person reads (RFC 5322 §3.4 `name-addr`). */
export interface Mailbox {
  readonly address: Address
  readonly name?: string
}

export function domainOf(address: Address): string {
  return address.slice(address.lastIndexOf('@') + 1)
}

export function localPartOf(address: Address): string {
  return address.slice(0, address.lastIndexOf('@'))
}

/** The key under which two spellings of one mailbox meet: suppressions, destinations and duplicate recipients
 *  compare without regard to case, although RFC 5321 §2.4 would allow a host to tell them apart. Letters that only
 *  look alike stay apart. */
export function foldAddress(address: Address): string {
  const lower = address.toLowerCase()
  // oxlint-disable-next-line no-control-regex -- everything outside ASCII is what it looks for
  if (!/[^\x00-\x7f]/.test(lower)) return lower
  // Which of its two small forms a capital sigma gets depends on what follows it.
  return lower.normalize('NFC').replaceAll('ς', 'σ')
}
