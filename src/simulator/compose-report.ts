import { randomUUID } from 'node:crypto'
import { parseHeaderBlock } from '#protocol/header-block.ts'

/** What the simulator knows of a message that it reports about. */
export interface Simulated {
  /** The envelope's sender: the delivery's return path. */
  readonly returnPath: string
  readonly recipient: string
  /** As it came, CRLF line ends. */
  readonly content: Buffer
  readonly at: Date
}

const MOST_HEADER = { fields: 500, bytes: 64 * 1024 }

/** A delivery status notification (RFC 3464): the mailbox turned out not to exist. `host` is who reports. */
export function composeBounce({ returnPath, recipient, content, at }: Simulated, host: string): Buffer {
  const type = isAscii(recipient) ? 'rfc822' : 'utf-8' // RFC 6533 §3
  return multipartReport({
    from: `Mail Delivery System <mailer-daemon@${host}>`,
    to: returnPath,
    subject: 'Undelivered mail: no such mailbox (simulated)',
    host,
    at,
    reportType: 'delivery-status',
    text: `This is the simulator at ${host}. It accepted your message to\r\n${recipient}\r\nand found later that there is no such mailbox.\r\n`,
    machine: {
      type: isAscii(recipient) ? 'message/delivery-status' : 'message/global-delivery-status',
      fields:
        `Reporting-MTA: dns; ${host}\r\nArrival-Date: ${rfc5322Date(at)}\r\n\r\n` +
        `Final-Recipient: ${type}; ${recipient}\r\nAction: failed\r\nStatus: 5.1.1\r\n` +
        'Diagnostic-Code: smtp; 550 5.1.1 Simulated: no such mailbox\r\n',
    },
    original: originalHeader(content, new Set()),
  })
}

/** Fields that name the recipient, which a provider redacts (RFC 6590). */
const REDACTED: ReadonlySet<string> = new Set(['to', 'cc', 'bcc', 'resent-to', 'delivered-to', 'return-path'])

/** A complaint (RFC 5965) as providers send it where the message asks for one (RFC 9477): without the recipient. Out: the
 *  report, to be signed, and the address that it goes to; `otherwise` where the message names none. */
export function composeComplaint(
  { returnPath, content, at }: Simulated,
  { reporter, otherwise }: { readonly reporter: string; readonly otherwise: string },
): { readonly to: string; readonly content: Buffer } {
  const to = cfblAddress(content) ?? otherwise
  const host = reporter.slice(reporter.lastIndexOf('@') + 1)
  const report = multipartReport({
    from: reporter,
    to,
    subject: 'Complaint about a message (simulated)',
    host,
    at,
    reportType: 'feedback-report',
    text: 'This is the simulator: somebody marked the message below as spam.\r\n',
    machine: {
      type: 'message/feedback-report',
      fields:
        'Feedback-Type: abuse\r\nUser-Agent: Posthorn-Simulator/1\r\nVersion: 1\r\n' +
        `Original-Mail-From: <${returnPath}>\r\nArrival-Date: ${rfc5322Date(at)}\r\n`,
    },
    original: originalHeader(content, REDACTED),
  })
  return { to, content: report }
}

interface ReportMail {
  readonly from: string
  readonly to: string
  readonly subject: string
  readonly host: string
  readonly at: Date
  readonly reportType: string
  readonly text: string
  readonly machine: { readonly type: string; readonly fields: string }
  readonly original: Buffer
}

/** RFC 6522: for people, for machines, and what it is about. */
function multipartReport(mail: ReportMail): Buffer {
  const id = randomUUID()
  const boundary = `=_${id}`
  const opening = [
    `From: ${mail.from}`,
    `To: <${mail.to}>`,
    `Subject: ${mail.subject}`,
    `Date: ${rfc5322Date(mail.at)}`,
    `Message-ID: <${id}@${mail.host}>`,
    'Auto-Submitted: auto-replied',
    'MIME-Version: 1.0',
    `Content-Type: multipart/report; report-type=${mail.reportType};`,
    ` boundary="${boundary}"`,
    '',
    `--${boundary}`,
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: 8bit',
    '',
    mail.text,
    `--${boundary}`,
    `Content-Type: ${mail.machine.type}`,
    '',
    mail.machine.fields,
    `--${boundary}`,
    'Content-Type: text/rfc822-headers',
    'Content-Transfer-Encoding: 8bit',
    '',
    '',
  ].join('\r\n')
  return Buffer.concat([Buffer.from(opening), mail.original, Buffer.from(`\r\n--${boundary}--\r\n`)])
}

/** The header of a message, octet for octet, without some of its fields. */
function originalHeader(content: Buffer, left: ReadonlySet<string>): Buffer {
  const header = parseHeaderBlock(content, MOST_HEADER)
  if ('fault' in header) return Buffer.alloc(0)
  const kept = header.fields.filter(({ name }) => !left.has(name.toLowerCase()))
  return Buffer.concat(kept.map(({ start, end }) => content.subarray(start, end)))
}

/** RFC 9477 §3.1: an addr-spec, and parameters behind a semicolon. */
function cfblAddress(content: Buffer): string | undefined {
  const header = parseHeaderBlock(content, MOST_HEADER)
  if ('fault' in header) return undefined
  const field = header.fields.find(({ name }) => name.toLowerCase() === 'cfbl-address')
  return /^\s*<?([!-;=?-~]+@[A-Za-z0-9.-]+)/.exec(field?.value ?? '')?.[1]
}

function rfc5322Date(date: Date): string {
  return date.toUTCString().replace('GMT', '+0000')
}

function isAscii(text: string): boolean {
  return Buffer.byteLength(text) === text.length
}
