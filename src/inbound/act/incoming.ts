import type { Address } from '#model/address.ts'
import type { Content } from '#model/content.ts'
import type { HeaderBlock } from '#protocol/header-block.ts'
import type { RoutedDomain } from '#registry/domains/routed-domain.ts'
import type { RoutingRule } from '#registry/routes/rule.ts'

/** One transaction of a stranger's, complete: all that decides about it and is done with it. */
export interface Incoming {
  readonly session: IncomingSession
  /** '' is the null sender. */
  readonly mailFrom: Address | ''
  readonly recipients: readonly [Recipient, ...Recipient[]]
  readonly content: Content
  /** Its header section with the blank line, and where each field of it stands. */
  readonly header: Buffer
  readonly block: HeaderBlock
  /** Why the header cannot be read in one way only; then `header` and `block` are empty. */
  readonly flaw?: string
  /** When its last octet came, in ms. */
  readonly at: number
}

export interface IncomingSession {
  readonly id: string
  readonly remoteAddress: string
  readonly helo: string | undefined
  /** The name that the address has in DNS, and that leads back to it. */
  readonly hostName: string | undefined
  /** `ESMTPS` and its kin (RFC 3848, RFC 6531 §4.3). */
  readonly protocol: string
  /** Protocol and cipher. */
  readonly tls: string | undefined
}

/** Whom it is for, and what becomes of it. */
export interface Recipient {
  /** As the sender wrote it, in the case it wrote, but for a domain beyond ASCII, which is in A-labels. One that was
   *  rewritten may be longer than any other. */
  readonly to: Address
  readonly way: Way
}

export type Way =
  | { readonly kind: 'rule'; readonly domain: RoutedDomain; readonly rule: RoutingRule }
  /** An address that forwarding rewrote: back to whom it stands for. */
  | { readonly kind: 'return'; readonly sender: Address }
  /** postmaster@ and abuse@ of the service itself; `address` has its domain also where RCPT had none. */
  | { readonly kind: 'operator'; readonly operator: Address; readonly address: Address }
