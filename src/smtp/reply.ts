/** One SMTP reply (RFC 5321 §4.2) with its enhanced status code (RFC 3463) taken out of the text, if it has one.
 *  `text` may hold several lines, separated by `\n`; it never carries CR. */
export interface Reply {
  readonly code: number
  readonly enhanced?: string
  readonly text: string
}
