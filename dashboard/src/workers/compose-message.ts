export interface TestMessage {
  readonly from: string
  readonly to: string
  readonly subject: string
  readonly text: string
}

/** RFC 5322, with what a handler may look at. The text goes as it is, in UTF-8 (RFC 6532). */
export function composeMessage({ from, to, subject, text }: TestMessage, at: Date, id: string): string {
  const domain = from.slice(from.lastIndexOf('@') + 1) || 'localhost'
  const head = [
    `From: ${oneLine(from)}`,
    `To: ${oneLine(to)}`,
    `Subject: ${oneLine(subject)}`,
    `Date: ${at.toUTCString().replace('GMT', '+0000')}`,
    `Message-ID: <${id}@${oneLine(domain)}>`,
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: 8bit',
  ]
  return [...head, '', ...text.split(/\r?\n/), ''].join('\r\n')
}

/** A header field ends where its line does. */
function oneLine(text: string): string {
  return text.replaceAll(/[\r\n]+/g, ' ').trim()
}
