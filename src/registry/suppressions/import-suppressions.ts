import { FORMULA_START } from '#protocol/csv-cell.ts'
import { readCsv } from './read-csv.ts'
import type { ScopeFields, WishFields } from './read-wish.ts'
import { splitJson } from './split-json.ts'

export const IMPORT_FORMATS = ['csv', 'json', 'txt'] as const
export type ImportFormat = (typeof IMPORT_FORMATS)[number]

/** One entry of a file as it was written, or why a line is none. Lines count from 1. */
export type ImportLine =
  | { readonly line: number; readonly fields: WishFields }
  | { readonly line: number; readonly detail: string; readonly email?: string }

/** Reads what the dashboards of this and other services export and import: each line of a CSV or text file
 *  `address[,expiry[,scope[,note]]]`, or a CSV whose first line names its columns, or a JSON array of addresses or
 *  objects. It asks for shapes alone: what the values must be is `readWish`'s to say. A faulty line is told and passed
 *  over; nothing is thrown, and nothing is held but the entry at hand. */
export function readImport(text: string, format: ImportFormat): Generator<ImportLine> {
  const content = text.startsWith('\ufeff') ? text.slice(1) : text
  if (format === 'json') return readJsonEntries(content)
  return format === 'csv' ? readCsvEntries(content) : readTextEntries(content)
}

type Column = 'email' | 'expires_at' | 'scope' | 'note'

/** As the page has them, and the note behind. */
const IN_ORDER: readonly Column[] = ['email', 'expires_at', 'scope', 'note']

/** What others call our columns. */
const NAMES: Readonly<Record<string, Column>> = {
  ...{ email: 'email', 'e-mail': 'email', email_address: 'email', address: 'email', recipient: 'email' },
  ...{ 'email address': 'email', expires_at: 'expires_at', expires: 'expires_at', expiration: 'expires_at' },
  ...{ scope: 'scope', note: 'note' },
}

function* readCsvEntries(text: string): Generator<ImportLine> {
  let columns: readonly (Column | undefined)[] | undefined
  for (const record of readCsv(text)) {
    if ('detail' in record) {
      yield record
      continue
    }
    if (!columns) {
      const named = record.cells.map((cell) => columnOf(cell))
      columns = named.includes('email') ? named : IN_ORDER
      if (columns === named) continue
    }
    const { line, cells } = record
    yield entryOf(line, columns, cells.map(withoutFormulaGuard))
  }
}

function columnOf(cell: string): Column | undefined {
  const name = cell.trim().toLowerCase()
  return Object.hasOwn(NAMES, name) ? NAMES[name] : undefined
}

/** More than an address, a time, a domain and a note. */
const LONGEST_LINE = 10_000

/** A quoted local part keeps its quotes here, so a comma inside them ends no cell. */
function* readTextEntries(text: string): Generator<ImportLine> {
  let line = 0
  for (const [, content = ''] of text.matchAll(/([^\r\n]*)(?:\r\n|\r|\n|$)/g)) {
    line += 1
    const trimmed = content.trim()
    // No address begins with '#' and a space, so this is a person's remark.
    if (trimmed === '' || trimmed === '#' || trimmed.startsWith('# ')) continue
    if (trimmed.length > LONGEST_LINE) {
      yield { line, detail: 'The line is far too long.' }
      continue
    }
    const cells = /^"(?:[^"\\]|\\.)*"[^,]*/.exec(trimmed)?.[0]
    const email = cells ?? trimmed.split(',', 1)[0] ?? ''
    const rest = trimmed.slice(email.length + 1)
    yield entryOf(line, IN_ORDER, [email, ...rest.split(',')])
  }
}

function entryOf(
  line: number,
  columns: readonly (Column | undefined)[],
  cells: readonly string[],
): ImportLine {
  const cell = (column: Column) => {
    const index = columns.indexOf(column)
    return index === -1 ? '' : (cells[index] ?? '')
  }
  const expiresAt = cell('expires_at').trim()
  const scope = cell('scope').trim()
  const fields = {
    email: cell('email').trim(),
    expiresAt: expiresAt === '' ? undefined : expiresAt,
    note: cell('note'),
    scope: scope === '' ? undefined : scopeOf(scope),
  }
  return { line, fields }
}

function scopeOf(text: string): ScopeFields {
  return text === 'account' ? { type: 'account' } : { type: 'sending_domain', value: text }
}

/** The apostrophe that an export puts before what a spreadsheet would take for a formula. */
function withoutFormulaGuard(cell: string): string {
  return cell.startsWith("'") && FORMULA_START.test(cell.slice(1)) ? cell.slice(1) : cell
}

function* readJsonEntries(text: string): Generator<ImportLine> {
  for (const element of splitJson(text)) {
    yield 'detail' in element
      ? { line: element.line, detail: element.detail }
      : readElement(element.line, element.source)
  }
}

function readElement(line: number, source: string): ImportLine {
  let value: unknown
  try {
    value = JSON.parse(source)
  } catch {
    return { line, detail: 'The element is not JSON.' }
  }
  if (typeof value === 'string') return { line, fields: { email: value } }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { line, detail: 'An element must be an address, or an object with an "email".' }
  }
  const field = (name: string): unknown => (Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined)
  const email = field('email')
  if (typeof email !== 'string') return { line, detail: "'email' must be a string." }
  const expiresAt = field('expires_at') ?? undefined
  if (expiresAt !== undefined && typeof expiresAt !== 'string') {
    return { line, email, detail: "'expires_at' must be a string or null." }
  }
  const note = field('note') ?? undefined
  if (note !== undefined && typeof note !== 'string')
    return { line, email, detail: "'note' must be a string." }
  const scope = readScopeElement(field('scope'))
  if (scope === 'malformed') {
    const detail =
      '\'scope\' must be {"type": "account"} or {"type": "sending_domain", "value": "example.com"}.'
    return { line, email, detail }
  }
  return { line, fields: { email, expiresAt, note, scope } }
}

function readScopeElement(scope: unknown): ScopeFields | undefined | 'malformed' {
  if (scope === undefined || scope === null) return undefined
  if (typeof scope === 'string') return scopeOf(scope)
  if (typeof scope !== 'object' || !('type' in scope)) return 'malformed'
  const value = 'value' in scope ? (scope.value ?? undefined) : undefined
  if (scope.type === 'account' && value === undefined) return { type: 'account' }
  if (scope.type === 'sending_domain' && typeof value === 'string') return { type: 'sending_domain', value }
  return 'malformed'
}
