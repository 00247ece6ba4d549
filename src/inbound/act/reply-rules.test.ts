import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Address } from '#model/address.ts'
import type { Fields } from '#outbound/accept/submission.ts'
import { parseHeaderBlock } from '#protocol/header-block.ts'
import { countReferences, type Question, refuseQuestion, refuseReply } from './reply-rules.ts'

function headerOf(...lines: readonly string[]) {
  const block = parseHeaderBlock(Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), {
    fields: 1000,
    bytes: 262_144,
  })
  assert.ok('fields' in block)
  return block
}

function question(more: Partial<Question> = {}, ...lines: readonly string[]): Question {
  return {
    ...{ mailFrom: 'someone@pass.example' as Address, block: headerOf('From: x@pass.example', ...lines) },
    ...{ passesDmarc: true, provesSender: true, isReport: false, ...more },
  }
}

const references = (count: number) =>
  `References: ${Array.from({ length: count }, (_, n) => `<${n}@x>`).join(' ')}`

test('what may be replied to', () => {
  assert.equal(refuseQuestion(question()), undefined)
  assert.equal(refuseQuestion(question({}, references(100))), undefined)
  assert.equal(refuseQuestion(question({}, 'Auto-Submitted: No (a person)')), undefined)
  assert.equal(refuseQuestion(question({}, 'Precedence: list', 'List-Id: <x.example>')), undefined)
})

for (const [what, asked, code, says] of [
  ['the null sender', question({ mailFrom: '' }), 'E_REPLY_NOT_ALLOWED', /sender is null/],
  ['an automatic reply', question({}, 'Auto-Submitted: auto-replied'), 'E_REPLY_NOT_ALLOWED', /automatic/],
  ['one of no known form', question({}, 'auto-submitted: ;;'), 'E_REPLY_NOT_ALLOWED', /automatic/],
  ['a report', question({ isReport: true }), 'E_REPLY_NOT_ALLOWED', /automatic/],
  ['no DMARC', question({ passesDmarc: false }), 'E_REPLY_DMARC_NOT_VALID', /DMARC result/],
  [
    'a sender that is not the author',
    question({ provesSender: false }),
    'E_REPLY_DMARC_NOT_VALID',
    /not proven/,
  ],
  [
    '101 references',
    question({}, references(101)),
    'E_REPLY_TOO_MANY_REFERENCES',
    /have 101 entries, and 100/,
  ],
  [
    'of several fields',
    question({}, references(50), references(51).toUpperCase()),
    'E_REPLY_TOO_MANY_REFERENCES',
    /have 101/,
  ],
] as const) {
  test(`no reply: ${what}`, () => {
    const error = refuseQuestion(asked)
    assert.equal(error?.code, code)
    assert.match(error?.message ?? '', says)
  })
}

const at = (address: string) => ({ address, pointer: '/to' })

function reply(to: readonly string[], from = 'help@routed.example', cc: readonly string[] = []): Fields {
  return {
    ...{
      kind: 'fields',
      from: at(from),
      to: to.map(at),
      cc: cc.map(at),
      bcc: [],
      subject: 'Re: x',
      text: 'x',
    },
    ...{ attachments: [], headers: {} },
  }
}

test('a reply goes to the sender, from the domain that received', () => {
  const of = { mailFrom: 'Someone@pass.example' as Address, domain: 'routed.example' }
  assert.equal(refuseReply(reply(['someone@PASS.example']), of), undefined)
  for (const wrong of [
    reply(['other@pass.example']),
    reply([]),
    reply(['someone@pass.example', 'other@pass.example']),
    reply(['someone@pass.example'], undefined, ['other@pass.example']),
    reply(['no address']),
  ])
    assert.equal(refuseReply(wrong, of)?.code, 'E_REPLY_RECIPIENT_MISMATCH')
  assert.match(
    refuseReply(reply(['x@y.example']), of)?.message ?? '',
    /Someone@pass\.example, and is "x@y\.example"/,
  )
  for (const from of ['a@other.example', 'a@sub.routed.example', 'a@notrouted.example', 'routed.example', ''])
    assert.equal(
      refuseReply(reply(['someone@pass.example'], from), of)?.code,
      'E_REPLY_SENDER_DOMAIN_MISMATCH',
    )
})

test('any References: as many entries as there are ids, however they are parted', () => {
  const id = fc.stringMatching(/^[a-z0-9$.]{1,12}@[a-z0-9.-]{1,12}$/)
  const separator = fc.constantFrom(' ', '\t', '  ', '\r\n ', '\r\n\t', ', ')
  const entry = fc.tuple(id, separator, fc.boolean())
  fc.assert(
    fc.property(fc.array(fc.array(entry, { maxLength: 130 }), { maxLength: 4 }), (all) => {
      const lines = all
        .map((entries) => entries.map(([name, gap, bare]) => (bare ? `${gap}${name} ` : `${gap}<${name}>`)))
        // A line that holds white space alone is no fold that everybody reads.
        .filter((entries) => entries.length > 0)
        .map((entries, n) => `${n % 2 === 0 ? 'References' : 'REFERENCES'}: x@y${entries.join('')}`)
      const expected = all.reduce((sum, { length }) => sum + (length > 0 ? length + 1 : 0), 0)
      assert.equal(countReferences(headerOf('Subject: <a@b> <c@d>', ...lines)), expected)
    }),
  )
})

test('any octets: a count, and soon', () => {
  const text = fc.stringMatching(/^[ -~]{0,200}$/)
  fc.assert(
    fc.property(text, (value) => {
      assert.ok(countReferences(headerOf(`References: ${value}`)) <= value.length)
    }),
  )
  for (const hostile of ['<', '<a', '<a ', '>', 'a,', '<>'])
    assert.ok(countReferences(headerOf(`References: ${hostile.repeat(60_000)}`)) <= 120_000)
})
