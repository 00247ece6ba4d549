import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { arrived, checkAttachment, checkSubmitted, emptyInbox, theOneArrived } from '#test/arrived.ts'
import { type Ran, runClient, skipWithout } from '#test/client-program.ts'
import { type Instance, startInstance } from '#test/instance.ts'

/** smtplib and PHPMailer as example-smtp-clients.md uses them; only the host and the CA are ours. */
const PYTHON = existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3'
const python = { skip: skipWithout('python3', PYTHON, '-c', 'import smtplib') }
const AUTOLOAD = '/usr/share/php/libphp-phpmailer/autoload.php'
const php = { skip: skipWithout('php-cli libphp-phpmailer', 'php', '-r', `require '${AUTOLOAD}';`) }

const INVOICE = {
  filename: 'invoice-2026-04.pdf',
  type: 'application/pdf',
  bytes: Buffer.concat([Buffer.from('%PDF-1.7\n'), randomBytes(300 * 1024)]),
}

let instance: Instance
let folder: string

before(async () => {
  instance = await startInstance()
  folder = mkdtempSync(join(tmpdir(), 'posthorn-libraries-'))
  writeFileSync(join(folder, INVOICE.filename), INVOICE.bytes)
})
after(async () => {
  await instance[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})
beforeEach(() => emptyInbox(instance))

const PAGE_MESSAGE = `
msg = EmailMessage()
msg["From"] = "Acme <welcome@yourdomain.com>"
msg["To"] = "user@example.com"
msg["Subject"] = "Welcome to Acme"
msg.set_content("Thanks for signing up.")
msg.add_alternative(
    "<h1>Welcome to Acme</h1><p>Thanks for signing up.</p>",
    subtype="html",
)
`

/** The page's script; `before_sending` stands where the page's variations go. The replies are on stderr. */
function runPython(beforeSending = '', token = instance.dev.api_token): Promise<Ran> {
  const { submission, ca } = instance.dev
  const script = `
import os
import smtplib
import ssl
from email.message import EmailMessage
from pathlib import Path
${PAGE_MESSAGE}${beforeSending}
try:
    with smtplib.SMTP_SSL("${submission.host}", ${submission.port}, context=ssl.create_default_context()) as s:
        s.set_debuglevel(1)
        s.login("api_token", os.environ["CF_API_TOKEN"])
        print(s.send_message(msg))
except smtplib.SMTPAuthenticationError as e:
    print(f"Auth failed: {e.smtp_code} {e.smtp_error!r}")
except smtplib.SMTPResponseException as e:
    print(f"SMTP error: {e.smtp_code} {e.smtp_error!r}")
`
  const environment = { CF_API_TOKEN: token, SSL_CERT_FILE: ca }
  return runClient(PYTHON, ['-c', script], { folder, environment })
}

/** smtplib shows a reply in two parts. */
function replyInDebug(stderr: string): string {
  const [, text = ''] = /reply: retcode \(250\); Msg: b'(2\.0\.0 Ok [^']*)'/.exec(stderr) ?? []
  return `250 ${text}`
}

test("smtplib: the page's message", python, async () => {
  const { status, stdout, stderr } = await runPython()
  assert.equal(status, 0, stderr)
  assert.equal(stdout.trim(), '{}', stderr)
  const copy = await theOneArrived(instance)
  await checkSubmitted(instance, copy, replyInDebug(stderr))
  assert.equal(copy.to, 'user@example.com')
  assert.deepEqual(copy.mail.from, { address: 'welcome@yourdomain.com', name: 'Acme' })
  assert.equal(copy.mail.subject, 'Welcome to Acme')
  assert.equal(copy.mail.text?.trimEnd(), 'Thanks for signing up.')
  assert.equal(copy.mail.html?.trimEnd(), '<h1>Welcome to Acme</h1><p>Thanks for signing up.</p>')
})

test('smtplib: three recipients and an attachment', python, async () => {
  const { status, stdout, stderr } = await runPython(`
del msg["To"]
msg["To"] = ", ".join([
    "user1@example.com",
    "user2@example.com",
    "user3@example.com",
])
msg["Bcc"] = "archive@example.com"
pdf = Path("invoice-2026-04.pdf").read_bytes()
msg.add_attachment(
    pdf,
    maintype="application",
    subtype="pdf",
    filename="invoice-2026-04.pdf",
)
`)
  assert.equal(status, 0, stderr.slice(-2000))
  assert.equal(stdout.trim(), '{}')
  const users = ['user1@example.com', 'user2@example.com', 'user3@example.com']
  const copies = await arrived(instance, 4)
  assert.deepEqual(
    copies.map(({ to }) => to),
    ['archive@example.com', ...users],
  )
  for (const copy of copies) {
    await checkSubmitted(instance, copy, replyInDebug(stderr))
    assert.deepEqual(
      copy.mail.to?.map(({ address }) => address),
      users,
    )
    assert.equal(copy.mail.text?.trimEnd(), 'Thanks for signing up.')
    assert.equal(copy.mail.html?.trimEnd(), '<h1>Welcome to Acme</h1><p>Thanks for signing up.</p>')
    checkAttachment(copy, INVOICE)
  }
})

test('smtplib: a bad token and a foreign domain are the exceptions of the page', python, async () => {
  const refused = await runPython('', 'no-such-token')
  assert.match(refused.stdout, /^Auth failed: 535 b'5\.7\.8 Authentication failed/)
  const foreign = await runPython('msg.replace_header("From", "welcome@foreign.example")')
  assert.match(foreign.stdout, /^SMTP error: 550 b'5\.7\.1 .*foreign\.example/)
})

/** The page's script with Debian's autoloader. PHPMailer shows the replies on stdout. */
function runPhp(beforeSending: string, options: readonly string[]): Promise<Ran> {
  const { submission, api_token, ca } = instance.dev
  const script = `<?php
use PHPMailer\\PHPMailer\\PHPMailer;

require '${AUTOLOAD}';

$mail = new PHPMailer(true);
$mail->isSMTP();
$mail->Host       = '${submission.host}';
$mail->Port       = ${submission.port};
$mail->SMTPSecure = PHPMailer::ENCRYPTION_SMTPS;
$mail->SMTPAuth   = true;
$mail->Username   = 'api_token';
$mail->Password   = getenv('CF_API_TOKEN');
$mail->SMTPDebug  = 2;

$mail->setFrom('welcome@yourdomain.com', 'Acme');
$mail->addAddress('recipient@example.com');
$mail->Subject = 'Welcome to our service!';
$mail->Body    = 'Thanks for signing up.';
${beforeSending}
$mail->send();
`
  const environment = { CF_API_TOKEN: api_token, CA_FILE: ca }
  return runClient('php', [...options], { folder, environment, input: script })
}

test("PHPMailer: the page's script", php, async () => {
  const { status, stdout, stderr } = await runPhp('', ['-d', `openssl.cafile=${instance.dev.ca}`])
  assert.equal(status, 0, stdout + stderr)
  const copy = await theOneArrived(instance)
  await checkSubmitted(instance, copy, stdout)
  assert.equal(copy.to, 'recipient@example.com')
  assert.deepEqual(copy.mail.from, { address: 'welcome@yourdomain.com', name: 'Acme' })
  assert.deepEqual(copy.mail.to, [{ address: 'recipient@example.com', name: '' }])
  assert.equal(copy.mail.subject, 'Welcome to our service!')
  assert.equal(copy.mail.text?.trimEnd(), 'Thanks for signing up.')
})

test('PHPMailer: an attachment, a Cc and a Bcc', php, async () => {
  const more = `
$mail->CharSet = 'UTF-8';
$mail->SMTPOptions = ['ssl' => ['cafile' => getenv('CA_FILE')]];
$mail->Subject = 'Rëchnung';
$mail->addCC('manager@example.com', 'Jöe Manager');
$mail->addBCC('archive@example.com');
$mail->addAttachment('invoice-2026-04.pdf');
`
  const { status, stdout, stderr } = await runPhp(more, [])
  assert.equal(status, 0, stdout + stderr)
  const copies = await arrived(instance, 3)
  assert.deepEqual(
    copies.map(({ to }) => to),
    ['archive@example.com', 'manager@example.com', 'recipient@example.com'],
  )
  for (const copy of copies) {
    await checkSubmitted(instance, copy, stdout)
    assert.equal(copy.mail.subject, 'Rëchnung')
    assert.deepEqual(copy.mail.cc, [{ address: 'manager@example.com', name: 'Jöe Manager' }])
    assert.equal(copy.mail.text?.trimEnd(), 'Thanks for signing up.')
    checkAttachment(copy, INVOICE)
  }
})
