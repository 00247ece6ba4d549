/** What an SMTP door says to a command, before it is a line: `smtp/reply.ts` has the wire form. */
export interface SmtpAnswer {
  readonly code: number
  /** RFC 3463. */
  readonly enhanced: string
  /** For a person. It may hold whatever a stranger wrote: the wire form leaves out what is no printable ASCII. */
  readonly text: string
}
