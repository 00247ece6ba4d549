const UNSEEN = /(?![\t\n\r])[\p{Cc}\p{Bidi_Control}]/gu

/** What a stranger wrote, with nothing in it that turns the writing round or hides: a name that ends in `gpj.exe` does not
 *  look like one that ends in `.jpg`. */
export function visibleText(text: string): string {
  return text.replaceAll(UNSEEN, '\ufffd')
}
