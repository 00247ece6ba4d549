import { type HeaderField, trimWhiteSpace, unfold } from '#protocol/header-block.ts'

/** What the header of a part says about its body, as far as it matters for carrying it. */
export interface MimeHeader {
  /** Lower case, without parameters. */
  readonly type: string
  /** Undefined where none is named, or more than one. */
  readonly boundary: string | undefined
  readonly charset: string | undefined
  readonly encoding: TransferEncoding
}

/** RFC 2045 §6.1. `plain`: 7bit, 8bit or nothing, so the octets of the body are the content; `unknown`: nobody can tell
 *  what they stand for. */
export type TransferEncoding = 'plain' | 'binary' | 'quoted-printable' | 'base64' | 'unknown'

export const ENCODING_FIELD = 'content-transfer-encoding'

/** Undefined where Content-Type or Content-Transfer-Encoding appears more than once: which one counts differs from
 *  reader to reader. `defaultType` is what a part is that does not say. */
export function readMimeHeader(
  fields: readonly HeaderField[],
  defaultType: 'text/plain' | 'message/rfc822',
): MimeHeader | undefined {
  const types = valuesOf(fields, 'content-type')
  const encodings = valuesOf(fields, ENCODING_FIELD)
  if (types.length > 1 || encodings.length > 1) return undefined
  const [contentType = ''] = types
  const parameters = readParameters(contentType)
  return {
    type: firstToken(contentType) || defaultType,
    boundary: withoutBlanksAtEnd(parameters.get('boundary') ?? '') || undefined,
    charset: parameters.get('charset'),
    encoding: readEncoding(encodings[0] ?? ''),
  }
}

function valuesOf(fields: readonly HeaderField[], wanted: string): string[] {
  return fields
    .filter(({ name }) => name.toLowerCase() === wanted)
    .map(({ value }) => trimWhiteSpace(unfold(value)))
}

function firstToken(value: string): string {
  return (/^[^\s;()]*/.exec(value)?.[0] ?? '').toLowerCase()
}

function readEncoding(value: string): TransferEncoding {
  const token = firstToken(value)
  // `8-bit` and `8bits` are no encodings, but what those who write them mean is plain.
  if (token === '' || /^[78]-?bits?$/.test(token)) return 'plain'
  return token === 'binary' || token === 'quoted-printable' || token === 'base64' ? token : 'unknown'
}

/** RFC 2045 §5.1, with comments between the tokens; names in lower case. One that appears twice counts as none. */
function readParameters(contentType: string): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>()
  const next =
    /(?:\s|\([^()]*\))*;(?:\s|\([^()]*\))*(?:([^\s=;"()]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*)))?/gy
  next.lastIndex = firstToken(contentType).length
  for (let match = next.exec(contentType); match; match = next.exec(contentType)) {
    const [, name, quoted, token] = match
    if (name === undefined) continue
    const key = name.toLowerCase()
    parameters.set(key, parameters.has(key) ? '' : (quoted?.replaceAll(/\\(.)/gs, '$1') ?? token ?? ''))
  }
  return parameters
}

/** RFC 2046 §5.1.1: a boundary does not end with white space, a line that bears it may. */
export function withoutBlanksAtEnd(text: string): string {
  // What stands before it keeps the blanks at the start.
  return trimWhiteSpace(`-${text}`).slice(1)
}
