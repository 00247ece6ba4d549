/** What no name of a file may have: what turns its writing round or hides, what breaks lines, and what some system takes
 *  for a path, a stream or a pattern. */
const UNSAFE = /[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}"*/:<>?\\|]/gu
/** Names of devices on Windows, with or without an ending. */
const DEVICE = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?=\.|$)/i
/** Octets: file systems take 255. */
const MOST_OCTETS = 200
const LONGEST_ENDING = 20
const LONGEST = 1000

/** A stranger's name for a file as one under which it may be saved, on any system; undefined where nothing is left of it. */
export function safeFileName(name: string): string | undefined {
  // No more than its beginning and its ending can be left of it.
  const bounded = name.length <= LONGEST ? name : name.slice(0, MOST_OCTETS) + name.slice(-LONGEST_ENDING)
  const safe = bounded.toWellFormed().normalize('NFC').replaceAll(UNSAFE, '_')
  // A name that begins with a dot is hidden on one system, one that ends with it or a blank is another on the next.
  const trimmed = shortened(safe.replace(/^[.\s]+/, '')).replace(/[.\s]+$/, '')
  if (/^_*$/.test(trimmed)) return undefined
  return DEVICE.test(trimmed) ? `_${trimmed}` : trimmed
}

/** By its middle: its ending says what it is. */
function shortened(name: string): string {
  if (Buffer.byteLength(name) <= MOST_OCTETS) return name
  const dot = name.lastIndexOf('.')
  const ending = dot > 0 && name.length - dot <= LONGEST_ENDING ? name.slice(dot) : ''
  const left = MOST_OCTETS - Buffer.byteLength(ending)
  let kept = ''
  let octets = 0
  for (const character of name.slice(0, name.length - ending.length)) {
    octets += Buffer.byteLength(character)
    if (octets > left) break
    kept += character
  }
  return kept + ending
}

/** Of a download that no browser shows, runs or applies, whatever it is. `name` is one of `safeFileName`. */
export function attachmentHeaders(name: string): Readonly<Record<string, string>> {
  // RFC 6266 §4.3 and appendix D: a plain name for old clients, the real one in UTF-8 (RFC 8187).
  const plain = name.replaceAll(/[^ !#-$&-[\]-~]/g, '_')
  const extended = encodeURIComponent(name).replaceAll(/['()*]/g, percentEncode)
  return {
    'content-type': 'application/octet-stream',
    'content-disposition': `attachment; filename="${plain}"; filename*=UTF-8''${extended}`,
    'content-security-policy': "sandbox; default-src 'none'",
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-resource-policy': 'same-origin',
    'cache-control': 'private, no-store',
  }
}

function percentEncode(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`
}
