/** What one look at the lines of a message tells:
 *  `bare-line-ends`: a CR or LF stands alone; nothing else is known.
 *  `carried`: SMTP carries every line of it as it stands.
 *  `in-doubt`: a line over 998 octets, a NUL, or a line that may declare content as binary. */
export type LineScan = 'bare-line-ends' | 'carried' | 'in-doubt'

// RFC 5321 §4.5.3.1.6: a text line has 1,000 octets at most, CRLF among them. A hop that wraps a longer one breaks the
// signature.
export const LONGEST_LINE = 998

/** Every message goes through here once. As a string of one character for each octet, because the searches of strings
 *  are several times as fast as those of buffers and as a loop. */
export function scanLines(content: Buffer): LineScan {
  const text = content.toString('latin1')
  let scan: LineScan = text.includes('\0') ? 'in-doubt' : 'carried'
  let start = 0
  for (;;) {
    // Five million blank lines would cost ten million searches.
    while (text.charCodeAt(start) === CR && text.charCodeAt(start + 1) === LF) start += 2
    const cr = text.indexOf('\r', start)
    if (cr === -1) break
    const lf = text.indexOf('\n', start)
    if (lf !== cr + 1) return 'bare-line-ends'
    if (cr - start > LONGEST_LINE || declaresEncoding(text, start)) scan = 'in-doubt'
    start = lf + 1
  }
  if (text.includes('\n', start)) return 'bare-line-ends'
  return text.length - start > LONGEST_LINE || declaresEncoding(text, start) ? 'in-doubt' : scan
}

const LF = 10
const CR = 13
const HYPHEN = 45

/** Whether the line declares a transfer encoding that is none of the four that SMTP carries. */
function declaresEncoding(text: string, start: number): boolean {
  // Nearly every line ends here: `c`, and the hyphen of `content-`. Setting bit 5 makes a letter lower case.
  if ((text.charCodeAt(start) | 32) !== 99 || text.charCodeAt(start + 7) !== HYPHEN) return false
  UNUSUAL_ENCODING.lastIndex = start
  return UNUSUAL_ENCODING.test(text)
}

/** An empty value too: the word may stand on the next line. */
const UNUSUAL_ENCODING =
  /content-transfer-encoding[ \t]*:(?![ \t]*(?:[78]bit|base64|quoted-printable)[ \t]*\r\n)/iy
