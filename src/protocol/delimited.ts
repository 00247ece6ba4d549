/** Where the quoted string that opens at `open` closes; a backslash quotes what follows it (RFC 5322 §3.2.4). Undefined
 *  where it does not close. */
export function endOfQuoted(text: string, open: number): number | undefined {
  for (let at = open + 1; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === '"') return at
  }
  return undefined
}

/** The same of a comment, which may hold others (RFC 5322 §3.2.2). */
export function endOfComment(text: string, open: number): number | undefined {
  let depth = 0
  for (let at = open; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === '(') depth++
    else if (text[at] === ')' && --depth === 0) return at
  }
  return undefined
}
