import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assert as check, property, string } from 'fast-check'
import { plainPermission } from '../cli/plain-permission.ts'
import { readDuration, readWhen } from '../cli/read-when.ts'
import { bindForm, pasteForm, shortName } from '../cli/record-forms.ts'
import { wrapText } from '../cli/wrap-text.ts'

/** How the command line writes records and sentences, without a server. */

/** The strings of a TXT record in a zone file, as any server reads them (RFC 1035 §5.1). */
function readStrings(line: string): Buffer[] {
  const data = line.slice(line.indexOf(' TXT ') + 5)
  return [...data.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, text = '']) => {
    const octets = [...text.matchAll(/\\(\d{3})|\\(.)|(.)/g)].map(([, code, escaped, bare = '']) =>
      code === undefined ? (escaped ?? bare).charCodeAt(0) : Number(code),
    )
    return Buffer.from(octets)
  })
}

test('any text comes back from a zone file, in strings that fit', () => {
  check(
    property(string({ unit: 'binary', maxLength: 700 }), (content) => {
      const line = bindForm([{ type: 'TXT', name: 'x.example', content }])
      assert.match(line, /^[\x20-\x7e\n]*$/)
      const strings = readStrings(line)
      assert.ok(strings.length > 0 && strings.every(({ length }) => length <= 255))
      assert.deepEqual(Buffer.concat(strings), Buffer.from(content))
    }),
  )
})

test('records as lines of a zone file', () => {
  assert.equal(
    bindForm([
      { type: 'MX', name: 'example.com', content: 'mx.example.net', priority: 10 },
      { type: 'NS', name: '_dmarc.example.com', content: 'ns1.example.net' },
      { type: 'TXT', name: 'example.com', content: 'say "a\\b"' },
      { type: 'TXT', name: 'long.example.com', content: 'x'.repeat(256) },
    ]),
    [
      'example.com. 300 IN MX 10 mx.example.net.',
      '_dmarc.example.com. 300 IN NS ns1.example.net.',
      String.raw`example.com. 300 IN TXT "say \"a\\b\""`,
      `long.example.com. 300 IN TXT ( "${'x'.repeat(255)}"`,
      '    "x" )',
    ].join('\n'),
  )
})

test('records as forms ask for them', () => {
  const records = [{ type: 'MX', name: 'in.example.com', content: 'mx.example.net', priority: 10 }] as const
  assert.equal(
    pasteForm(records, 'example.com'),
    'Type      MX\nName      in\nValue     mx.example.net\nPriority  10',
  )
  for (const [name, short] of [
    ['example.com', '@'],
    ['a.b.example.com', 'a.b'],
    ['notexample.com', 'notexample.com'],
  ] as const)
    assert.equal(shortName(name, 'example.com'), short)
})

test('sentences are broken at words, and long words stay whole', () => {
  assert.equal(wrapText('one two three', undefined), 'one two three')
  assert.equal(wrapText('one two three', 7), 'one two\nthree')
  assert.equal(wrapText('  one two three', 9, '> '), '  one two\n  > three')
  assert.equal(wrapText(`a ${'x'.repeat(9)} b`, 5), `a\n${'x'.repeat(9)}\nb`)
})

test('times, durations and permissions as people write them', () => {
  const now = Date.parse('2026-11-20T12:00:00Z')
  assert.equal(readDuration('90s'), 90_000)
  assert.equal(readWhen('2h', now), '2026-11-20T14:00:00.000Z')
  assert.equal(readWhen('2027-01-01', now), '2027-01-01T00:00:00.000Z')
  assert.equal(readWhen('2027-01-01T01:00:00+01:00', now), '2027-01-01T00:00:00.000Z')
  for (const text of ['', '0d', 'soon', '2027-13-01', '2027-01-01 00:00', '1'])
    assert.throws(() => readWhen(text, now))
  for (const text of [
    'Email Sending:Edit',
    'email-sending:edit',
    'Email Sending: Edit',
    'EMAIL_SENDING_WRITE',
  ])
    assert.equal(plainPermission(text), 'email sending write')
})
