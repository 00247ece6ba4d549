import type { Content } from '#model/content.ts'

/** What an SMTP session tells of a message's sender. */
export interface SenderSession {
  /** The peer's IP address. */
  readonly remoteAddress: string
  /** What the peer called itself. */
  readonly helo: string | undefined
  /** '' is the null sender, whose HELO name is checked in its place (RFC 7208 §2.4). */
  readonly mailFrom: string
}

/** What an SMTP session tells of a message, and its content. */
export interface ArrivedMail extends SenderSession {
  /** As it came: without fields of ours. A file stays where it is until the verdict is there. */
  readonly content: Content
}

/** What a message proves of its origin; the results in the words of RFC 8601 §2.7. `temperror` says that DNS did not
 *  answer: the same message may have another result later. */
export interface Authentication {
  readonly spf: SpfVerdict
  /** One for each signature, those past the tenth not looked at. */
  readonly dkim: readonly DkimVerdict[]
  /** Domain of the author in lower-case A-labels; undefined unless there is exactly one From field with exactly one
   *  address, and a header that every reader splits in the same way. */
  readonly from: string | undefined
  readonly dmarc: DmarcVerdict
  readonly arc: ArcVerdict
}

export interface SpfVerdict {
  readonly result: 'pass' | 'fail' | 'softfail' | 'neutral' | 'none' | 'temperror' | 'permerror'
  /** The domain that was asked: of MAIL FROM, else of HELO. */
  readonly domain: string
  /** Which of the two it was. */
  readonly identity: 'mailfrom' | 'helo'
  /** Whether that domain is the author's, or stands above or below it. */
  readonly aligned: boolean
}

export interface DkimVerdict {
  readonly domain: string
  readonly selector: string
  readonly result: 'pass' | 'fail' | 'policy' | 'neutral' | 'temperror' | 'permerror' | 'none'
  /** Whether the signing domain and the author's share their organizational domain (RFC 7489 §3.1.1, relaxed). */
  readonly aligned: boolean
  /** False where `l=` left the end of the body to whoever wants to add something (RFC 6376 §8.2). */
  readonly coversBody: boolean
  /** `a=` as it was written, and the first eight characters of `b=` (RFC 6008 §4), which tell two of a domain apart. */
  readonly algorithm: string
  readonly signature: string
}

export interface DmarcVerdict {
  /** By RFC 9989, with two additions. `temperror` stands also where it failed, but an identifier that DNS did not answer
   *  for might have made it pass. `permerror`: the author is not one that every reader would see (no From, several, several
   *  domains, or a header that can be split in two ways), so nobody's policy can be asked; RFC 9989 §11.5 calls that
   *  suspicious, and a forger has it for free. */
  readonly result: 'pass' | 'fail' | 'none' | 'temperror' | 'permerror'
  /** What the author's domain asks to be done with its mail that fails, after `sp`, `np` and `t`. 'none' where nobody
   *  asks, and where it is unknown. */
  readonly policy: 'none' | 'quarantine' | 'reject'
  /** Where the record was found: the author's domain, its organizational domain, or the public suffix above. */
  readonly domain: string | undefined
  /** Whether SPF, and whether a DKIM signature over the whole body, passed for a domain in alignment with the author's.
   *  False without a record. */
  readonly aligned: { readonly spf: boolean; readonly dkim: boolean }
}

export interface ArcVerdict {
  /** RFC 8617 §5.2. A key that DNS does not tell fails the chain like any other fault (§5.2.2). */
  readonly result: 'none' | 'pass' | 'fail'
  /** The highest instance that the message bears, in a chain that fails too: a new set is one above. */
  readonly instances: number
  /** The newest set says cv=fail already: RFC 8617 §5.1 allows no further one. */
  readonly closed: boolean
  /** It fails, and DNS did not answer for a key: it may pass later. */
  readonly undecided: boolean
  /** `d=` of each set in lower case, the newest first. Empty unless the chain passes. */
  readonly sealers: readonly string[]
  /** What the oldest sealer claims that can be reached from the newest over trusted ones alone. */
  readonly oldest?: ArcClaims
  /** Only where the chain passes and every sealer down to the origin is trusted: what passed before the first of them
   *  touched the message. `dmarc` counts for the present author alone. An untrusted sealer never overrides anything. */
  readonly trustedPass?: { readonly spf: boolean; readonly dkim: boolean; readonly dmarc: boolean }
}

/** What an ARC-Authentication-Results field says, in lower case; undefined for what it does not speak of. */
export interface ArcClaims {
  /** `d=` of the seal over it. */
  readonly sealer: string
  readonly spf: string | undefined
  /** 'pass' where any signature passed. */
  readonly dkim: string | undefined
  readonly dmarc: string | undefined
  /** The author's domain that `dmarc` is about. */
  readonly from: string | undefined
}
