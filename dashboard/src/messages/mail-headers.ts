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

const MOST_CONTINUATIONS = 100

/** A parameter of a structured field, its continuations put together and its octets read (RFC 2045 §5.1, RFC 2231).
 *  Undefined where there is none. */
export function parameterOf(value: string, wanted: string): string | undefined {
  const parameters = parametersOf(value.replaceAll(/\r?\n/g, ' '))
  const extended = parameters.get(`${wanted}*`)
  if (extended !== undefined) return decodeExtended(extended)
  const plain = parameters.get(wanted)
  if (plain !== undefined) return plain
  let charset = ''
  let text = ''
  let found = false
  for (let index = 0; index < MOST_CONTINUATIONS; index++) {
    const coded = parameters.get(`${wanted}*${index}*`)
    const piece = coded ?? parameters.get(`${wanted}*${index}`)
    if (piece === undefined) break
    found = true
    if (coded === undefined) text += [...new TextEncoder().encode(piece)].map(percent).join('')
    else if (index === 0) {
      const [name = '', , ...rest] = coded.split("'")
      charset = name
      text += rest.join("'")
    } else text += coded
  }
  return found ? decodePercent(text, charset) : undefined
}

function parametersOf(value: string): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>()
  const each = /;\s*([^\s=;"]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]*))/g
  for (const [, name = '', quoted, bare = ''] of value.matchAll(each)) {
    const key = name.toLowerCase()
    if (!parameters.has(key)) parameters.set(key, quoted?.replaceAll(/\\(.)/g, '$1') ?? bare)
  }
  return parameters
}

/** `utf-8'en'na%C3%AFve.txt`. */
function decodeExtended(value: string): string {
  const [charset = '', , ...rest] = value.split("'")
  return rest.length === 0 ? value : decodePercent(rest.join("'"), charset)
}

function decodePercent(text: string, charset: string): string {
  const octets: number[] = []
  for (let at = 0; at < text.length; at++) {
    const hex = text[at] === '%' ? /^[0-9A-Fa-f]{2}/.exec(text.slice(at + 1, at + 3)) : null
    octets.push(hex ? Number.parseInt(hex[0], 16) : text.charCodeAt(at) & 0xff)
    if (hex) at += 2
  }
  return decodeCharset(Uint8Array.from(octets), charset)
}

function percent(octet: number): string {
  return `%${octet.toString(16).padStart(2, '0')}`
}

/** In UTF-8 where the charset has no name that is known here. */
export function decodeCharset(octets: Uint8Array<ArrayBuffer>, charset: string): string {
  try {
    return new TextDecoder(charset || 'utf-8').decode(octets)
  } catch {
    return new TextDecoder().decode(octets)
  }
}
