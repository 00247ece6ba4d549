import { hash, type KeyObject, sign } from 'node:crypto'
import { promisify } from 'node:util'
import type { SigningIdentity } from '#model/draft.ts'
import { unfold } from './header-block.ts'

/** DKIM (RFC 6376), rsa-sha256 and relaxed/relaxed. In: a message with CRLF line ends only, a blank line after its
 *  header, and the parsed key. Out: the DKIM-Signature field. The body is hashed once, in one pass; the RSA operation
 *  runs on the thread pool, so a busy loop waits for microseconds, not for the key. */

const signOnPool = promisify<string, Buffer, KeyObject, Buffer>(sign)

/** What is covered where it is present. Trace fields (Received, Return-Path, Authentication-Results) change on the way
 *  and are never signed (RFC 6376 §5.4.1); X- fields neither: filters rewrite them. RFC 9477 §3.1 wants the CFBL
 *  fields covered, RFC 8058 §4 the List-Unsubscribe pair. */
const SIGNED = new Set(
  [
    'from reply-to subject date to cc message-id in-reply-to references sender',
    'mime-version content-type content-transfer-encoding content-id content-disposition content-description',
    'content-language list-id list-unsubscribe list-unsubscribe-post list-archive list-help list-owner list-post',
    'list-subscribe precedence auto-submitted keywords comments importance sensitivity organization archived-at',
    'require-recipient-valid-since feedback-id cfbl-address cfbl-feedback-id',
  ].flatMap((line) => line.split(' ')),
)

/** What is named once more than it occurs, present or not, so that nobody can add one and keep the signature valid
 *  (RFC 6376 §8.15). */
const OVERSIGNED = [
  'from',
  'to',
  'cc',
  'subject',
  'date',
  'reply-to',
  'message-id',
  'mime-version',
  'content-type',
  'content-transfer-encoding',
  'in-reply-to',
  'references',
  'list-unsubscribe',
  'list-unsubscribe-post',
] as const

/** The DKIM-Signature field of a message, folded, with its final CRLF, ready to be put before the content. `at` becomes
 *  `t=`. Throws for a key that is not RSA. */
export async function signDkim(content: Buffer, identity: SigningIdentity, at: Date): Promise<string> {
  if (identity.key.asymmetricKeyType !== 'rsa') throw new TypeError('A DKIM identity needs an RSA key')
  const { fields, bodyStart } = splitMessage(content)
  const covered = coverFields(fields)
  const unsigned = [
    'DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;',
    ` d=${identity.domain}; s=${identity.selector};`,
    ` t=${Math.floor(at.getTime() / 1000)};`,
    foldNames(covered.names),
    ` bh=${hashBody(content.subarray(bodyStart))};`,
    ' b=',
  ].join('\r\n')
  const signature = await signOnPool('sha256', signingInput(covered.fields, unsigned), identity.key)
  return `${unsigned}${foldBase64(signature.toString('base64'))}\r\n`
}

/** Header fields as octet strings without their final CRLF. */
function splitMessage(content: Buffer): { fields: readonly string[]; bodyStart: number } {
  if (content[0] === 13) return { fields: [], bodyStart: 2 }
  const blank = content.indexOf('\r\n\r\n')
  const headerEnd = blank === -1 ? content.length : blank
  const header = content.toString('latin1', 0, headerEnd)
  const fields = header.split(/\r\n(?![ \t])/).filter((field) => field !== '')
  return { fields, bodyStart: blank === -1 ? content.length : blank + 4 }
}

/** The names for `h=` and the fields they cover, in that order. RFC 6376 §5.4.2: of a field that occurs more than once,
 *  each mention of its name takes the next instance from the bottom up. */
function coverFields(fields: readonly string[]): { names: readonly string[]; fields: readonly string[] } {
  const names: string[] = []
  const covered: string[] = []
  for (let i = fields.length - 1; i >= 0; i--) {
    const field = fields[i] ?? ''
    const name = fieldName(field)
    if (!SIGNED.has(name)) continue
    names.push(name)
    covered.push(field)
  }
  return { names: [...names, ...OVERSIGNED], fields: covered }
}

function fieldName(field: string): string {
  return field
    .slice(0, Math.max(field.indexOf(':'), 0))
    .trim()
    .toLowerCase()
}

/** RFC 6376 §3.7: the covered fields in the order of `h=`, then our own with an empty `b=` and no final CRLF. */
function signingInput(fields: readonly string[], unsigned: string): Buffer {
  const input = [...fields, unsigned].map(relaxField).join('\r\n')
  return Buffer.from(input, 'latin1')
}

/** RFC 6376 §3.4.2: name in lower case, unfolded, runs of white space one space, none at the end or at the colon. */
function relaxField(field: string): string {
  const colon = Math.max(field.indexOf(':'), 0)
  const value = unfold(field.slice(colon + 1)).replaceAll(/[ \t]+/g, ' ')
  const start = value.startsWith(' ') ? 1 : 0
  const end = value.endsWith(' ') && value.length > start ? value.length - 1 : value.length
  return `${fieldName(field)}:${value.slice(start, end)}`
}

const TAB = 9
const LF = 10
const CR = 13
const SPACE = 32

/** The base64 SHA-256 of a body in relaxed canonicalisation (RFC 6376 §3.4.4): white space within a line is one space,
 *  none before its end, no empty lines at the end of the body, and a final CRLF unless nothing is left. */
export function hashBody(body: Buffer): string {
  return hash('sha256', isRelaxed(body) ? body : relaxBody(body), 'base64')
}

/** Whether a body is already as relaxed canonicalisation would leave it, as encoded ones mostly are. Four native
 *  searches cost a tenth of the loop and no copy. */
function isRelaxed(body: Buffer): boolean {
  const end = body.subarray(-4).toString('latin1')
  if (!/[^\n]\r\n$/.test(end)) return false
  return !body.includes('  ') && !body.includes('\t') && !body.includes(' \r\n')
}

function relaxBody(body: Buffer): Buffer {
  const out = Buffer.allocUnsafe(body.length + 2)
  let to = 0
  let kept = 0
  let blank = false
  for (let from = 0; from < body.length; from++) {
    const byte = body[from] ?? 0
    if (byte === SPACE || byte === TAB) {
      blank = true
    } else if (byte === CR && body[from + 1] === LF) {
      from++
      out[to++] = CR
      out[to++] = LF
      blank = false
    } else {
      if (blank) out[to++] = SPACE
      out[to++] = byte
      blank = false
      kept = to
    }
  }
  if (kept === 0) return out.subarray(0, 0)
  out[kept] = CR
  out[kept + 1] = LF
  return out.subarray(0, kept + 2)
}

/** RFC 6376 §3.5: white space is ignored around the colons of `h=`. */
function foldNames(names: readonly string[]): string {
  const lines: string[] = []
  let line = ' h='
  for (const [i, name] of names.entries()) {
    const item = i < names.length - 1 ? `${name}:` : `${name};`
    if (line.length + item.length > 76) {
      lines.push(line)
      line = '  '
    }
    line += item
  }
  lines.push(line)
  return lines.join('\r\n')
}

/** RFC 6376 §3.5: white space in `b=` is ignored. */
function foldBase64(text: string): string {
  const lines = text.match(/.{1,72}/g) ?? []
  return lines.join('\r\n  ')
}
