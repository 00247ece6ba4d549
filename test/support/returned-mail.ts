/** A delivery status notification (RFC 3464) as a remote host sends it, CRLF line ends. */
export function statusReport({
  recipient,
  action = 'failed',
  status = '5.1.1',
  diagnostic = 'smtp; 550 5.1.1 No such user here',
  header = '',
}: {
  readonly recipient: string | readonly string[]
  readonly action?: string
  readonly status?: string
  readonly diagnostic?: string
  readonly header?: string
}): Buffer {
  const recipients = [recipient].flat()
  const fields = recipients.map(
    (each) =>
      `Final-Recipient: rfc822; ${each}\nAction: ${action}\nStatus: ${status}\nDiagnostic-Code: ${diagnostic}\n`,
  )
  return crlf(`${header}From: Mail Delivery System <mailer-daemon@remote.example>
To: sender@yourdomain.com
Subject: Delivery Status Notification
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

About your message.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; remote.example

${fields.join('\n')}
--b
Content-Type: text/rfc822-headers

From: app@yourdomain.com
Subject: Hello

--b--
`)
}

/** A complaint (RFC 5965) with a redacted recipient. `original` are header fields of the message it is about. */
export function complaintReport({
  from = 'fbl@provider.example',
  type = 'abuse',
  fields = '',
  original = '',
}: {
  readonly from?: string
  readonly type?: string
  readonly fields?: string
  readonly original?: string
} = {}): Buffer {
  return crlf(`From: Feedback <${from}>
To: fbl@cf-bounce.yourdomain.com
Subject: Complaint
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="b"

--b
Content-Type: text/plain

Somebody complains.

--b
Content-Type: message/feedback-report

Feedback-Type: ${type}
User-Agent: Provider/1.0
Version: 1
Original-Rcpt-To: redacted
${fields}
--b
Content-Type: message/rfc822

From: app@yourdomain.com
Subject: Hello
${original}
body
--b--
`)
}

function crlf(text: string): Buffer {
  return Buffer.from(text.replaceAll('\n', '\r\n'))
}
