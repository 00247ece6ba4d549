/** The one message that every peer carries: 2 KB of text and 3 KB of HTML. It is ASCII in short lines, so that it
 *  travels as 7bit everywhere and no peer pays for an encoding that another one skips. */

export const FROM = 'welcome@yourdomain.com'
export const SUBJECT = 'Your order is on its way'

/** Recipients spread over this many domains, which is as many lanes. */
const DOMAINS = 10
/** As many destinations of forwards, each at a domain of its own. */
export const ROUTED_DOMAINS = DOMAINS

// Places that Template fills; each is as wide as the digits that replace it, so a request never changes its length.
const SEQUENCE = 'NNNNNNNN'
const DOMAIN = 'DD'

const RECIPIENT = `user${SEQUENCE}@bench${DOMAIN}.example`

const WORDS =
  `your order has left our house this morning and should be with you by the end of the week we packed it
with care and wrote the number of the parcel below so that you can follow it on its way if nobody is at home the
carrier leaves a card and tries again on the next day you may also choose a shop nearby where it waits for you`.split(
    /\s+/,
  )

export const TEXT = prose(1_950, 72)
export const HTML = [
  '<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>Your order</title></head>',
  '<body style="margin:0;padding:24px;font-family:sans-serif;color:#222">',
  ...Array.from(
    { length: 5 },
    (_, row) =>
      `<table role="presentation" width="100%" cellpadding="0"><tr>\n<td style="padding:8px 0">\n<p>${prose(420, 72, row * 7)}</p>\n` +
      `<a href="https://yourdomain.com/orders/${row}">Follow your parcel</a>\n</td>\n</tr></table>`,
  ),
  '</body>\n</html>\n',
].join('\n')

/** `phase` tells the warm-up from the measured run; it holds no `-`. */
export function benchId(phase: string, sequence: number): string {
  return `${phase}-${digits(sequence, SEQUENCE.length)}`
}

/** The body of a REST send (spec/sending-rest-api.md). */
export function restTemplate(phase: string): string {
  return JSON.stringify({
    from: FROM,
    to: RECIPIENT,
    subject: SUBJECT,
    text: TEXT,
    html: HTML,
    headers: { 'X-Bench-Id': `${phase}-${SEQUENCE}` },
  })
}

/** The commands of one SMTP transaction, pipelined up to DATA (RFC 2920 §3.1). */
export const SMTP_ENVELOPE = `MAIL FROM:<${FROM}>\r\nRCPT TO:<${RECIPIENT}>\r\nDATA\r\n`

/** The same message as MIME, with its final dot. No line starts with a dot, so there is nothing to stuff. */
export function smtpTemplate(phase: string, from = FROM): string {
  const boundary = '--_bench_0a1b2c3d4e5f'
  return [
    `From: ${from}`,
    `To: ${RECIPIENT}`,
    `Subject: ${SUBJECT}`,
    `Message-ID: <${phase}-${SEQUENCE}@yourdomain.com>`,
    `Date: ${new Date().toUTCString().replace('GMT', '+0000')}`,
    `X-Bench-Id: ${phase}-${SEQUENCE}`,
    'MIME-Version: 1.0',
    `Content-Type: multipart/alternative; boundary="${boundary}"`,
    '',
    `--${boundary}`,
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: 7bit',
    '',
    TEXT,
    `--${boundary}`,
    'Content-Type: text/html; charset=utf-8',
    'Content-Transfer-Encoding: 7bit',
    '',
    HTML,
    `--${boundary}--`,
    '.',
    '',
  ]
    .join('\n')
    .replaceAll('\n', '\r\n')
}

/** A request rendered once; each use only overwrites digits in place, so the generator costs next to nothing. One
 *  template belongs to one connection, which fills it again only after the last use was answered. */
export class Template {
  readonly #bytes: Buffer
  readonly #sequences: readonly number[]
  readonly #domains: readonly number[]

  /** `bytes`, as long as the source, is where it is rendered; part of a greater whole, say. */
  constructor(source: string, bytes = Buffer.alloc(source.length)) {
    this.#bytes = bytes
    bytes.write(source, 'latin1')
    this.#sequences = offsets(source, SEQUENCE)
    this.#domains = offsets(source, `bench${DOMAIN}.example`).map((at) => at + 'bench'.length)
  }

  fill(sequence: number): Buffer {
    const number = digits(sequence, SEQUENCE.length)
    const domain = digits(sequence % DOMAINS, DOMAIN.length)
    for (const at of this.#sequences) this.#bytes.write(number, at, 'latin1')
    for (const at of this.#domains) this.#bytes.write(domain, at, 'latin1')
    return this.#bytes
  }
}

function digits(value: number, width: number): string {
  return String(value).padStart(width, '0')
}

function offsets(source: string, place: string): number[] {
  const found: number[] = []
  for (let at = source.indexOf(place); at !== -1; at = source.indexOf(place, at + 1)) found.push(at)
  return found
}

function prose(bytes: number, width: number, start = 0): string {
  let text = ''
  let line = ''
  for (let i = start; text.length + line.length < bytes; i++) {
    const word = WORDS[i % WORDS.length] ?? ''
    if (line.length + word.length + 1 > width) {
      text += `${line}\n`
      line = word
    } else line += line === '' ? word : ` ${word}`
  }
  return text + line
}
