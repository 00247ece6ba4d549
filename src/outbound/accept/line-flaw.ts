/** What is wrong with a value that stands in a header line, as the end of a sentence; undefined for a sound one. Control
 *  characters would end or break the line. */
export function lineFlaw(value: string): string | undefined {
  if (/[\r\n]/.test(value)) return 'contains a line break; it must be one line'
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u0008\u000b-\u001f\u007f\u0085\u2028\u2029]/.test(value))
    return 'contains a control character'
  if (!value.isWellFormed()) return 'contains half of a surrogate pair, which is no Unicode character'
  return undefined
}
