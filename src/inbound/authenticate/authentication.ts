/** What an SMTP session tells of a message, and its content. */
export interface ArrivedMail {
  /** CRLF line ends, dots unstuffed, as it came: without fields of ours. */
  readonly content: Buffer
  /** The peer's IP address. */
  readonly remoteAddress: string
  /** What the peer called itself. */
  readonly helo: string | undefined
  /** '' is the null sender, whose HELO name is checked in its place (RFC 7208 §2.4). */
  readonly mailFrom: string
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
}

export interface SpfVerdict {
  readonly result: 'pass' | 'fail' | 'softfail' | 'neutral' | 'none' | 'temperror' | 'permerror'
  /** The domain that was asked: of MAIL FROM, else of HELO. */
  readonly domain: string
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
}
