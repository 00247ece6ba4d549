import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { fieldText, type HeaderField } from '#protocol/header-block.ts'
import { readRawMessage } from './compose-raw.ts'
import { autoSubmittedKeyword, shortenReferences } from './ease-header.ts'

function references(value: string): HeaderField {
  return { name: 'References', value, start: 0, end: value.length }
}

/** Of 54 octets; 37 of them and the white space before each just fit. */
const id = (n: number) => `<${String(n).padStart(3, '0')}.${'a'.repeat(36)}@example.com>`
const thread = (length: number) => Array.from({ length }, (_, n) => id(n))

test('References that fit stay as they were written', () => {
  for (const value of [' <a@b>', '<a@b>\r\n <c@d>\t<e@f>', ` ${thread(37).join('\r\n ')}`]) {
    const field = references(value)
    assert.equal(shortenReferences(field), field)
  }
})

test('References that are too long keep the first id and as many of the last ones as fit', () => {
  for (const between of [' ', '\r\n ', '\t', '\r\n\t  ', '']) {
    const { value } = shortenReferences(references(` ${thread(500).join(between)}`))
    const kept = value.trim().split(' ')
    assert.equal(kept[0], id(0))
    assert.deepEqual(kept.slice(1), thread(500).slice(-(kept.length - 1)))
    assert.ok(value.length <= 2048)
    assert.ok(value.length + 1 + id(500).length > 2048, 'one more would not fit')
  }
})

test('what is no list of ids is not shortened, whoever wrote it hears what is wrong', () => {
  for (const value of [` ${'a'.repeat(3000)}`, ` ${thread(100).join(', ')}`, ` <a@b> ${'<'.repeat(3000)}`]) {
    const field = references(value)
    assert.equal(shortenReferences(field), field)
  }
})

test('any list of ids fits afterwards, its first and its last id in it', () => {
  const anyId = fc
    .tuple(fc.integer({ min: 1, max: 990 }), fc.constantFrom('a', '!', '[', '.'))
    .map(([length, character]) => `<${character.repeat(length)}@b>`)
  fc.assert(
    fc.property(
      fc.array(anyId, { minLength: 1, maxLength: 30 }),
      fc.constantFrom(' ', '\r\n ', '\t\t'),
      (ids, between) => {
        const text = fieldText(shortenReferences(references(` ${ids.join(between)}`))) ?? ''
        assert.ok(text.length < 2048)
        assert.ok(text.startsWith(ids[0] ?? '') && text.endsWith(ids.at(-1) ?? ''))
      },
    ),
  )
})

test('the keyword of Auto-Submitted is read past comments and parameters (RFC 3834 §5)', () => {
  for (const [value, keyword] of [
    ['auto-replied', 'auto-replied'],
    [' Auto-Replied ', 'auto-replied'],
    ['auto-replied (vacation)', 'auto-replied'],
    ['(a \\) b) auto-generated(c); owner-email="joe@example.com" ; x=y (z)', 'auto-generated'],
    ['no', 'no'],
    ['No (a person)', 'no'],
    ['x-else', 'x-else'],
    ['auto-replied vacation', undefined],
    ['auto-replied (vacation', undefined],
    ['auto-replied; vacation', undefined],
    ['auto-replied (ü)', undefined],
    ['', undefined],
    [`auto-replied (${'a'.repeat(2048)})`, undefined],
  ] as const) {
    assert.equal(autoSubmittedKeyword(value), keyword, value)
  }
})

test('a hostile Auto-Submitted costs its length', () => {
  for (const piece of ['(', '()', ' ', ';a=b', '\\', '"', ';a="', 'a']) {
    for (const start of ['', 'no', 'no;a="']) autoSubmittedKeyword(start + piece.repeat(2040 / piece.length))
  }
})

describe('a raw message says what the header reference would not let it say', () => {
  const written = (field: string) => {
    const message = readRawMessage(Buffer.from(`From: a@example.com\n${field}\nTo: b@example.com\n\nx\n`))
    assert.ok(!('kind' in message), 'kind' in message ? message.detail : '')
    assert.deepEqual(message.removed, [])
    return message.fields
  }
  const FROM_AND_TO = 'From: a@example.com\r\nTo: b@example.com\r\n'

  test('a thread of forty goes on, its first and its last ids named', () => {
    const ids = Array.from({ length: 40 }, (_, i) => `<${i}.${'a'.repeat(45)}@b>`)
    const fields = written(`References: ${ids.join('\n ')}`)
    const kept = [...fields.matchAll(/<\d+\.a+@b>/g)].map(([id]) => id)
    assert.deepEqual(kept, [ids[0], ...ids.slice(1 - kept.length)])
    assert.ok(kept.length > 35)
    assert.ok(fields.split('\r\n').every((line) => line.length <= 998))
  })

  test('a person who says that they are one (RFC 3834 §5) says nothing', () => {
    for (const value of ['no', 'No', ' no (a person)', 'no;x=y']) {
      assert.equal(written(`Auto-Submitted: ${value}`), FROM_AND_TO)
    }
  })

  test('an auto-reply tells why, in a comment or a parameter', () => {
    for (const value of ['auto-replied (vacation)', 'auto-generated; owner-email="a@example.com"']) {
      assert.ok(written(`Auto-Submitted: ${value}`).includes(`Auto-Submitted: ${value}\r\n`))
    }
  })
})
