/** A mail server that takes all mail of a domain, an account or the installation in place of the recipients' own. */
export interface Smarthost {
  readonly id: string
  readonly host: string
  readonly port: number
  /** `implicit`: TLS from the first byte. `starttls`: by STARTTLS, or not at all. Both verify the certificate. `none`:
   *  in clear, for a host in the same machine or network. */
  readonly tls: 'implicit' | 'starttls' | 'none'
  readonly login?: { readonly username: string; readonly password: string }
  /** The operator's own word, who may point into private networks; a customer may not. */
  readonly trusted: boolean
}

/** What somebody sets a smarthost to. */
export type SmarthostSetting = Omit<Smarthost, 'id' | 'trusted'>

/** What happened when we connected to a smarthost, logged in and said QUIT. */
export interface SmarthostTrial {
  /** `ready`: it would take mail. `no-address`: its name leads nowhere that we go to. `unreachable`: no connection, or
   *  one that broke. `tls-failed`: no TLS, or a certificate that does not hold. `refused`: it wants no session with us.
   *  `login-refused`: nor with these credentials, or it offers no login. */
  readonly outcome: 'ready' | 'no-address' | 'unreachable' | 'tls-failed' | 'refused' | 'login-refused'
  /** One line for a person. */
  readonly detail: string
  /** The one that answered, or the last that did not. */
  readonly address?: string
  /** Protocol and cipher. */
  readonly tls?: string
  /** `c: …` and `s: …`, without credentials. */
  readonly dialogue: readonly string[]
  readonly durationMs: number
}
