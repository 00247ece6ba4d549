import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { type Arrived, arrived, checkSubmitted, emptyInbox, theOneArrived } from '#test/arrived.ts'
import { type Ran, runClient, skipWithout } from '#test/client-program.ts'
import { type Instance, startInstance } from '#test/instance.ts'

/** curl as the pages of the specification call it (sending-smtp.md, example-recipients.md), and the transcript of
 *  sending-smtp.md said through openssl. */
const curl = { skip: skipWithout('curl', 'curl', '--version') }
const openssl = { skip: skipWithout('openssl', 'openssl', 'version') }

let instance: Instance
let folder: string

before(async () => {
  instance = await startInstance()
  folder = mkdtempSync(join(tmpdir(), 'posthorn-clients-'))
})
after(async () => {
  await instance[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})
beforeEach(() => emptyInbox(instance))

/** The page's commands, but for the host, the CA, and -v, which shows the replies. */
function curlSnippet(message: string, from: string, to: readonly string[]): Promise<Ran> {
  const { submission, api_token, ca } = instance.dev
  const script = `cat > mail.txt <<EOF
${message}
EOF
curl --verbose --cacert "$CA_FILE" --ssl-reqd \\
  --url "smtps://${submission.host}:${submission.port}" \\
  --user "api_token:$CF_API_TOKEN" \\
  --mail-from "${from}" \\
${to.map((recipient) => `  --mail-rcpt "${recipient}" \\`).join('\n')}
  --upload-file mail.txt
`
  return runClient('sh', ['-c', script], { folder, environment: { CF_API_TOKEN: api_token, CA_FILE: ca } })
}

async function sentByCurl(message: string, from: string, to: readonly string[]): Promise<Arrived[]> {
  const { status, stderr } = await curlSnippet(message, from, to)
  assert.equal(status, 0, stderr)
  const copies = await arrived(instance, to.length)
  assert.deepEqual(
    copies.map((copy) => copy.to),
    [...to].sort(),
  )
  for (const copy of copies) await checkSubmitted(instance, copy, stderr)
  return copies
}

/** The text that is all of a body. curl ends a file of LF line ends by one CRLF more. */
function text(copy: Arrived | undefined): string | undefined {
  return copy?.body.toString().replace(/(?:\r\n){1,2}$/, '')
}

test('curl: the first message of the specification', curl, async () => {
  const message = `From: welcome@yourdomain.com
To: recipient@example.com
Subject: Welcome to our service!

Thanks for signing up.`
  const [copy] = await sentByCurl(message, 'welcome@yourdomain.com', ['recipient@example.com'])
  assert.deepEqual(copy?.mail.from, { address: 'welcome@yourdomain.com', name: '' })
  assert.deepEqual(copy?.mail.to, [{ address: 'recipient@example.com', name: '' }])
  assert.equal(copy?.mail.subject, 'Welcome to our service!')
  assert.equal(text(copy), 'Thanks for signing up.')
})

test('curl: several recipients', curl, async () => {
  const message = `From: Newsletter Team <newsletter@yourdomain.com>
To: user1@example.com, user2@example.com
Subject: Monthly Newsletter

This month's updates`
  const to = ['user1@example.com', 'user2@example.com']
  for (const copy of await sentByCurl(message, 'newsletter@yourdomain.com', to)) {
    assert.deepEqual(copy.mail.from, { address: 'newsletter@yourdomain.com', name: 'Newsletter Team' })
    assert.deepEqual(
      copy.mail.to?.map(({ address }) => address),
      to,
    )
    assert.equal(copy.mail.subject, 'Monthly Newsletter')
    assert.equal(text(copy), "This month's updates")
  }
})

test('curl: Cc and Reply-To in the header, Bcc in the envelope alone', curl, async () => {
  const message = `From: orders@yourdomain.com
To: customer@example.com
Cc: manager@example.com
Reply-To: support@yourdomain.com
Subject: Order Confirmation #12345

Your order is confirmed`
  const to = ['customer@example.com', 'manager@example.com', 'archive@example.com']
  for (const copy of await sentByCurl(message, 'orders@yourdomain.com', to)) {
    assert.deepEqual(copy.mail.to, [{ address: 'customer@example.com', name: '' }])
    assert.deepEqual(copy.mail.cc, [{ address: 'manager@example.com', name: '' }])
    assert.deepEqual(copy.mail.replyTo, [{ address: 'support@yourdomain.com', name: '' }])
    assert.equal(copy.mail.subject, 'Order Confirmation #12345')
    assert.equal(text(copy), 'Your order is confirmed')
    assert.doesNotMatch(copy.raw.toString('latin1'), /archive@/)
  }
})

test('curl: named recipients', curl, async () => {
  const message = `From: Support Team <support@yourdomain.com>
To: Jane Doe <jane@example.com>
Subject: Welcome!

Thanks for joining!`
  const [copy] = await sentByCurl(message, 'support@yourdomain.com', ['jane@example.com'])
  assert.deepEqual(copy?.mail.from, { address: 'support@yourdomain.com', name: 'Support Team' })
  assert.deepEqual(copy?.mail.to, [{ address: 'jane@example.com', name: 'Jane Doe' }])
  assert.equal(text(copy), 'Thanks for joining!')
})

test('curl: plain and named recipients', curl, async () => {
  const message = `From: support@yourdomain.com
To: plain@example.com, Jane Doe <jane@example.com>
Subject: Team update

Monthly update`
  const to = ['plain@example.com', 'jane@example.com']
  for (const copy of await sentByCurl(message, 'support@yourdomain.com', to)) {
    assert.deepEqual(copy.mail.to, [
      { address: 'plain@example.com', name: '' },
      { address: 'jane@example.com', name: 'Jane Doe' },
    ])
    assert.equal(copy.mail.subject, 'Team update')
    assert.equal(text(copy), 'Monthly update')
  }
})

test('curl: a sender of a foreign domain is told so', curl, async () => {
  const { status, stderr } = await curlSnippet('From: a@foreign.example\n\nx', 'a@foreign.example', [
    'b@example.com',
  ])
  assert.notEqual(status, 0)
  assert.match(stderr, /^< 550 5\.7\.1 .*foreign\.example/m)
})

test('curl: an instance whose CA it does not know is not spoken to', curl, async () => {
  const { host, port } = instance.dev.submission
  const url = `smtps://${host}:${port}`
  const envelope = ['--mail-from', 'welcome@yourdomain.com', '--mail-rcpt', 'recipient@example.com']
  const { status } = await runClient('curl', ['--ssl-reqd', '--url', url, ...envelope], { folder })
  assert.equal(status, 60, 'the certificate cannot be verified')
})

test('openssl: the transcript of the specification, line by line', openssl, async () => {
  const { submission, api_token, ca } = instance.dev
  const login = Buffer.from(`\0${submission.username}\0${api_token}`).toString('base64')
  const replies = await playThroughOpenssl(
    ['-connect', `${submission.host}:${submission.port}`, '-CAfile', ca],
    [
      'EHLO client.example.com',
      `AUTH PLAIN ${login}`,
      'MAIL FROM:<welcome@yourdomain.com>',
      'RCPT TO:<recipient@example.com>',
      'DATA',
      [
        'From: welcome@yourdomain.com',
        'To: recipient@example.com',
        'Subject: Welcome',
        '',
        'Thanks for signing up.',
        '.',
      ].join('\n'),
      'QUIT',
    ],
  )
  const [greeting, hello = '', ...others] = replies
  assert.equal(greeting, '220 smtp.mx.posthorn.test Posthorn Email ESMTP Service ready')
  const [greets, ...capabilities] = hello.split('\n')
  assert.equal(greets, '250-smtp.mx.posthorn.test greets client.example.com')
  const offered = capabilities.map((line) => line.slice(4))
  const promised = ['AUTH PLAIN LOGIN', 'SIZE 5242880', '8BITMIME', 'ENHANCEDSTATUSCODES']
  assert.deepEqual(
    offered.filter((capability) => promised.includes(capability)),
    promised,
  )
  assert.deepEqual(offered.filter((capability) => !promised.includes(capability)).sort(), [
    'PIPELINING',
    'REQUIRETLS',
    'SMTPUTF8',
  ])
  const [, , , , taken = ''] = others
  assert.match(taken, /^250 2\.0\.0 Ok <[^<>\s]+@yourdomain\.com>$/)
  assert.deepEqual(others, [
    '235 2.7.0 Authentication successful',
    '250 2.1.0 Ok',
    '250 2.1.5 Ok',
    '354 Start mail input; end with <CR><LF>.<CR><LF>',
    taken,
    '221 smtp.mx.posthorn.test Posthorn Email ESMTP Service closing transmission channel',
  ])
  const copy = await theOneArrived(instance)
  await checkSubmitted(instance, copy, taken)
  assert.equal(copy.to, 'recipient@example.com')
  assert.equal(copy.mail.subject, 'Welcome')
  assert.equal(text(copy), 'Thanks for signing up.')
})

/** Says each of `turns` once the reply to the one before is there. Resolves with the greeting and the replies, the lines
 *  of each joined by `\n`. */
async function playThroughOpenssl(where: readonly string[], turns: readonly string[]): Promise<string[]> {
  const verifying = ['-verify_return_error', '-verify_hostname', 'localhost']
  const child = spawn('openssl', ['s_client', '-quiet', '-crlf', ...verifying, ...where], {
    timeout: 30_000,
    killSignal: 'SIGKILL',
  })
  let trouble = ''
  child.stderr.on('data', (chunk: Buffer) => {
    trouble += chunk.toString()
  })
  const ended = new Promise((resolve) => child.once('close', resolve))
  const replies: string[] = []
  let lines: string[] = []
  let unread = ''
  for await (const chunk of child.stdout) {
    unread += String(chunk)
    for (let end = unread.indexOf('\r\n'); end !== -1; end = unread.indexOf('\r\n')) {
      const line = unread.slice(0, end)
      unread = unread.slice(end + 2)
      lines.push(line)
      if (line[3] === '-') continue
      replies.push(lines.join('\n'))
      lines = []
      const turn = turns[replies.length - 1]
      if (turn !== undefined) child.stdin.write(`${turn}\n`)
    }
  }
  await ended
  assert.equal(replies.length, turns.length + 1, trouble)
  return replies
}
