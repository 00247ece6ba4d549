/** One element of a JSON array, not parsed yet, with the line it begins on; or why the array cannot be read on. */
export type JsonElement =
  | { readonly line: number; readonly source: string }
  | { readonly line: number; readonly detail: string; readonly last: boolean }

/** More than an address, a note in escapes and what an export has beside them. */
const LONGEST_ELEMENT = 20_000

/** Takes an array apart element by element: what is wrong with one is told with its line and does not spoil the others,
 *  and no text becomes more objects at once than one element has. `items` may hold the array, as in the API's own
 *  request. Ends after a fault of the array itself. */
export function* splitJson(text: string): Generator<JsonElement> {
  const head = /^\s*(?:\{\s*"items"\s*:\s*)?\[/.exec(text)?.[0]
  if (head === undefined) {
    const detail = 'A JSON file must be an array of addresses, or of objects with an "email" each.'
    yield { line: 1, detail, last: true }
    return
  }
  const walk: Walk = { text, at: head.length, line: 1 + lineFeeds(head) }
  skipSpace(walk)
  if (text[walk.at] === ']') return yield* ending(walk, head)
  for (;;) {
    const { line } = walk
    const start = walk.at
    const fault = skipValue(walk)
    if (fault) {
      yield { line, detail: fault, last: true }
      return
    }
    const source = text.slice(start, walk.at)
    if (source.length > LONGEST_ELEMENT) yield { line, detail: 'The element is far too long.', last: false }
    else yield { line, source }
    skipSpace(walk)
    if (text[walk.at] === ']') return yield* ending(walk, head)
    if (text[walk.at] !== ',') {
      yield { line: walk.line, detail: "A ',' or the closing ']' is missing here.", last: true }
      return
    }
    walk.at += 1
    skipSpace(walk)
  }
}

interface Walk {
  readonly text: string
  at: number
  line: number
}

/** Nothing but the brackets that the head opened may follow. */
function* ending(walk: Walk, head: string): Generator<JsonElement> {
  walk.at += 1
  skipSpace(walk)
  if (head.includes('{') && walk.text[walk.at] === '}') {
    walk.at += 1
    skipSpace(walk)
  } else if (head.includes('{')) {
    yield { line: walk.line, detail: "The closing '}' is missing here.", last: true }
    return
  }
  if (walk.at < walk.text.length) {
    yield { line: walk.line, detail: 'Something stands behind the end of the array.', last: true }
  }
}

/** To behind a value. It is JSON.parse that says whether it is one. */
function skipValue(walk: Walk): string | undefined {
  let depth = 0
  const { text } = walk
  for (const start = walk.at; walk.at < text.length; walk.at++) {
    const character = text[walk.at]
    if (character === '"') {
      const close = closingQuote(text, walk.at)
      if (close === undefined) return 'A string is opened in this element and closed nowhere.'
      // No string may hold a line feed; where one does, the lines after it keep their numbers.
      walk.line += lineFeeds(text.slice(walk.at, close))
      walk.at = close
    } else if (character === '{' || character === '[') depth += 1
    else if (character === '}' || character === ']') {
      if (depth === 0) return walk.at === start ? 'A value is missing here.' : undefined
      depth -= 1
    } else if (character === ',' && depth === 0)
      return walk.at === start ? 'A value is missing here.' : undefined
    else if (character === '\n') walk.line += 1
  }
  return 'The file ends before the array does.'
}

function closingQuote(text: string, open: number): number | undefined {
  for (let quote = text.indexOf('"', open + 1); quote !== -1; quote = text.indexOf('"', quote + 1)) {
    let backslashes = 0
    while (text[quote - 1 - backslashes] === '\\') backslashes += 1
    if (backslashes % 2 === 0) return quote
  }
  return undefined
}

function skipSpace(walk: Walk): void {
  for (; /[ \t\r\n]/.test(walk.text[walk.at] ?? ''); walk.at++) {
    if (walk.text[walk.at] === '\n') walk.line += 1
  }
}

function lineFeeds(text: string): number {
  return text.split('\n').length - 1
}
