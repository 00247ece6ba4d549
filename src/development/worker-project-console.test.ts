import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { HostServices } from '#workers/runtime/host-services.ts'
import type { WorkerTrace } from '#workers/runtime/worker-trace.ts'
import { openWorkerConsole } from './worker-project-console.ts'

const directory = mkdtempSync(join(tmpdir(), 'posthorn-console-'))
after(() => rmSync(directory, { recursive: true, force: true }))

const PLACE = { accountId: 'a', scriptName: 'mailer' }

function traced(given: Partial<WorkerTrace>): WorkerTrace {
  const { accountId, scriptName } = PLACE
  return {
    ...{ accountId, scriptName, versionId: 'v', outcome: 'ok', logs: [], exceptions: [], eventTimestamp: 0 },
    event: { mailFrom: 'a@example.org', rcptTo: 'b@example.com', rawSize: 1 },
    ...given,
  }
}

function opened(origin?: () => string) {
  let printed = ''
  const print = (text: string) => {
    printed += text
  }
  const shown = openWorkerConsole({ directory, print, ...(origin && { origin }) })
  return { shown, printed: () => printed }
}

const made: HostServices['sendEmail'] = async () => ({ messageId: '<1@example.com>' })

test('what was logged stands before how it ended', () => {
  const { shown, printed } = opened()
  const log = { timestamp: 1, level: 'log' }
  shown.trace(
    traced({
      logs: [
        { ...log, message: ['Got %s', 'mail', { from: 'a' }] },
        { ...log, level: 'error', message: ['oh'] },
      ],
    }),
  )
  assert.equal(
    printed(),
    `[mailer] Got mail { from: 'a' }\n[mailer] error: oh\n[mailer] email from a@example.org to b@example.com\n`,
  )
})

test('an exception is told by the place in the source', () => {
  const { shown, printed } = opened(() => 'src/index.ts:3:7')
  const stack =
    'TypeError: no\n    at Object.email (index.js:10:20)\n    at run (posthorn-inside/entry.js:1:1)'
  shown.trace(
    traced({
      outcome: 'exception',
      exceptions: [{ name: 'TypeError', message: 'no', stack, timestamp: 1 }],
    }),
  )
  assert.equal(
    printed(),
    '[mailer] ✘ TypeError: no\n    at Object.email (src/index.ts:3:7)\n[mailer] email from a@example.org to b@example.com: failed\n',
  )
})

test('what strangers wrote steers no terminal', () => {
  const { shown, printed } = opened()
  shown.trace(traced({ logs: [{ timestamp: 1, level: 'log', message: ['\u001b]0;title\u0007\r\u009b1A'] }] }))
  assert.match(printed(), /^\[mailer\] \\x1b\]0;title\\x07\\x0d\\x9b1A\n/)
})

test('a send is told as the page has it, between the lines that were logged around it', async () => {
  const { shown, printed } = opened()
  const fields = {
    ...{ from: { email: 'me@yourdomain.com', name: 'Me' }, to: ['a@example.com', 'b@example.com'] },
    ...{ subject: 'Test Email', text: 'Hello!', html: '<h1>Hello!</h1>' },
  }
  const before = Date.now()
  await shown.sends(made)(PLACE, { name: 'EMAIL', type: 'send_email' }, { kind: 'builder', fields })
  assert.equal(printed(), '')
  const log = (timestamp: number, text: string) => ({ timestamp, level: 'log', message: [text] })
  shown.trace(traced({ logs: [log(before - 1, 'first'), log(Date.now() + 1, 'last')] }))
  const files = join(directory, 'sent', '1@example.com')
  assert.equal(
    printed(),
    `[mailer] first
[mailer] send_email binding called with MessageBuilder:
From: "Me" <me@yourdomain.com>
To: a@example.com, b@example.com
Subject: Test Email

Text: ${files}.txt
HTML: ${files}.html
[mailer] last
[mailer] email from a@example.org to b@example.com
`,
  )
  assert.equal(readFileSync(`${files}.txt`, 'utf8'), 'Hello!')
})

test('a send of an EmailMessage, and one that is refused', async () => {
  const { shown, printed } = opened()
  const binding = { name: 'EMAIL', type: 'send_email' } as const
  const raw = Buffer.from('Subject: x\r\n\r\nbody')
  await shown.sends(made)(PLACE, binding, { kind: 'raw', from: 'a', to: 'b', raw })
  const refuse: HostServices['sendEmail'] = async () => ({
    code: 'E_FIELD_MISSING',
    message: 'to is missing',
  })
  await shown.sends(refuse)(PLACE, binding, { kind: 'builder', fields: {} })
  shown.trace(
    traced({
      event: { request: { method: 'POST', url: 'http://localhost:8787/a?b=c' }, response: { status: 500 } },
    }),
  )
  assert.equal(
    printed(),
    `[mailer] send_email binding called with the following message:
Email: ${join(directory, 'sent', '1@example.com.eml')}
[mailer] send_email binding called with a message that is refused (EMAIL):
E_FIELD_MISSING: to is missing
[mailer] POST /a?b=c 500
`,
  )
})
