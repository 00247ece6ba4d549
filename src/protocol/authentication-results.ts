import { endOfComment, endOfQuoted } from './delimited.ts'
import { parseDomainName } from './domain-name.ts'
import { type HeaderField, unfold } from './header-block.ts'

/** Authentication-Results (RFC 8601): the field that tells a message's next readers what was verified, written for a
 *  host of ours, read from a host that is trusted, and found where a stranger wrote it in our name. */
export interface MethodResult {
  /** `spf`, `dkim`, `dmarc`, `arc`. */
  readonly method: string
  readonly result: string
  readonly comment?: string | undefined
  /** `smtp.mailfrom` and its value; what has no value is left out. */
  readonly properties: readonly (readonly [name: string, value: string | undefined])[]
}

/** What a field says, its comments left out; everything but values in lower case. */
export interface AuthenticationResults {
  readonly authservId: string
  readonly results: readonly Omit<MethodResult, 'comment'>[]
}

// RFC 5322 §2.1.1
const LINE = 78
/** No honest value is longer, and none of this length breaks a line of 998. */
const MAX_VALUE = 256
// RFC 2045 §5.1, and pvalue of RFC 8601 §2.2: [[local-part] "@"] domain-name.
const TOKEN = /^[!#$%&'*+.^_`{|}~0-9A-Za-z-]+$/
const AT_DOMAIN = /^[!#$%&'*+/=?^_`{|}~0-9A-Za-z.-]*@[0-9A-Za-z._-]+$/
const PRINTABLE = /^[ -~]+$/

/** The value of the field, folded, without its name and without its final CRLF: `host;\r\n method=result …`. After
 *  `i=<n>; ` it is that of an ARC-Authentication-Results field. `authservId` is a domain name. Nothing that a stranger
 *  chose comes out as anything but a value: what is no token is quoted, what is not printable ASCII or too long is left
 *  out. */
export function formatAuthenticationResults(authservId: string, results: readonly MethodResult[]): string {
  if (results.length === 0) return `${authservId}; none`
  return [authservId, ...results.map(formatResult)].join(';\r\n ')
}

/** The whole field with its final CRLF. */
export function authenticationResultsField(authservId: string, results: readonly MethodResult[]): string {
  return `Authentication-Results: ${formatAuthenticationResults(authservId, results)}\r\n`
}

function formatResult({ method, result, comment, properties }: MethodResult): string {
  const words = [`${method}=${result}`]
  if (comment !== undefined) words.push(`(${comment.replaceAll(/[()\\]|[^ -~]/g, ' ')})`)
  for (const [name, value] of properties) {
    if (value !== undefined && value.length <= MAX_VALUE && PRINTABLE.test(value)) {
      words.push(`${name}=${formatValue(value)}`)
    }
  }
  const lines: string[] = []
  let line = ''
  for (const word of words) {
    if (line !== '' && line.length + word.length + 3 > LINE) {
      lines.push(line)
      line = ''
    }
    line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line].join('\r\n  ')
}

function formatValue(value: string): string {
  if (TOKEN.test(value) || AT_DOMAIN.test(value)) return value
  return `"${value.replaceAll(/["\\]/g, '\\$&')}"`
}

/** Reads the value of an Authentication-Results field, or of an ARC-Authentication-Results field after its instance.
 *  Kinder than the grammar, since hosts write what they like (`action=none`, base64 without quotes): a word that is no
 *  result and no property is passed over. Undefined where it cannot be told what it says: an open comment or quoted
 *  string, no authserv-id. */
export function parseAuthenticationResults(value: string): AuthenticationResults | undefined {
  const tokens = tokenize(unfold(value))
  if (!tokens) return undefined
  const [head = [], ...sections] = splitAt(tokens, ';')
  const authservId = head[0]
  if (authservId === undefined || isSign(authservId)) return undefined
  return { authservId: authservId.text.toLowerCase(), results: sections.flatMap(readResult) }
}

function readResult(section: readonly Token[]): AuthenticationResults['results'] {
  const [method, equals, result] = withoutVersion(section)
  if (!method || !result || !isSign(equals, '=') || isSign(result)) return []
  const properties: [string, string][] = []
  for (const [at, token] of section.entries()) {
    const [name, value] = [section[at - 1], section[at + 1]]
    if (at < 2 || !isSign(token, '=') || !name || !value || isSign(name) || isSign(value)) continue
    properties.push([name.text.toLowerCase(), value.text])
  }
  return [{ method: method.text.toLowerCase(), result: result.text.toLowerCase(), properties }]
}

/** `spf/1=pass` is `spf=pass` (RFC 8601 §2.2, method-version). */
function withoutVersion([method, ...rest]: readonly Token[]): readonly (Token | undefined)[] {
  return [method && { ...method, text: method.text.replace(/\/\d*$/, '') }, ...rest]
}

/** Which fields of a message that came from outside bear our authserv-id, in whatever spelling some reader might take for
 *  it (RFC 8601 §5): case, comments, quotes, folds, white space within, a version, a final dot, U-labels. Also those that
 *  cannot be read and have our name anywhere. */
export function foreignResults(
  header: { readonly fields: readonly HeaderField[] },
  ourName: string,
): readonly HeaderField[] {
  const ours = canonicalName(ourName)
  return header.fields.filter(
    ({ name, value }) => name.toLowerCase() === 'authentication-results' && bearsName(value, ours),
  )
}

function bearsName(octets: string, ours: string): boolean {
  const value = Buffer.from(unfold(octets), 'latin1').toString('utf8')
  const tokens = tokenize(value)
  if (!tokens) return squeeze(value).includes(ours)
  const [head = []] = splitAt(tokens, ';')
  const [first] = head
  if (first && canonicalName(first.text) === ours) return true
  const squeezed = canonicalName(squeeze(head.map(({ text }) => text).join('')))
  // A version, or whatever cannot belong to a name, may follow.
  return squeezed.startsWith(ours) && /^(?:\d*$|[^a-z\d.-])/.test(squeezed.slice(ours.length))
}

function canonicalName(name: string): string {
  const bare = name.toLowerCase().replace(/\.$/, '')
  const parsed = parseDomainName(bare)
  return typeof parsed === 'string' ? parsed : bare
}

/** Without what readers skip or trip over. */
function squeeze(text: string): string {
  return text.toLowerCase().replaceAll(/[\s"\\()]/g, '')
}

interface Token {
  readonly kind: 'word' | 'sign'
  readonly text: string
}

function isSign(token: Token | undefined, text?: string): boolean {
  return token?.kind === 'sign' && (text === undefined || token.text === text)
}

const END_OF_NAME = /[\s;="(]/
// A local part may have `=` in it, and SRS puts three there; base64 ends in it.
const END_OF_VALUE = /[\s;"(]/

/** Words, quoted or not, and the signs `;` and `=`; comments and white space part them, and a value has any `=` but the
 *  one before it. One pass, whatever it is given. */
function tokenize(text: string): readonly Token[] | undefined {
  const tokens: Token[] = []
  let at = 0
  while (at < text.length) {
    const char = text.charAt(at)
    if (char === '(') {
      const end = endOfComment(text, at)
      if (end === undefined) return undefined
      at = end + 1
    } else if (char === '"') {
      const end = endOfQuoted(text, at)
      if (end === undefined) return undefined
      tokens.push({ kind: 'word', text: text.slice(at + 1, end).replaceAll(/\\(.)/gs, '$1') })
      at = end + 1
    } else if (char === ';' || (char === '=' && !isSign(tokens.at(-1), '='))) {
      tokens.push({ kind: 'sign', text: char })
      at++
    } else if (/\s/.test(char)) at++
    else {
      const endOfWord = isSign(tokens.at(-1), '=') ? END_OF_VALUE : END_OF_NAME
      const start = at
      while (at < text.length && !endOfWord.test(text.charAt(at))) at++
      tokens.push({ kind: 'word', text: text.slice(start, at) })
    }
  }
  return tokens
}

function splitAt(tokens: readonly Token[], sign: string): readonly (readonly Token[])[] {
  const parts: Token[][] = [[]]
  for (const token of tokens) {
    if (isSign(token, sign)) parts.push([])
    else parts.at(-1)?.push(token)
  }
  return parts
}
