/** One record of a delimited text, with the line it begins on. */
export type CsvRecord =
  | { readonly line: number; readonly cells: readonly string[] }
  | { readonly line: number; readonly detail: string }

/** RFC 4180, and what passes for it: CRLF, LF or CR; a comma, semicolon or tab, whichever stands first in the text;
 *  blank records are passed over. A record that breaks its quotes is a fault, and the next line goes on. Reads each
 *  character once or twice, whatever the text. */
export function* readCsv(text: string): Generator<CsvRecord> {
  const delimiter = delimiterOf(text)
  let at = 0
  let line = 1
  while (at < text.length) {
    const record = readRecord(text, at, delimiter)
    if ('detail' in record) yield { line, detail: record.detail }
    else if (record.cells.some((cell) => cell.trim() !== '')) yield { line, cells: record.cells }
    line += countLines(text, at, record.end)
    at = record.end
  }
}

/** `end` is where the next record begins. */
type Read =
  | { readonly cells: readonly string[]; readonly end: number }
  | { readonly detail: string; readonly end: number }

function readRecord(text: string, start: number, delimiter: string): Read {
  const cells: string[] = []
  let at = start
  for (;;) {
    let cell: string
    if (text[at] === '"') {
      const close = closingQuote(text, at)
      if (close === undefined) {
        return { detail: 'A quote is opened here and closed nowhere.', end: endOfLine(text, start) }
      }
      cell = text.slice(at + 1, close).replaceAll('""', '"')
      at = close + 1
    } else {
      const end = endOfCell(text, at, delimiter)
      cell = text.slice(at, end)
      at = end
    }
    cells.push(cell)
    if (at >= text.length || isLineEnd(text, at)) return { cells, end: afterLineEnd(text, at) }
    if (text[at] !== delimiter) {
      const detail =
        'Something stands behind the closing quote of a cell; inside a cell a quote is doubled ("").'
      return { detail, end: endOfLine(text, at) }
    }
    at += 1
  }
}

function closingQuote(text: string, open: number): number | undefined {
  let quote = open
  for (;;) {
    quote = text.indexOf('"', quote + 1)
    if (quote === -1) return undefined
    if (text[quote + 1] !== '"') return quote
    quote += 1
  }
}

function delimiterOf(text: string): string {
  return /[,;\t]/.exec(text)?.[0] ?? ','
}

function endOfCell(text: string, from: number, delimiter: string): number {
  let at = from
  while (at < text.length && text[at] !== delimiter && !isLineEnd(text, at)) at += 1
  return at
}

function isLineEnd(text: string, at: number): boolean {
  return text[at] === '\n' || text[at] === '\r'
}

function afterLineEnd(text: string, at: number): number {
  return text[at] === '\r' && text[at + 1] === '\n' ? at + 2 : at + 1
}

function endOfLine(text: string, from: number): number {
  let at = from
  while (at < text.length && !isLineEnd(text, at)) at += 1
  return afterLineEnd(text, at)
}

function countLines(text: string, from: number, to: number): number {
  let lines = 0
  for (let at = from; at < Math.min(to, text.length); at++) {
    if (text[at] === '\n' || (text[at] === '\r' && text[at + 1] !== '\n')) lines += 1
  }
  return lines
}
