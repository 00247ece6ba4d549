import { isAscii } from './header-block.ts'

// RFC 2047 §2: an encoded-word has 75 characters at most, `=?UTF-8?Q?` and `?=` among them.
const MAX_WORD = 75
const OVERHEAD = 12
// RFC 2047 §5 (3): the set that is legal in a phrase is legal everywhere.
const Q_PLAIN = /[A-Za-z0-9!*+/-]/

/** Text as RFC 2047 encoded-words of UTF-8, each with whole characters, separated by single spaces. `used` is what
 *  stands before it on its line, so that the first one still fits into 76 characters (§2). */
export function encodeWords(text: string, used: number): string {
  const characters = Array.from(text.toWellFormed())
  const costOfQ = characters.reduce((sum, character) => sum + costInQ(character), 0)
  // RFC 2047 §4: Q where most of it is ASCII, so that it can be read as it stands.
  const encoding = costOfQ <= Buffer.byteLength(text) * 2 ? 'Q' : 'B'
  const words: string[] = []
  let room = Math.min(MAX_WORD, 76 - used) - OVERHEAD
  // Below two of the longest characters a first word is not worth having; folding will give it a line of its own.
  if (room < 24) room = MAX_WORD - OVERHEAD
  let from = 0
  while (from < characters.length) {
    let to = from
    for (let size = 0; to < characters.length; to++) {
      const character = characters[to] ?? ''
      size += encoding === 'Q' ? costInQ(character) : Buffer.byteLength(character)
      if (size > (encoding === 'Q' ? room : Math.floor(room / 4) * 3)) break
    }
    const part = characters.slice(from, to).join('')
    words.push(
      `=?UTF-8?${encoding}?${encoding === 'Q' ? encodeQ(part) : Buffer.from(part).toString('base64')}?=`,
    )
    from = to
    room = MAX_WORD - OVERHEAD
  }
  return words.join(' ')
}

/** Whether a text must be encoded to be read as it is: it is not ASCII, or a decoder would take part of it for an
 *  encoded-word that the author never meant. */
export function needsEncoding(text: string): boolean {
  return !isAscii(text) || text.includes('=?')
}

/** The text that encoded-words stand for (RFC 2047 §6); what cannot be decoded stays as it is. */
export function decodeWords(value: string): string {
  const pattern = /=\?([^?\s]+)\?([bq])\?([^?\s]*)\?=/gi
  let text = ''
  let pending: { charset: string; bytes: Buffer[]; raw: string } | undefined
  let end = 0
  const flush = () => {
    if (pending) text += decodeBytes(pending.charset, Buffer.concat(pending.bytes)) ?? pending.raw
    pending = undefined
  }
  for (const match of value.matchAll(pattern)) {
    const [word, language = '', encoding = '', payload = ''] = match
    const between = value.slice(end, match.index)
    // RFC 2231 §5: a language may follow the charset.
    const charset = language.toLowerCase().replace(/\*.*/, '')
    const bytes = encoding.toLowerCase() === 'b' ? Buffer.from(payload, 'base64') : decodeQ(payload)
    // §6.2: white space between two encoded-words is not part of the text. Some senders split a character over two.
    if (pending?.charset === charset && /^\s*$/.test(between)) {
      pending.bytes.push(bytes)
      pending.raw += between + word
    } else {
      const hadWord = pending !== undefined
      flush()
      text += hadWord && /^\s*$/.test(between) ? '' : between
      pending = { charset, bytes: [bytes], raw: word }
    }
    end = match.index + word.length
  }
  flush()
  return text + value.slice(end)
}

function costInQ(character: string): number {
  return character === ' ' || Q_PLAIN.test(character) ? 1 : Buffer.byteLength(character) * 3
}

function encodeQ(text: string): string {
  let out = ''
  for (const byte of Buffer.from(text)) {
    const char = String.fromCharCode(byte)
    if (char === ' ') out += '_'
    else if (Q_PLAIN.test(char)) out += char
    else out += `=${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return out
}

function decodeQ(payload: string): Buffer {
  const octets = payload
    .replaceAll('_', ' ')
    .replaceAll(/=([0-9A-F]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(octets, 'latin1')
}

function decodeBytes(charset: string, bytes: Buffer): string | undefined {
  try {
    return new TextDecoder(charset).decode(bytes)
  } catch {
    // A RangeError: a charset nobody here knows. The caller keeps the word as it was written.
    return undefined
  }
}
