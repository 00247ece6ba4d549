/** What a spreadsheet takes for a formula, or for our guard against one. */
export const FORMULA_START = /^['=+\-@\t\r\n＝＋－＠]/

/** One cell of RFC 4180. A spreadsheet that opens the file must not run what somebody wrote as a formula: such a text
 *  begins with an apostrophe. */
export function csvCell(text: string): string {
  const safe = FORMULA_START.test(text) ? `'${text}` : text
  return /[",;\t\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
