import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, beforeEach, test } from 'node:test'
import { type Arrived, arrived, checkAttachment, emptyInbox, theOneArrived } from '#test/arrived.ts'
import { createNamespace, deployExample, type ExampleWorker } from '#test/example-worker.ts'
import { fetchWorker, postJson, workerUrl } from '#test/fetch-worker.ts'
import { type Instance, startInstance } from '#test/instance.ts'
import { kvOf } from '#test/kv-of.ts'
import { openWrangler, type Wrangler } from '#test/wrangler.ts'

/** The Workers of example-signup-flow.md, example-magic-link.md and example-attachments.md as they are published, deployed
 *  and asked over HTTP; what they send is in the inbox, what they keep in KV. */
let instance: Instance
let wrangler: Wrangler
let signup: string
let magicLink: string
let attachments: string
let users: ReturnType<typeof kvOf>
let tokens: ReturnType<typeof kvOf>

const EMAIL = { send_email: [{ name: 'EMAIL' }] }
const WITH_DOMAIN = { ...EMAIL, vars: { DOMAIN: 'yourdomain.com' } }

before(async () => {
  instance = await startInstance()
  wrangler = await openWrangler(instance)
  const usersId = await createNamespace(wrangler, 'USERS')
  const tokensId = await createNamespace(wrangler, 'VERIFICATION_TOKENS')
  users = kvOf(instance, usersId)
  tokens = kvOf(instance, tokensId)
  const deploy = async (worker: ExampleWorker) => workerUrl(instance, await deployExample(wrangler, worker))
  signup = await deploy({
    ...{ name: 'signup', source: 'example-signup-flow/signup-flow.ts' },
    config: {
      ...EMAIL,
      kv_namespaces: [
        { binding: 'USERS', id: usersId },
        { binding: 'VERIFICATION_TOKENS', id: tokensId },
      ],
      vars: { DOMAIN: 'yourdomain.com', COMPANY_NAME: 'Acme Inc.' },
    },
  })
  magicLink = await deploy({
    ...{ name: 'magic-link', source: 'example-magic-link/magic-link.ts', config: WITH_DOMAIN },
  })
  attachments = await deploy({
    ...{ name: 'attachments', source: 'example-attachments/attachments.ts', config: WITH_DOMAIN },
  })
})
after(async () => {
  await wrangler[Symbol.asyncDispose]()
  await instance[Symbol.asyncDispose]()
})
beforeEach(() => emptyInbox(instance))

const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}'

test('signup flow: a user who signs up is verified by the link that came by mail', async () => {
  const before = Date.now()
  const { status, body } = await postJson(`${signup}/signup`, { email: 'ada@example.com', firstName: 'Ada' })
  assert.equal(status, 201)
  const stored = async () => JSON.parse((await users.value('ada@example.com')) ?? 'null')
  const user = await stored()
  assert.deepEqual(body, {
    success: true,
    message: 'Account created. Please check your email.',
    userId: user.id,
  })
  const { email, firstName, verified } = user
  assert.deepEqual([email, firstName, verified], ['ada@example.com', 'Ada', false])

  const copies = await arrived(instance, 2)
  const mail = (subject: string) => {
    const copy = copies.find(({ mail }) => mail.subject === subject)
    assert.ok(copy, subject)
    assert.equal(copy.to, 'ada@example.com')
    assert.equal(copy.mail.from?.address, 'noreply@yourdomain.com')
    return copy.mail.html ?? ''
  }
  assert.match(mail('Welcome to Acme Inc.!'), /<h1>Welcome Ada!<\/h1>/)
  const html = mail('Please verify your email address')
  const [, token] = new RegExp(`https://yourdomain\\.com/verify\\?token=(${UUID})"`).exec(html) ?? []
  assert.ok(token, html)
  const [key, ...more] = await tokens.keys()
  assert.deepEqual([key?.name, more.length], [token, 0])
  const left = (key?.expiration ?? 0) * 1000 - before
  assert.ok(left > 3_590_000 && left < 3_660_000, `an hour, not ${left} ms`)

  const verify = (path = `/verify?token=${token}`) => fetchWorker(`${signup}${path}`)
  const page = await verify()
  assert.deepEqual([page.status, page.contentType], [200, 'text/html'])
  assert.match(page.text, /<h1>Email Verified!<\/h1>\n\s*<p>Welcome Ada! Your account is now active\.<\/p>/)
  assert.deepEqual(await stored(), { ...user, verified: true })
  assert.deepEqual(await tokens.keys(), [])
  const again = await verify()
  assert.deepEqual([again.status, again.text], [400, 'Invalid or expired token'])
  assert.equal((await verify('/verify')).text, 'Missing token')
})

test('signup flow: what it does not take sends nothing', async () => {
  await postJson(`${signup}/signup`, { email: 'grace@example.com', firstName: 'Grace' })
  await arrived(instance, 2)
  const taken = await postJson(`${signup}/signup`, { email: 'grace@example.com', firstName: 'G' })
  assert.deepEqual(taken, { status: 409, body: { error: 'User already exists' } })
  const wrong = await postJson(`${signup}/signup`, { email: 'nobody', firstName: 'N' })
  assert.deepEqual(wrong, { status: 400, body: { error: 'Invalid input' } })
  assert.equal((await fetchWorker(`${signup}/signup`)).status, 404)
  await arrived(instance, 2)
})

test('magic link', async () => {
  const { status, body } = await postJson(`${magicLink}/send-magic-link`, { email: 'ada@example.com' })
  assert.deepEqual([status, body], [200, { success: true, message: 'Magic link sent to your email' }])
  const { mail } = await theOneArrived(instance)
  assert.equal(mail.subject, 'Your login link')
  const link = new RegExp(`https://yourdomain\\.com/login\\?token=${UUID}`)
  const [inText = ''] = link.exec(mail.text ?? '') ?? []
  assert.match(inText, link)
  assert.equal(link.exec(mail.html ?? '')?.[0], inText)
  const wrong = await postJson(`${magicLink}/send-magic-link`, { email: 'a b@c' })
  assert.deepEqual(wrong, { status: 400, body: { error: 'Invalid email' } })
})

test('attachments: a generated PDF', async () => {
  const invoiceData = {
    ...{ number: '2026-042', customerName: 'Ada', date: '2026-11-02T12:00:00Z', total: '12.50' },
    dueDate: '2026-12-02T12:00:00Z',
  }
  const answer = await postJson(`${attachments}/send-invoice`, {
    ...{ customerEmail: 'ada@example.com', invoiceData },
  })
  assert.deepEqual(answer, { status: 200, body: { success: true, message: 'Invoice sent' } })
  const copy = await theOneArrived(instance)
  assert.equal(copy.mail.subject, 'Invoice #2026-042')
  assert.match(copy.mail.html ?? '', /<strong>Amount Due:<\/strong> \$12\.50</)
  const { bytes, ...attachment } = onlyAttachment(copy)
  assert.deepEqual(attachment, {
    ...{ filename: 'invoice-2026-042.pdf', mimeType: 'application/pdf', disposition: 'attachment' },
  })
  const pdf = bytes.toString()
  assert.ok(pdf.startsWith('%PDF-1.4\n1 0 obj\n') && pdf.endsWith('startxref\n400\n%%EOF'), pdf)
  assert.match(pdf, /\(INVOICE #2026-042\) Tj\n0 -50 Td\n.*\n\(Customer: Ada\) Tj\n.*\n\(Date: 11\/2\/2026\)/)
})

function onlyAttachment({ mail }: Arrived) {
  const [attachment, ...more] = mail.attachments
  assert.ok(attachment && more.length === 0)
  const { filename, mimeType, disposition, content } = attachment
  assert.ok(content instanceof ArrayBuffer)
  return { filename, mimeType, disposition, bytes: Buffer.from(content) }
}

test('attachments: images inside the text', async () => {
  const answer = await postJson(`${attachments}/send-report`, {
    recipientEmail: 'ada@example.com',
    reportData: {
      ...{ title: 'Quarter', period: 'Q3 2026' },
      metrics: { revenue: 1234567, users: 8901, growth: 12.5 },
    },
  })
  assert.deepEqual(answer, { status: 200, body: { success: true, message: 'Report sent' } })
  const { mail, header } = await theOneArrived(instance)
  assert.equal(mail.subject, 'Quarter - Q3 2026')
  assert.match(header, /^Content-Type: multipart\/related;/im)
  assert.match(mail.html ?? '', /<strong>Revenue:<\/strong> \$1,234,567</)
  assert.deepEqual(
    mail.attachments.map(({ filename, mimeType, disposition, contentId }) => [
      ...[filename, mimeType, disposition, contentId],
    ]),
    [
      ['company-logo.svg', 'image/svg+xml', 'inline', '<company-logo>'],
      ['performance-chart.svg', 'image/svg+xml', 'inline', '<performance-chart>'],
    ],
  )
  const [logo = '', chart = ''] = mail.attachments.map(({ content }) => {
    assert.ok(content instanceof ArrayBuffer)
    return Buffer.from(content).toString()
  })
  assert.match(logo, /<svg width="200" height="60"[^]*>Company<\/text>\n {4}<\/svg>\n {2}$/)
  assert.match(chart, /width="30" height="25" fill="#2563eb"/)
  for (const id of ['company-logo', 'performance-chart']) assert.ok(mail.html?.includes(`src="cid:${id}"`))
})

function upload(file: File, fields: Record<string, string> = { email: 'ada@example.com' }) {
  const body = new FormData()
  body.set('file', file)
  for (const [name, value] of Object.entries(fields)) body.set(name, value)
  return fetchWorker(`${attachments}/upload-attachment`, { method: 'POST', body })
}

test('attachments: an uploaded file, byte for byte', async () => {
  const bytes = randomBytes(1_500_000)
  const file = new File([bytes], 'scan.pdf', { type: 'application/pdf' })
  const fields = { email: 'ada@example.com', message: 'As promised', senderName: 'Grace' }
  const { status, text } = await upload(file, fields)
  assert.deepEqual(
    [status, JSON.parse(text)],
    [200, { success: true, message: 'File scan.pdf sent to ada@example.com' }],
  )
  const copy = await theOneArrived(instance)
  assert.equal(copy.mail.subject, 'File shared: scan.pdf')
  assert.match(copy.mail.html ?? '', /<strong>Grace<\/strong>[^]*"As promised"[^]*1\.43 MB[^]*PDF Document/)
  checkAttachment(copy, { filename: 'scan.pdf', type: 'application/pdf', bytes })
})

test('attachments: uploads that it does not take', async () => {
  const of = (octets: number, name: string, type: string) => new File([Buffer.alloc(octets)], name, { type })
  const says = async (file: File, fields?: Record<string, string>) => {
    const { status, text } = await upload(file, fields)
    assert.equal(status, 400)
    return JSON.parse(text).error
  }
  assert.equal(await says(of(0, 'a.txt', 'text/plain')), 'File is empty')
  assert.equal(await says(of(5_242_881, 'a.pdf', 'application/pdf')), 'File too large (max 5 MB)')
  assert.equal(await says(of(9, 'a.html', 'text/html')), 'File type not allowed')
  assert.match(await says(of(9, 'a.exe', 'text/plain')), /^File extension not allowed/)
  assert.equal(await says(of(9, 'a.txt', 'text/plain'), {}), 'Missing required fields: file and email')
  await arrived(instance, 0)
})

test('attachments: a file that fits the Worker and not the message is an exception, and is not sent', async () => {
  const { status, text } = await upload(
    new File([randomBytes(5_000_000)], 'a.pdf', { type: 'application/pdf' }),
  )
  assert.match(text, /6\.36 MiB; 5 MiB is the most/)
  assert.equal(status, 500)
  await arrived(instance, 0)
})

test('nothing of it went anywhere else', () => assert.equal(wrangler.strayConnections(), 0))
