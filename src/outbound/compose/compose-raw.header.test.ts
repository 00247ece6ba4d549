import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readRawMessage } from './compose-raw.ts'

function refusalOf(raw: string): string {
  const message = readRawMessage(Buffer.from(raw))
  return 'kind' in message ? `${message.kind}: ${message.detail}` : 'accepted'
}

describe('the line ends of the header', () => {
  const LINES = ['From: jane@example.com', 'To: joe@example.net', 'Subject: Hello', '', 'a\rb\r\nc\nd']

  test('all CRLF or all LF: the body may have any', () => {
    for (const end of ['\r\n', '\n']) assert.equal(refusalOf(LINES.join(end)), 'accepted')
  })

  test('what readers would split differently is refused, saying why', () => {
    const subject = (value: string) => LINES.join('\r\n').replace('Hello', value)
    for (const [raw, refusal] of [
      [subject('Hello\rReply-To: evil@example.org'), /bare CR /],
      [subject('Hello\r\r<p>Not what was meant</p>'), /bare CR /],
      [LINES.join('\n').replace('Hello', 'Hello\rBcc: evil@example.org'), /bare CR /],
      [LINES.join('\r'), /bare CR /],
      [LINES.join('\r\r\n'), /end in CR CR LF; end every line in CRLF\.$/],
      [subject('Hello\nBcc: evil@example.org'), /mixes CRLF and LF/],
      [LINES.join('\n').replace('Hello\n', 'Hello\r\n'), /mixes CRLF and LF/],
      ['From: jane@example.com\r\n\nX-A: b\r\n\r\nx', /mixes CRLF and LF/],
    ] as const) {
      assert.match(refusalOf(raw), /^content-invalid: The header /)
      assert.match(refusalOf(raw), refusal)
    }
  })
})

test('a byte order mark before the header is taken off', () => {
  for (const end of ['\r\n', '\n']) {
    const message = readRawMessage(
      Buffer.from(`\uFEFFFrom: jane@example.com${end}To: joe@example.net${end}${end}a longer line\0${end}`),
    )
    assert.ok(!('kind' in message), 'kind' in message ? message.detail : '')
    assert.equal(message.fields.split('\r\n')[0], 'From: jane@example.com')
    assert.deepEqual(message.removed, [])
    assert.equal(message.body.toString('latin1'), 'a longer line=00\r\n')
  }
})

test('a message that starts with a blank line hears that, and not that it has no From', () => {
  for (const end of ['\r\n', '\n']) {
    const raw = `${end}From: jane@example.com${end}${end}x`
    assert.match(refusalOf(raw), /^content-invalid: The message starts with a blank line/)
    assert.match(refusalOf(`\uFEFF${raw}`), /^content-invalid: The message starts with a blank line/)
  }
})

test('addresses and a subject of more than 64 KiB are refused by name, before they are read', () => {
  const BASE = 'From: jane@example.com\r\n'
  for (const name of ['From', 'To', 'Cc', 'Reply-To', 'Subject']) {
    const long = `${name}: ${'a@ü.example, '.repeat(6000)}\r\n`
    assert.equal(
      refusalOf(`${name === 'From' ? '' : BASE}${long}\r\nx`),
      `header-value-too-long: Header '${name}' value exceeds 65536 byte limit.`,
    )
  }
  const many = Array.from({ length: 2000 }, (_, i) => `recipient-${i}@example.net`).join(',\r\n ')
  assert.equal(refusalOf(`${BASE}Cc: ${many}\r\n\r\nx`), 'accepted')
})
