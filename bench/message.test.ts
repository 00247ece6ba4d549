import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SMTP_ENVELOPE, smtpTemplate, Template } from './message.ts'

test('templates that share a buffer are filled apart', () => {
  const source = smtpTemplate('m')
  const group = Buffer.alloc(source.length + SMTP_ENVELOPE.length)
  const content = new Template(source, group.subarray(0, source.length))
  const envelope = new Template(SMTP_ENVELOPE, group.subarray(source.length))
  content.fill(7)
  envelope.fill(12)
  const [first = '', second = '', ...rest] = group.toString('latin1').split('\r\n.\r\n')
  assert.match(first, /^To: user00000007@bench07\.example\r$/m)
  assert.match(first, /^X-Bench-Id: m-00000007\r$/m)
  assert.match(second, /^MAIL FROM:<[^>]+>\r\nRCPT TO:<user00000012@bench02\.example>\r\nDATA\r\n$/)
  assert.deepEqual(rest, [])
})
