import type { Reply } from './reply.ts'

/** What a door does with a session. The session speaks SMTP; the handler has the policy. Every callback may answer a
 *  Reply, which is sent as it is: below 400 it lets the command pass, and 421 or a LastReply closes the connection.
 *  `undefined` lets the command pass with the session's own 250. A callback that throws is answered 451 4.3.0. */
export interface SmtpHandler {
  connect?(session: SmtpSession): Answer
  mail?(session: SmtpSession, from: string, parameters: SmtpParameters): Answer
  rcpt?(session: SmtpSession, to: string, parameters: SmtpParameters): Answer
  /** `undefined` when the credentials hold, else the refusal (535 5.7.8). Where this callback is, AUTH is offered over
   *  TLS, and MAIL, RCPT and DATA want it (530 5.7.0). It may take its time, against guessing: meanwhile the peer is
   *  held back and no deadline runs. When the peer leaves, `close` comes first and the verdict is not used. */
  authenticate?(session: SmtpSession, username: string, password: string): Promise<Reply | undefined>
  /** Called at DATA, after at least one accepted recipient. A Reply refuses the command instead of a 354. */
  data(session: SmtpSession): DataSink | Reply | Promise<DataSink | Reply>
  /** The connection is gone, however it ended. */
  close?(session: SmtpSession): void
}

/** After it the connection closes, as after a 421: nothing that the peer could still say would succeed. */
export interface LastReply extends Reply {
  readonly last: true
}

export type Answer = Reply | undefined | Promise<Reply | undefined>

/** Receives the content of one message: dot-unstuffed, at most the size limit; CRLF line ends only, unless the server
 *  was told to accept bare CR and LF, which then come as they were sent. Exactly one of `end` and `abort` follows. `end` gives the reply to the final dot. A promise from `write` holds the peer back; a
 *  `write` that throws is answered 451 and followed by `abort('failed')`. */
export interface DataSink {
  write(chunk: Buffer): void | Promise<void>
  end(): Promise<Reply>
  abort(reason: 'disconnected' | 'too-large' | 'bare-line-end' | 'timeout' | 'shutdown' | 'failed'): void
}

/** MAIL and RCPT parameters, keys in upper case: `SIZE=5`, `BODY=8BITMIME`, `SMTPUTF8` (true). */
export type SmtpParameters = ReadonlyMap<string, string | true>

/** What a handler may know of, and keep with, a session. */
export interface SmtpSession {
  readonly id: string
  readonly remoteAddress: string
  readonly remotePort: number
  readonly helo: string | undefined
  /** Whether it said EHLO; `with` of Received tells SMTP and ESMTP apart (RFC 5321 §4.4). */
  readonly esmtp: boolean
  readonly tls: { readonly protocol: string; readonly cipher: string } | undefined
  /** The envelope so far. */
  readonly envelope: SessionEnvelope
  /** The handler's own notes about this session; the session never touches them. */
  state: unknown
  /** Closes the connection at once, without another reply: a scripted disconnect. */
  destroy(): void
}

export interface SessionEnvelope {
  /** '' for the null sender, undefined before MAIL. */
  readonly from: string | undefined
  readonly to: readonly string[]
  /** Whether MAIL had SMTPUTF8 (RFC 6531); the `with` of Received tells (RFC 6531 §4.3). */
  readonly utf8: boolean
}
