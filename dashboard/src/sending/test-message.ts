/** A message as the form of “Send a test” has it, from which its request is made in every language. */
export interface TestMessage {
  readonly from: { readonly address: string; readonly name: string }
  readonly to: readonly string[]
  readonly subject: string
  /** Empty: left out. */
  readonly text: string
  readonly html: string
  readonly attachments: readonly TestAttachment[]
}

export interface TestAttachment {
  readonly filename: string
  readonly type: string
  /** Base64. */
  readonly content: string
}

/** The addresses that a field of recipients has, whatever stands between them. */
export function splitAddresses(text: string): readonly string[] {
  return text.split(/[\s,;]+/).filter((address) => address !== '')
}

/** What `send` takes. `content` says how an attachment's is written. */
export function sendBody<Content>(
  { from, to, subject, text, html, attachments }: TestMessage,
  content: (attachment: TestAttachment) => Content,
) {
  return {
    from: from.name === '' ? from.address : { address: from.address, name: from.name },
    to,
    subject,
    ...(text !== '' && { text }),
    ...(html !== '' && { html }),
    ...(attachments.length > 0 && {
      attachments: attachments.map((attachment) => ({
        filename: attachment.filename,
        type: attachment.type,
        disposition: 'attachment' as const,
        content: content(attachment),
      })),
    }),
  }
}
