import { type PathFault, readPath } from './envelope-path.ts'
import type { SmtpParameters } from './handler.ts'
import type { Reply } from './reply.ts'

/** One command line: its verb in upper case, and what follows the space behind it, trailing white space cut off
 *  (RFC 5321 §4.1.1). */
export interface Command {
  readonly verb: string
  readonly argument: string
  /** Whether a character outside ASCII stands in it. */
  readonly international: boolean
}

/** What MAIL and RCPT carry. */
export interface EnvelopeArgument {
  readonly path: string
  readonly parameters: SmtpParameters
}

const NO_PARAMETERS: SmtpParameters = new Map()
const CONTROL_LINE: Reply = {
  code: 500,
  enhanced: '5.5.2',
  text: 'Control characters are not allowed in commands',
}
const NOT_UTF8: Reply = { code: 500, enhanced: '5.5.2', text: 'Command is neither ASCII nor UTF-8' }

// oxlint-disable-next-line no-control-regex -- controls, NUL among them, are what it looks for
const CONTROL = /[\x00-\x08\x0a-\x1f\x7f]/
const HIGH = /[\x80-\xff]/
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Parses a line of one character per byte, as LineReader gives it; a Reply is the refusal of a line that no verb can
 *  save. */
export function readCommand(line: string): Command | Reply {
  if (CONTROL.test(line)) return CONTROL_LINE
  const international = HIGH.test(line)
  const text = international ? decode(line) : line
  if (text === undefined) return NOT_UTF8
  const space = text.indexOf(' ')
  if (space === -1) return { verb: text.trimEnd().toUpperCase(), argument: '', international }
  return {
    verb: text.slice(0, space).toUpperCase(),
    argument: text.slice(space + 1).trimEnd(),
    international,
  }
}

function decode(line: string): string | undefined {
  try {
    return utf8.decode(Buffer.from(line, 'latin1'))
  } catch {
    return undefined
  }
}

/** `FROM:<path> parameters`, the null path included. A space behind the colon is read over: RFC 5321 §3.3 forbids it,
 *  many send it, and it can mean nothing else. */
export function readMail(argument: string): EnvelopeArgument | Reply {
  if (!/^FROM:/i.test(argument)) return syntax('MAIL FROM:<address>')
  return readEnvelope(argument.slice('FROM:'.length), '5.1.7', 'MAIL FROM:<address>')
}

/** `TO:<path> parameters`. */
export function readRcpt(argument: string): EnvelopeArgument | Reply {
  if (!/^TO:/i.test(argument)) return syntax('RCPT TO:<address>')
  const read = readEnvelope(argument.slice('TO:'.length), '5.1.3', 'RCPT TO:<address>')
  return 'path' in read && read.path === ''
    ? { code: 501, enhanced: '5.1.3', text: 'A recipient may not be empty' }
    : read
}

function readEnvelope(text: string, status: string, usage: string): EnvelopeArgument | Reply {
  const read = readPath(text.trimStart())
  if ('fault' in read) return pathRefusal(read, status, usage)
  const parameters = read.rest === '' ? NO_PARAMETERS : readParameters(read.rest)
  if (parameters === undefined) return { code: 501, enhanced: '5.5.4', text: 'Malformed parameters' }
  return { path: read.path, parameters }
}

function pathRefusal({ fault }: PathFault, status: string, usage: string): Reply {
  const text = {
    syntax: `Bad address syntax; expected ${usage}`,
    'source-route': 'Source routes are not accepted',
    'too-long': 'Address is too long',
  }[fault]
  return { code: 501, enhanced: status, text }
}

function syntax(usage: string): Reply {
  return { code: 501, enhanced: '5.5.4', text: `Syntax: ${usage}` }
}

// RFC 5321 §4.1.2: esmtp-keyword and esmtp-value; RFC 6531 §3.3 adds what lies beyond ASCII.
const PARAMETER = /^([A-Za-z0-9][A-Za-z0-9-]*)(?:=([!-<>-~\u00a0-\u{10ffff}]+))?$/u

function readParameters(rest: string): SmtpParameters | undefined {
  if (!rest.startsWith(' ')) return undefined
  const parameters = new Map<string, string | true>()
  for (const word of rest.trimStart().split(/ +/)) {
    const match = PARAMETER.exec(word)
    const keyword = match?.[1]?.toUpperCase()
    if (match === null || keyword === undefined || parameters.has(keyword)) return undefined
    parameters.set(keyword, match[2] ?? true)
  }
  return parameters
}
