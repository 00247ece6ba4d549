const MAX_TEXT = 8_192
const LONGEST_LOCAL_PART = 190
const LONGEST_DOMAIN = 255
const LOCAL_PART_CHARACTER = /[^\s"<>()[\]{},;:\\@|]/
const DOMAIN_CHARACTER = /[\w\u0080-\u{10ffff}.-]/u

/** What looks like an address in a text, in its order and as it is spelled, `most` at most. No property of an address
 *  is promised: a report may quote one that nobody here could be sent to. Linear in the text, and no more of it is
 *  looked at than a line of a report may have. */
export function addressesIn(text: string, most: number): string[] {
  const found: string[] = []
  const line = text.slice(0, MAX_TEXT)
  for (let at = line.indexOf('@'); at !== -1 && found.length < most; at = line.indexOf('@', at + 1)) {
    const localPart = localPartBefore(line, at)
    const domain = domainAfter(line, at + 1)
    if (localPart !== '' && domain !== '') found.push(`${localPart}@${domain}`)
  }
  return found
}

function localPartBefore(line: string, end: number): string {
  if (line[end - 1] === '"') {
    // A start below 0 counts as 0 for lastIndexOf, where it would find this same quote.
    const open = end < 2 ? -1 : line.lastIndexOf('"', end - 2)
    const content = line.slice(open + 1, end - 1)
    return open !== -1 && content.length <= 64 && !/[<>@]/.test(content) ? `"${content}"` : ''
  }
  let start = end
  while (start > 0 && end - start < LONGEST_LOCAL_PART && LOCAL_PART_CHARACTER.test(line[start - 1] ?? ''))
    start--
  // Quoted by an apostrophe, as in 'user@example.com'; a local part that holds one keeps it.
  return line.slice(start, end).replace(/^['`‘]+/, '')
}

function domainAfter(line: string, start: number): string {
  if (line[start] === '[') return /^\[[0-9A-Za-z:.]{3,60}\]/.exec(line.slice(start, start + 64))?.[0] ?? ''
  if (line[start] === '.' || line[start] === '-') return ''
  let end = start
  while (end < line.length && end - start < LONGEST_DOMAIN && DOMAIN_CHARACTER.test(line[end] ?? '')) end++
  return line.slice(start, end).replace(/[.-]{1,40}$/, '')
}
