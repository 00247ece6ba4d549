import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { fieldText, type HeaderBlock, parseHeaderBlock, trimWhiteSpace, unfold } from './header-block.ts'

const LIMITS = { fields: 20, bytes: 2000 }

function parse(raw: string): HeaderBlock {
  const block = parseHeaderBlock(Buffer.from(raw, 'latin1'), LIMITS)
  assert.ok(!('fault' in block), 'fault' in block ? block.detail : '')
  return block
}

function faultOf(raw: string): string {
  const block = parseHeaderBlock(Buffer.from(raw, 'latin1'), LIMITS)
  return 'fault' in block ? block.fault : 'parsed'
}

describe('header block', () => {
  test('fields, folds and the body’s offset, with CRLF', () => {
    const raw = 'A: 1\r\nB-c:\r\n 2\r\n\t3\r\n\r\nbody: x\r\n'
    const { fields, bodyStart } = parse(raw)
    assert.deepEqual(
      fields.map(({ name, value }) => [name, value]),
      [
        ['A', ' 1'],
        ['B-c', '\r\n 2\r\n\t3'],
      ],
    )
    assert.deepEqual(
      fields.map(({ start, end }) => raw.slice(start, end)),
      ['A: 1\r\n', 'B-c:\r\n 2\r\n\t3\r\n'],
    )
    assert.equal(raw.slice(bodyStart), 'body: x\r\n')
  })

  test('the same with LF', () => {
    const raw = 'A: 1\nB:\n 2\n\nbody\n'
    const { fields, bodyStart } = parse(raw)
    assert.deepEqual(
      fields.map(({ value }) => unfold(value)),
      [' 1', ' 2'],
    )
    assert.equal(raw.slice(bodyStart), 'body\n')
  })

  test('a message may end with its header, with or without a line end', () => {
    for (const raw of ['A: 1\r\nB: 2\r\n', 'A: 1\r\nB: 2']) {
      const { fields, bodyStart } = parse(raw)
      assert.deepEqual(
        fields.map(({ value }) => value),
        [' 1', ' 2'],
      )
      assert.equal(fields.at(-1)?.end, raw.length)
      assert.equal(bodyStart, raw.length)
    }
  })

  test('a message may have no header, and nothing at all is a message of nothing', () => {
    assert.deepEqual(parse('\r\nbody'), { fields: [], bodyStart: 2 })
    assert.deepEqual(parse(''), { fields: [], bodyStart: 0 })
  })

  test('a folded line of white space alone belongs to its field (RFC 5322 §4.2)', () => {
    assert.deepEqual(
      parse('A: 1\r\n \r\nB: 2\r\n\r\n').fields.map(({ name }) => name),
      ['A', 'B'],
    )
  })

  const FAULTS: readonly (readonly [what: string, raw: string, fault: string])[] = [
    [
      'a space before the colon, which verifiers read differently',
      'From : a@b.c\r\n\r\n',
      'space-before-colon',
    ],
    ['a tab before the colon', 'From\t: a@b.c\r\n\r\n', 'space-before-colon'],
    ['a line without colon: the blank line is missing', 'A: 1\r\nHello there\r\n', 'no-colon'],
    ['an mbox line', 'From jane Fri Nov 20 21:36:00 2026\r\nA: 1\r\n\r\n', 'field-name'],
    ['an empty name', ': 1\r\n\r\n', 'field-name'],
    ['a name that is not ASCII', 'Sübject: 1\r\n\r\n', 'field-name'],
    ['a fold that continues nothing', ' A: 1\r\n\r\n', 'starts-folded'],
    ['NUL', 'A: 1\0\r\n\r\n', 'control-character'],
    ['a bare CR', 'A: 1\rBcc: x\r\n\r\n', 'control-character'],
    ['too many fields', 'A: 1\r\n'.repeat(21), 'too-many-fields'],
    ['too many octets', `A: ${'1'.repeat(2000)}\r\n\r\n`, 'too-large'],
    ['a header that never ends', 'a'.repeat(100_000), 'too-large'],
  ]
  for (const [what, raw, fault] of FAULTS) test(`${what}: ${fault}`, () => assert.equal(faultOf(raw), fault))

  test('a body of any size does not count', () => {
    assert.equal(faultOf(`A: 1\r\n\r\n${'x'.repeat(5000)}`), 'parsed')
  })

  test('a text is unfolded, trimmed and UTF-8, or undefined', () => {
    const text = (value: string) => fieldText({ name: 'A', value, start: 0, end: 0 })
    assert.equal(text('\r\n  a\r\n\tb  '), 'a\tb')
    assert.equal(text(Buffer.from(' voilà').toString('latin1')), 'voilà')
    assert.equal(text(' caf\xe9'), undefined)
  })

  test('a long run of white space inside costs no more than its length', () => {
    const run = ' '.repeat(1_000_000)
    assert.equal(trimWhiteSpace(`${run}a${run}b${run}`), `a${run}b`)
  })
})

describe('any octets', () => {
  const unit = fc.constantFrom('\r\n', '\n', '\r', ' ', '\t', ':', 'A', 'b: c', '\0', '\xe9')
  const octets = fc.array(unit, { maxLength: 80 }).map((parts) => parts.join(''))

  test('are a fault, or fields that cover the header without a gap', () => {
    fc.assert(
      fc.property(octets, (raw) => {
        const block = parseHeaderBlock(Buffer.from(raw, 'latin1'), LIMITS)
        if ('fault' in block) return
        let at = 0
        for (const { name, value, start, end } of block.fields) {
          assert.equal(start, at)
          assert.equal(raw.slice(start, end).replace(/\r?\n$/, ''), `${name}:${value}`)
          assert.match(name, /^[!-9;-~]+$/)
          assert.doesNotMatch(value, /\n(?![ \t])|\0|\r(?!\n)/)
          at = end
        }
        assert.match(raw.slice(at, block.bodyStart), /^(?:\r?\n)?$/)
      }),
      { numRuns: 3000 },
    )
  })

  test('fields that were written are the fields that are read', () => {
    const name = fc.stringMatching(/^[!-9;-~]{1,20}$/)
    const line = fc.stringMatching(/^[!-~\xa0-\xff][ -~\xa0-\xff]{0,30}$/)
    const field = fc.tuple(name, fc.array(line, { minLength: 1, maxLength: 3 }))
    fc.assert(
      fc.property(fc.array(field, { maxLength: 10 }), fc.constantFrom('\r\n', '\n'), (fields, end) => {
        const header = fields.map(([name, lines]) => `${name}: ${lines.join(`${end}\t`)}${end}`).join('')
        const block = parseHeaderBlock(Buffer.from(`${header}${end}body`, 'latin1'), {
          fields: 10,
          bytes: 10_000,
        })
        assert.ok(!('fault' in block))
        assert.deepEqual(
          block.fields.map((read) => [read.name, unfold(read.value)]),
          fields.map(([name, lines]) => [name, ` ${lines.join('\t')}`]),
        )
      }),
    )
  })
})
