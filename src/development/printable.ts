/** Text for a terminal: what strangers write in a mail reaches logs of Workers, and must not steer it. Line breaks and
 *  tabs stay. */
export function printable(text: string): string {
  return text.replaceAll(
    /[^\P{Cc}\n\t]/gu,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  )
}
