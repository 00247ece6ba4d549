import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Fields } from '#outbound/accept/submission.ts'
import { hostErrorOf } from './host-error.ts'
import { readOutgoing } from './read-outgoing.ts'

const MAIL = { from: 'a@one.example', to: 'x@example.com', subject: 'Hello', text: 'Hi' }
const FILE = { content: 'AAAA', filename: 'a.bin', type: 'a/b', disposition: 'attachment' }

function fieldsOf(fields: unknown): Fields {
  const read = readOutgoing({ kind: 'builder', fields })
  assert.ok(read.kind === 'fields', JSON.stringify(read))
  return read
}

function refused(fields: unknown): string {
  const read = readOutgoing({ kind: 'builder', fields })
  assert.ok('detail' in read, 'it was taken')
  const { code, message } = hostErrorOf(read)
  return `${code} ${message}`
}

test('the builder of the page, with every field', () => {
  const read = fieldsOf({
    to: ['x@example.com', { email: 'y@example.com', name: 'Y' }],
    from: { email: 'a@one.example', name: 'A' },
    subject: 'Hello',
    ...{ html: '<p>', text: 'Hi' },
    cc: { email: 'c@example.com' },
    bcc: 'b@example.com',
    replyTo: { email: 'r@one.example', name: 'R' },
    headers: { 'X-A': '1', detail: '2' },
    attachments: [{ ...FILE, disposition: 'inline', contentId: 'logo' }],
  })
  const named = (pointer: string) => ({ pointer: `${pointer}/email`, namePointer: `${pointer}/name` })
  assert.deepEqual(read, {
    kind: 'fields',
    from: { address: 'a@one.example', name: 'A', ...named('/from') },
    to: [
      { address: 'x@example.com', pointer: '/to/0' },
      { address: 'y@example.com', name: 'Y', ...named('/to/1') },
    ],
    cc: [{ address: 'c@example.com', ...named('/cc') }],
    bcc: [{ address: 'b@example.com', pointer: '/bcc' }],
    replyTo: { address: 'r@one.example', name: 'R', ...named('/replyTo') },
    ...{ subject: 'Hello', html: '<p>', text: 'Hi' },
    headers: { 'X-A': '1', detail: '2' },
    attachments: [{ ...FILE, disposition: 'inline', contentId: 'logo', pointer: '/attachments/0' }],
    names: { replyTo: 'replyTo', contentId: 'contentId' },
  })
})

test('null counts as nothing', () => {
  const nothing = { cc: null, bcc: null, replyTo: null, html: null, headers: null, attachments: null }
  assert.deepEqual(fieldsOf({ ...MAIL, ...nothing }), fieldsOf(MAIL))
  const named = { ...MAIL, to: { email: 'x@example.com', name: null } }
  assert.equal(fieldsOf(named).to[0]?.name, undefined)
  assert.match(refused({ ...MAIL, to: null }), /^E_FIELD_MISSING 'to' is missing/)
})

test("the REST API's spellings are named with the right ones", () => {
  const spelled: [object, string][] = [
    [{ ...MAIL, reply_to: 'r@one.example' }, "'replyTo'"],
    [{ ...MAIL, from: { address: 'a@one.example' } }, "'email'"],
    [{ ...MAIL, to: [{ address: 'a@one.example' }] }, "'email'"],
    [{ ...MAIL, attachments: [{ ...FILE, content_id: 'logo' }] }, "'contentId'"],
  ]
  for (const [fields, right] of spelled) {
    assert.match(refused(fields), new RegExp(`^E_VALIDATION_ERROR .*is spelled ${right}`))
  }
})

test('what is wrong is named as a Worker would write it', () => {
  const faults: [unknown, string][] = [
    [undefined, 'E_VALIDATION_ERROR A message must be'],
    [[], 'E_VALIDATION_ERROR A message must be'],
    [{ ...MAIL, from: undefined }, "E_FIELD_MISSING 'from' is missing"],
    [{ ...MAIL, subject: undefined }, "E_FIELD_MISSING 'subject' is missing"],
    [{ ...MAIL, subject: 5 }, 'E_VALIDATION_ERROR subject: It must be a string'],
    [{ ...MAIL, to: ['x@example.com', 5] }, 'E_VALIDATION_ERROR to[1]: It must be an address'],
    [{ ...MAIL, to: { name: 'X' } }, "E_FIELD_MISSING to.email: 'email' is missing"],
    [{ ...MAIL, cc: { email: 5 } }, 'E_VALIDATION_ERROR cc.email: '],
    [{ ...MAIL, from: { email: 'a@one.example', name: 5 } }, 'E_VALIDATION_ERROR from.name: '],
    [{ ...MAIL, replyTo: 5 }, 'E_VALIDATION_ERROR replyTo: '],
    [{ ...MAIL, html: 5 }, 'E_VALIDATION_ERROR html: '],
    [{ ...MAIL, headers: [] }, 'E_VALIDATION_ERROR headers: '],
    [{ ...MAIL, headers: { 'X-A': 5 } }, "E_HEADER_VALUE_INVALID Header 'X-A' must be a string"],
    [{ ...MAIL, attachements: [] }, "E_VALIDATION_ERROR Unknown field 'attachements'"],
    [{ ...MAIL, attachments: {} }, 'E_VALIDATION_ERROR attachments: '],
    [{ ...MAIL, attachments: [5] }, 'E_VALIDATION_ERROR attachments[0]: '],
    [{ ...MAIL, attachments: [{ ...FILE, content: {} }] }, 'E_VALIDATION_ERROR attachments[0].content: '],
    [{ ...MAIL, attachments: [{ ...FILE, type: undefined }] }, 'E_FIELD_MISSING attachments[0].type: '],
    [{ ...MAIL, attachments: [{ ...FILE, disposition: 'x' }] }, 'E_VALIDATION_ERROR attachments[0].disp'],
    [{ ...MAIL, to: Array.from({ length: 51 }, () => 'x@example.com') }, 'E_TOO_MANY_RECIPIENTS 51 '],
    [{ ...MAIL, attachments: Array.from({ length: 33 }, () => FILE) }, 'E_TOO_MANY_ATTACHMENTS '],
    [
      { ...MAIL, headers: Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`X-${i}`, '1'])) },
      'E_HEADERS_TOO_LARGE ',
    ],
    [JSON.parse('{"__proto__": 5}'), "E_VALIDATION_ERROR Unknown field '__proto__'"],
  ]
  for (const [fields, start] of faults) {
    const error = refused(fields)
    assert.ok(error.startsWith(start), `${error} begins with ${start}`)
  }
})

test('an EmailMessage is its envelope and its octets', () => {
  const raw = Buffer.from('From: a@one.example\r\n\r\nHi\r\n')
  assert.deepEqual(readOutgoing({ kind: 'raw', from: 'a@one.example', to: 'x@example.com', raw }), {
    kind: 'raw',
    from: { address: 'a@one.example', pointer: '/from' },
    recipients: [{ address: 'x@example.com', pointer: '/to' }],
    mime: raw,
    mimePointer: '/raw',
  })
  for (const [from, to, kind] of [
    [undefined, 'x@example.com', 'field-missing'],
    ['a@one.example', null, 'field-missing'],
    ['a@one.example', ['x@example.com'], 'field-invalid'],
    [5, 'x@example.com', 'field-invalid'],
  ]) {
    assert.equal(readOutgoing({ kind: 'raw', from, to, raw }).kind, kind)
  }
})

test('whatever JSON can say is read or refused', () => {
  const values = fc.oneof(fc.jsonValue(), fc.constantFrom('a@one.example', FILE, [FILE], { email: 'a@b.c' }))
  const names = Object.keys({ ...MAIL, cc: 0, bcc: 0, replyTo: 0, html: 0, headers: 0, attachments: 0 })
  const messages = fc.oneof(
    fc.jsonValue(),
    fc.dictionary(fc.constantFrom(...names), values),
    fc.dictionary(fc.constantFrom(...names), values).map((some) => ({ ...MAIL, ...some })),
  )
  fc.assert(
    fc.property(messages, (fields) => {
      const read = readOutgoing({ kind: 'builder', fields })
      if ('detail' in read) {
        const { code, message } = hostErrorOf(read)
        assert.match(code, /^E_[A-Z_]+$/)
        assert.ok(message.length > 10)
      } else {
        assert.equal(read.kind, 'fields')
      }
    }),
  )
})
