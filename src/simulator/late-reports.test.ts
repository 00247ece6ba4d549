import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { readReturnedMail } from '#protocol/bounce-report.ts'
import { dotStuff } from '#protocol/dot-stuffing.ts'
import { connectSmtp } from '#smtp/client.ts'
import { startSmtpServer, until } from '#test/smtp-server.ts'
import { type LateReportsOptions, openLateReports } from './late-reports.ts'
import { sendReport } from './send-report.ts'
import { createSimulator } from './simulator.ts'

const MESSAGE = [
  'From: app@yourdomain.com',
  'To: Complainer <complaint+x@simulator.posthorn.test>',
  'Cc: somebody@remote.example',
  'Subject: Hello',
  'CFBL-Address: fbl@cf-bounce.yourdomain.com; report=arf',
  'CFBL-Feedback-ID: abc',
  '',
  'hello',
  '',
].join('\r\n')

type Mail = Parameters<LateReportsOptions['send']>[0]

function open(t: TestContext, more: Partial<LateReportsOptions> = {}) {
  const sent: Mail[] = []
  const errors: unknown[] = []
  const reports = openLateReports({
    send: async (mail) => {
      sent.push(mail)
      return 'sent'
    },
    sign: async (content) => Buffer.concat([Buffer.from('DKIM-Signature: x\r\n'), content]),
    host: 'simulator.posthorn.test',
    complaintsFrom: 'complaints@email.posthorn.test',
    complaintsTo: 'fbl@email.posthorn.test',
    delayMs: 1,
    now: () => 0,
    onError: (error) => errors.push(error),
    ...more,
  })
  t.after(() => reports.close())
  return { reports, sent, errors }
}

const about = (recipient: string, more: { returnPath?: string; content?: string } = {}) => ({
  returnPath: more.returnPath ?? 'tag@cf-bounce.yourdomain.com',
  recipient,
  content: Buffer.from(more.content ?? MESSAGE),
})

test('a late bounce goes to the return path and reads as one', async (t) => {
  const { reports, sent } = open(t)
  reports.schedule('late-bounce', about('late-bounce+x@simulator.posthorn.test'))
  await until(() => sent.length === 1)
  const [mail] = sent
  assert.equal(mail?.to, 'tag@cf-bounce.yourdomain.com')
  const read = readReturnedMail(mail?.content ?? Buffer.alloc(0))
  assert.ok(read.kind === 'bounce')
  const [recipient, ...more] = read.recipients
  assert.deepEqual(more, [])
  assert.equal(recipient?.recipient, 'late-bounce+x@simulator.posthorn.test')
  assert.equal(recipient?.status, '5.1.1')
  assert.equal(recipient?.replyCode, 550)
  assert.equal(read.original?.subject, 'Hello')
})

test('a complaint is signed, goes to the CFBL-Address with the CFBL-Feedback-ID, and names no recipient', async (t) => {
  const { reports, sent } = open(t)
  reports.schedule('complaint', about('complaint+x@simulator.posthorn.test'))
  await until(() => sent.length === 1)
  const [mail] = sent
  assert.equal(mail?.to, 'fbl@cf-bounce.yourdomain.com')
  const text = mail?.content.toString() ?? ''
  assert.match(text, /^DKIM-Signature: x\r\nFrom: complaints@email\.posthorn\.test\r\n/)
  assert.doesNotMatch(text, /complaint\+x|somebody@/)
  const read = readReturnedMail(mail?.content ?? Buffer.alloc(0))
  assert.ok(read.kind === 'complaint')
  const [report] = read.reports
  assert.equal(report?.feedbackType, 'abuse')
  assert.equal(report?.originalMailFrom, 'tag@cf-bounce.yourdomain.com')
  assert.equal(report?.original?.cfblFeedbackId, 'abc')
  assert.deepEqual(report?.recipients, [])
})

test('a message that names no address for complaints has one all the same', async (t) => {
  const { reports, sent } = open(t)
  for (const field of ['', 'CFBL-Address: nonsense\r\n', 'CFBL-Address:\r\n evil@x.example\r\n .\r\n']) {
    reports.schedule('complaint', about('c@s.test', { content: `${field}Subject: x\r\n\r\nx` }))
  }
  reports.schedule('complaint', about('c@s.test', { content: 'no header at all' }))
  await until(() => sent.length === 4)
  const addresses = sent.map(({ to }) => to)
  assert.deepEqual(addresses.filter((to) => to === 'fbl@email.posthorn.test').length, 3)
  assert.ok(addresses.every((to) => /^[!-~]+$/.test(to)))
})

test('nothing is reported about mail from the null sender', async (t) => {
  const { reports, sent } = open(t)
  reports.schedule('late-bounce', about('late-bounce@s.test', { returnPath: '' }))
  reports.schedule('complaint', about('complaint@s.test', { returnPath: '' }))
  reports.schedule('late-bounce', about('late-bounce@s.test'))
  await until(() => sent.length === 1)
  await reports.close()
  assert.equal(sent.length, 1)
})

test('what is put off is sent again, what is refused is not, and an error is told', async (t) => {
  const answers = ['later', 'later', 'sent'] as const
  let asked = 0
  const put = open(t, { send: async () => answers[asked++] ?? 'sent' })
  put.reports.schedule('late-bounce', about('late-bounce@s.test'))
  await until(() => asked === 3)
  let refused = 0
  const { reports, errors } = open(t, {
    send: async () => {
      refused++
      if (refused === 2) throw new Error('no')
      return 'refused'
    },
  })
  reports.schedule('late-bounce', about('late-bounce@s.test'))
  reports.schedule('late-bounce', about('late-bounce@s.test'))
  await until(() => errors.length === 1)
  await reports.close()
  assert.deepEqual([refused, asked], [2, 3])
})

test('over SMTP: accepted and kept first, then reported from the null sender; a door that is full says so', async (t) => {
  const door = await startSmtpServer(t)
  const { reports } = open(t, {
    send: (mail) =>
      sendReport(
        { host: 'mx.test', address: '127.0.0.1', port: door.port, ehloName: 'simulator.test' },
        mail,
      ),
    delayMs: 30,
  })
  const kept: string[] = []
  const handler = createSimulator({ keep: async ({ to }) => void kept.push(...to), reports })
  const simulated = await startSmtpServer(t, { handler })
  const connection = await connectSmtp({
    host: 'mx.test',
    address: '127.0.0.1',
    port: simulated.port,
    ehloName: 'client.test',
    tls: 'none',
  })
  assert.ok(connection.ok)
  const content = {
    dotStuffed: dotStuff(Buffer.from(MESSAGE)),
    size: MESSAGE.length,
    eightBit: false,
    smtpUtf8: false,
  }
  for (const rcptTo of ['late-bounce+1@s.test', 'COMPLAINT@s.test']) {
    const result = await connection.transact({ mailFrom: 'tag@cf-bounce.yourdomain.com', rcptTo, content })
    assert.equal(result.kind, 'accepted')
  }
  assert.deepEqual(kept, ['late-bounce+1@s.test', 'COMPLAINT@s.test'])
  await until(() => door.messages.length === 2)
  assert.deepEqual(
    door.messages.map(({ from, to }) => [from, ...to]),
    [
      ['', 'tag@cf-bounce.yourdomain.com'],
      ['', 'fbl@cf-bounce.yourdomain.com'],
    ],
  )
  await connection.quit()
  const full = createSimulator({ reports: { ...reports, room: false } })
  const busy = await startSmtpServer(t, { handler: full })
  const other = await connectSmtp({
    host: 'mx.test',
    address: '127.0.0.1',
    port: busy.port,
    ehloName: 'c.test',
    tls: 'none',
  })
  assert.ok(other.ok)
  const result = await other.transact({ mailFrom: 'a@b.test', rcptTo: 'complaint@s.test', content })
  assert.ok(result.kind === 'refused' && result.reply.code === 452)
  await other.quit()
})
