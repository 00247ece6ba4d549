export interface MailHeader {
  readonly name: string
  /** Unfolded. */
  readonly value: string
}

/** The fields of a header block, as they stand (RFC 5322 §2.2); lines that are none belong to the one before. */
export function readHeaders(block: string): readonly MailHeader[] {
  const headers: { name: string; value: string }[] = []
  for (const line of block.split(/\r?\n/)) {
    const [, name, value] = /^([!-9;-~]+)[ \t]*:[ \t]?(.*)$/.exec(line) ?? []
    const last = headers.at(-1)
    if (name !== undefined && value !== undefined) headers.push({ name, value })
    else if (last && line !== '') last.value += `\n${line}`
  }
  return headers
}

/** The header block of a message: what stands before its first empty line. */
export function headerBlock(source: string): string {
  const end = /\r?\n\r?\n/.exec(source)
  return end ? source.slice(0, end.index) : source
}
