/** The form in which text is stored for searching and in which search words are compared: lower case, without the
 *  punctuation that wraps addresses, every run of white space one blank (Mailpit folds the same characters). NFC, since
 *  what one keyboard types as one character another types as two. NUL goes because PostgreSQL keeps none in text, lone
 *  surrogates because UTF-8 has none. */
export function foldText(text: string): string {
  return text
    .replaceAll('\0', ' ')
    .replace(/[\s<>",;()\uFEFF]+/g, ' ')
    .trim()
    .toLowerCase()
    .normalize('NFC')
    .toWellFormed()
}
