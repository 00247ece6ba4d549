/** What is wrong with the shape of a JSON text before anything is built from it. `pointer` names the top-level field
 *  where it was found. */
export interface ShapeFault {
  readonly fault: 'too-many-values' | 'too-deep' | 'duplicate-key'
  readonly pointer: string
  readonly key?: string
}

/** Commas, colons and brackets: far more than any message has (50 recipients, 32 attachments, 16 KB of headers), and
 *  far less than what costs memory. */
const MOST_TOKENS = 20_000
const MOST_DEPTH = 32

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
const OPEN_ARRAY = 0x5b
const CLOSE_ARRAY = 0x5d

/** A few megabytes of `{},{},…` become gigabytes of objects, and of two equal keys JSON.parse keeps the last in
 *  silence. This walk stops at the first token too many, and passes over strings by native search, so it costs
 *  microseconds for a message. It does not validate: JSON.parse does. Out: undefined for a sound shape. */
export function checkJsonShape(text: Buffer, mostTokens = MOST_TOKENS): ShapeFault | undefined {
  const keys: (Set<string> | undefined)[] = []
  let field = ''
  let tokens = 0
  let string: { readonly start: number; readonly end: number } | undefined
  for (let at = 0; at < text.length; at++) {
    const byte = text[at]
    if (byte === QUOTE) {
      const end = endOfString(text, at)
      string = { start: at, end }
      at = end
      continue
    }
    if (byte === COLON || byte === COMMA) tokens++
    else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
      tokens++
      keys.push(byte === OPEN_OBJECT ? new Set() : undefined)
      if (keys.length > MOST_DEPTH) return { fault: 'too-deep', pointer: field }
    } else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) keys.pop()
    else continue
    if (tokens > mostTokens) return { fault: 'too-many-values', pointer: field }
    if (byte !== COLON || string === undefined) continue
    const key = readKey(text, string.start, string.end)
    const siblings = keys.at(-1)
    if (keys.length === 1) field = `/${key.slice(0, 100).replaceAll('~', '~0').replaceAll('/', '~1')}`
    if (siblings?.has(key) === true) return { fault: 'duplicate-key', pointer: field, key }
    siblings?.add(key)
  }
  return undefined
}

/** The closing quote: one with an even number of backslashes before it. */
function endOfString(text: Buffer, start: number): number {
  let quote = start
  for (;;) {
    quote = text.indexOf(QUOTE, quote + 1)
    if (quote === -1) return text.length
    let backslashes = 0
    while (text[quote - 1 - backslashes] === BACKSLASH) backslashes++
    if (backslashes % 2 === 0) return quote
  }
}

/** Two spellings of one key are one key. A broken escape is JSON.parse's to report. */
function readKey(text: Buffer, start: number, end: number): string {
  const raw = text.toString('utf8', start + 1, end)
  if (!raw.includes('\\')) return raw
  try {
    return String(JSON.parse(`"${raw}"`))
  } catch {
    return raw
  }
}
