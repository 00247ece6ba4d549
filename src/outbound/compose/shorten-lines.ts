import type { Refusal } from '#model/refusal.ts'
import { fieldText, type HeaderBlock, type HeaderField } from '#protocol/header-block.ts'
import { encodeLines, findLongLine } from './text-part.ts'

// RFC 5321 §4.5.3.1.6: a text line has 1,000 octets at most, CRLF among them. A hop that wraps a longer one breaks the
// signature.
const LONGEST_LINE = 998
const ENCODING = 'content-transfer-encoding'

/** The header fields and the body of a raw message, no line of the body too long for SMTP. A message that is one plain
 *  text (HTML in one line, as scripts send it) is encoded, which changes nothing that anybody reads; in any other the
 *  long line is refused, because to encode a part would be to compose somebody else's message anew. */
export function shortenLines(
  content: Buffer,
  { fields, bodyStart }: HeaderBlock,
): { readonly fields: readonly HeaderField[]; readonly body: Buffer } | Refusal {
  const body = content.subarray(bodyStart)
  const long = findLongLine(body, LONGEST_LINE)
  if (!long) return { fields, body }
  if (!isPlainText(fields)) {
    const line = countLines(content.subarray(0, bodyStart)) + long.line + 1
    const detail = `Line ${line} of the message has ${long.octets} octets; ${LONGEST_LINE} is the most. Encode its part as quoted-printable or base64.`
    return { kind: 'content-invalid', detail }
  }
  const encoded = encodeLines(body)
  const value = ` ${encoded.encoding}`
  const replaced = fields.map((field) =>
    field.name.toLowerCase() === ENCODING ? { ...field, value } : field,
  )
  const isNamed = fields.some(({ name }) => name.toLowerCase() === ENCODING)
  const added = { name: 'Content-Transfer-Encoding', value, start: bodyStart, end: bodyStart }
  return { fields: isNamed ? replaced : [...replaced, added], body: encoded.body }
}

/** Whether the body is one text in its own octets (RFC 2045 §5.2: text/plain where nothing is said). */
function isPlainText(fields: readonly HeaderField[]): boolean {
  const texts = (wanted: string) =>
    fields.filter(({ name }) => name.toLowerCase() === wanted).map((field) => fieldText(field) ?? '')
  return (
    texts('content-type').every((type) => /^text\//i.test(type)) &&
    texts(ENCODING).every((encoding) => /^[78]bit$/i.test(encoding))
  )
}

function countLines(bytes: Buffer): number {
  let lines = 0
  for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) lines++
  return lines
}
