// RFC 3463 §2: class "." subject "." detail. Some hosts put a '#' before it.
const LEADING = /^#?([245]\.\d{1,3}\.\d{1,3})(?![.\d])[ \t]*/
const INSIDE = /#([245]\.\d{1,3}\.\d{1,3})(?![.\d])/

/** Takes the enhanced status code (RFC 2034 §4) out of the text of an SMTP reply, from each of its lines where several
 *  carry the same. A code that stands inside the text as `(#5.1.1)` is read and left there. `text` may hold several
 *  lines separated by `\n`. */
export function splitEnhanced(text: string): { enhanced?: string; text: string } {
  const enhanced = LEADING.exec(text)?.[1]
  if (enhanced === undefined) {
    const inside = INSIDE.exec(text)?.[1]
    return inside === undefined ? { text } : { enhanced: inside, text }
  }
  const lines = text.split('\n').map((line) => {
    const code = LEADING.exec(line)
    return code?.[1] === enhanced ? line.slice(code[0].length) : line
  })
  return { enhanced, text: lines.join('\n') }
}
