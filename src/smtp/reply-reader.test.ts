import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { formatReply } from './format-reply.ts'
import { type RawReply, ReplyReader, readExtensions, readReply } from './reply-reader.ts'

function readAll(wire: string | Buffer, cuts: readonly number[] = []): (RawReply | { fault: string })[] {
  const bytes = Buffer.from(wire as string, 'latin1')
  const edges = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  const reader = new ReplyReader()
  const replies: (RawReply | { fault: string })[] = []
  for (const [index, edge] of edges.slice(1).entries()) {
    reader.push(bytes.subarray(edges[index], edge))
    for (let reply = reader.next(); reply !== undefined; reply = reader.next()) {
      replies.push(reply)
      if ('fault' in reply) return replies
    }
  }
  return replies
}

test('RFC 5321 §4.2.1: replies of one line and of several, in any chunks', () => {
  const wire = '220 mx.test\r\n250-mx.test\r\n250-SIZE 5\r\n250 \r\n354\r\n'
  const expected = [
    { code: 220, lines: ['mx.test'] },
    { code: 250, lines: ['mx.test', 'SIZE 5', ''] },
    { code: 354, lines: [''] },
  ]
  fc.assert(fc.property(fc.array(fc.nat()), (cuts) => assert.deepEqual(readAll(wire, cuts), expected)))
})

test('what is no reply is a fault', () => {
  const faults = [
    '199 x',
    '600 x',
    '25 x',
    '2500 x',
    '250x',
    ' 250 x',
    'SSH-2.0-x',
    '',
    '250-a\r\n251 b',
    '250 a\nb',
    '250\tx',
  ]
  for (const text of faults) assert.ok('fault' in (readAll(`${text}\r\n`).at(-1) ?? {}), JSON.stringify(text))
})

test('lines of 1,000 octets are read, longer ones than 2,048 are not', () => {
  assert.deepEqual(readAll(`250 ${'x'.repeat(1000)}\r\n`), [{ code: 250, lines: ['x'.repeat(1000)] }])
  assert.ok('fault' in (readAll(`250 ${'x'.repeat(2048)}\r\n`)[0] ?? {}))
  assert.ok('fault' in (readAll('2'.repeat(100_000))[0] ?? {}))
})

test('a reply has 128 lines and 64 KiB at most', () => {
  assert.deepEqual(readAll('250-x\r\n'.repeat(128)), [{ fault: 'endless reply' }])
  assert.deepEqual(readAll(`250-${'x'.repeat(1000)}\r\n`.repeat(100)), [{ fault: 'endless reply' }])
})

test('text is UTF-8 where it can be, and holds no control characters', () => {
  assert.deepEqual(readAll(Buffer.from('550 Empfänger unbekannt \x1b[2J\0\xff\r\n').toString('latin1'))[0], {
    code: 550,
    lines: ['Empfänger unbekannt ?[2J?ÿ'],
  })
})

test('the enhanced status code is taken out of the text (RFC 2034)', () => {
  assert.deepEqual(readReply({ code: 550, lines: ['5.1.1 No such', '5.1.1 mailbox'] }), {
    code: 550,
    enhanced: '5.1.1',
    text: 'No such\nmailbox',
  })
  assert.deepEqual(readReply({ code: 250, lines: ['OK'] }), { code: 250, text: 'OK' })
})

test('EHLO keywords come in upper case with their parameters', () => {
  const lines = ['mx.test greets you', 'pipelining', 'SIZE 100', 'AUTH=PLAIN LOGIN', '']
  assert.deepEqual(
    [...readExtensions({ code: 250, lines })],
    [
      ['PIPELINING', ''],
      ['SIZE', '100'],
      ['AUTH', 'PLAIN LOGIN'],
    ],
  )
})

test('whatever a reply says, it goes out as one reply and can be read again', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(220, 250, 354, 451, 550),
      fc.option(fc.constant('5.1.1'), { nil: undefined }),
      fc.string({ unit: fc.constantFrom('a', ' ', '\r', '\n', '\0', 'ü', '250 ', '-') }),
      (code, enhanced, text) => {
        const wire = formatReply({ code, ...(enhanced && { enhanced }), text })
        assert.match(wire, /^(?:[ -~]{1,510}\r\n)+$/)
        const replies = readAll(wire)
        assert.equal(replies.length, 1)
        assert.equal(replies[0] && 'code' in replies[0] && replies[0].code, code)
      },
    ),
  )
})
