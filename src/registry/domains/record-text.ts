/** Octets of a TXT record's text: more than any key, policy or proof needs. */
export const LONGEST_TEXT = 2048

// RFC 1035 §5.1: inside quotes a backslash takes the next character as it is.
const QUOTED = /"((?:[^"\\]|\\.)*)"/gsy

/** The content of a TXT record as people write it: bare text, or character-strings in quotes, which are one text
 *  without gaps (RFC 7208 §3.3, RFC 6376 §3.6.2.2). Or what is wrong with it, as a sentence. */
export function readText(content: string): { readonly text: string } | { readonly fault: string } {
  const trimmed = content.trim()
  const text = trimmed.startsWith('"') ? joinStrings(trimmed) : trimmed
  if (text === undefined)
    return {
      fault: 'The content of a TXT record has a quote that does not end: write "text" or "one" "two".',
    }
  if (!text.isWellFormed() || /\p{Cc}/u.test(text))
    return { fault: 'The content of a TXT record may hold no control characters.' }
  if (Buffer.byteLength(text) > LONGEST_TEXT)
    return { fault: `The content of a TXT record may have ${LONGEST_TEXT} octets at most.` }
  return { text }
}

/** As `readText` takes it: bare, unless that would be read as something else. */
export function writeText(text: string): string {
  return text.startsWith('"') || text !== text.trim() || text === ''
    ? `"${text.replaceAll(/["\\]/g, '\\$&')}"`
    : text
}

function joinStrings(content: string): string | undefined {
  let text = ''
  let end = 0
  while (end < content.length) {
    QUOTED.lastIndex = end
    const found = QUOTED.exec(content)
    if (!found) return undefined
    text += (found[1] ?? '').replaceAll(/\\(\d{3}|.)/gs, (_, escaped: string) => unescaped(escaped))
    end = QUOTED.lastIndex
    while (end < content.length && /\s/.test(content.charAt(end))) end++
  }
  return text
}

/** `\DDD` is one octet; of those beyond ASCII only whole characters are texts, and people write these as they are. */
function unescaped(escaped: string): string {
  if (escaped.length < 3) return escaped
  const octet = Number(escaped)
  return octet < 0x7f ? String.fromCharCode(octet) : '\0'
}
