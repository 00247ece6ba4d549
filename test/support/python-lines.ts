/** Headers as Python's email package and others that use `str.splitlines()` read them. */

/** C0, DEL, C1, LINE and PARAGRAPH SEPARATOR, TAB not among them: what such readers split at, and its neighbours. */
export const LINE_SEPARATING: readonly string[] = [
  ...Array.from({ length: 0xa0 }, (_, code) => String.fromCharCode(code)),
  '\u2028',
  '\u2029',
].filter((character) => character !== '\t' && /[\p{Cc}\u2028\u2029]/u.test(character))

/** `str.splitlines()`. */
export function splitAsPython(text: string): readonly string[] {
  // oxlint-disable-next-line no-control-regex -- what Python splits at
  return text.split(/\r\n|[\n\v\f\r\x1c-\x1e\x85\u2028\u2029]/)
}

/** The names of the header fields, the octets read as Latin-1 and as UTF-8; a name that only one reading finds is in. */
export function namesAsPythonReads(content: string): readonly string[] {
  const header = content.slice(0, content.indexOf('\r\n\r\n'))
  const asUtf8 = Buffer.from(header, 'latin1').toString('utf8')
  const [names = [], others = []] = [header, asUtf8].map((text) =>
    splitAsPython(text)
      .filter((line) => !/^[ \t]/.test(line))
      .map((line) => line.slice(0, line.indexOf(':'))),
  )
  return names.length >= others.length ? names : others
}
