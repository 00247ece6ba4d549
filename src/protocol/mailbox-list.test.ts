import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import type { Mailbox } from '#model/address.ts'
import { isAddress, parseAddress } from './address.ts'
import { foldAddresses } from './fold.ts'
import { fieldText, isAscii, parseHeaderBlock } from './header-block.ts'
import { formatMailbox, formatMailboxList, parseMailboxList } from './mailbox-list.ts'

function mailbox(address: string, name?: string): Mailbox {
  const parsed = parseAddress(address)
  assert.ok(isAddress(parsed))
  return name === undefined ? { address: parsed } : { address: parsed, name }
}

describe('address header', () => {
  const READ: readonly (readonly [
    text: string,
    ...mailboxes: readonly (readonly [address: string, name?: string])[],
  ])[] = [
    ['jane@example.com', ['jane@example.com']],
    ['<jane@example.com>', ['jane@example.com']],
    ['Jane Doe <jane@example.com>', ['jane@example.com', 'Jane Doe']],
    [
      '"Doe, Jane" <jane@example.com>, joe@example.com',
      ['jane@example.com', 'Doe, Jane'],
      ['joe@example.com'],
    ],
    ['"\\"J\\" <x@y.example>" <jane@example.com>', ['jane@example.com', '"J" <x@y.example>']],
    ['=?utf-8?Q?J=C3=A4ne?= <jane@example.com>', ['jane@example.com', 'Jäne']],
    ['Jäne <jane@example.com>', ['jane@example.com', 'Jäne']],
    ['John Q. Public <john@example.com>', ['john@example.com', 'John Q. Public']],
    ['root@example.com (Cron Daemon)', ['root@example.com', 'Cron Daemon']],
    ['(a (nested \\) one)) jane@example.com', ['jane@example.com', 'a (nested ) one)']],
    ['spoof@bank.example <jane@example.com>', ['jane@example.com', 'spoof@bank.example']],
    ['"jane doe"@example.com', ['"jane doe"@example.com']],
    ['<"a>b"@example.com>', ['"a>b"@example.com']],
    ['jane@Bücher.example', ['jane@xn--bcher-kva.example']],
    ['jäne@example.com', ['jäne@example.com']],
    ['Jäne <ja\u0308ne@bücher.example>', ['jäne@xn--bcher-kva.example', 'Jäne']],
    ['"jä, ne"@example.com, 用户@例え.テスト', ['"jä, ne"@example.com'], ['用户@xn--r8jz45g.xn--zckzah']],
    ['用户@example.com (ユーザー)', ['用户@example.com', 'ユーザー']],
    ['a@example.com,, b@example.com,', ['a@example.com'], ['b@example.com']],
  ]
  for (const [text, ...mailboxes] of READ) {
    test(text, () =>
      assert.deepEqual(
        parseMailboxList(text),
        mailboxes.map(([address, name]) => mailbox(address, name)),
      ),
    )
  }

  const FAULTS: readonly (readonly [text: string, fault: string])[] = [
    ['', 'empty'],
    [' , ', 'empty'],
    ['undisclosed-recipients:;', 'group'],
    ['team: a@example.com, b@example.com;', 'group'],
    ['<a@example.com> <b@example.com>', 'trailing'],
    ['<a@example.com> b@example.com', 'trailing'],
    ['<a@example.com> "b"', 'trailing'],
    ['"a <a@example.com>', 'unclosed'],
    ['(a a@example.com', 'unclosed'],
    ['a <a@example.com', 'unclosed'],
    ['a@example.com b@example.com', 'address'],
    ['a(comment)b@example.com', 'address'],
    ['a@exam(comment)ple.com', 'address'],
    ['Jane <not an address>', 'address'],
    ['j\u202eäne@example.com', 'address'],
    ['jä\u00a0ne@example.com', 'address'],
    ['<\u0338jane@example.com>', 'address'],
    ['<jäne@example.com＞, ＜ceo@bank.example>', 'address'],
    ['jäne@example.com，ceo@bank.example', 'address'],
    ['<@a.example:b@example.com>', 'address'],
  ]
  for (const [text, fault] of FAULTS) {
    test(`${JSON.stringify(text)} is refused as ${fault}`, () => {
      const list = parseMailboxList(text)
      assert.equal('fault' in list ? list.fault : list, fault)
    })
  }

  const WRITTEN: readonly (readonly [name: string | undefined, text: string])[] = [
    [undefined, 'jane@example.com'],
    ['', 'jane@example.com'],
    ['Jane Doe', 'Jane Doe <jane@example.com>'],
    ['Doe, Jane', '"Doe, Jane" <jane@example.com>'],
    ['J "X" \\ Doe', '"J \\"X\\" \\\\ Doe" <jane@example.com>'],
    ['Jäne', '=?UTF-8?Q?J=C3=A4ne?= <jane@example.com>'],
    ['=?utf-8?Q?x?=', '=?UTF-8?Q?=3D=3Futf-8=3FQ=3Fx=3F=3D?= <jane@example.com>'],
    ['a\r\nBcc: x@example.com', '"a Bcc: x@example.com" <jane@example.com>'],
    ['a\u2028b\u0085c', 'a b c <jane@example.com>'],
  ]
  for (const [name, text] of WRITTEN) {
    test(`the name ${JSON.stringify(name)} is written ${text}`, () => {
      assert.equal(formatMailbox(mailbox('jane@example.com', name)), text)
    })
  }

  const name = fc.option(
    fc.string({ unit: fc.constantFrom(...Array.from('aZ ,.;:<>@"\\()[]=?éü😀שּ')), maxLength: 40 }),
    { nil: undefined },
  )

  test('any mailboxes come back from what is written for them', () => {
    const address = fc.constantFrom(
      'a@example.com',
      '"a, <b>"@example.com',
      '"(x"@example.com',
      "o'x+y@example.com",
    )
    fc.assert(
      fc.property(fc.array(fc.tuple(address, name), { minLength: 1, maxLength: 5 }), (entries) => {
        const mailboxes = entries.map(([address, name]) => mailbox(address, name))
        const text = formatMailboxList(mailboxes)
        assert.ok(isAscii(text) && !/[\r\n]/.test(text))
        const expected = entries.map(([address, name]) =>
          mailbox(address, name?.trim() === '' ? undefined : name?.trim()),
        )
        assert.deepEqual(parseMailboxList(text), expected)
      }),
      { numRuns: 1000 },
    )
  })

  test('any address beyond ASCII comes back as UTF-8, its name as ASCII, one line or many', () => {
    const written = fc
      .tuple(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }), fc.boolean())
      .map(([local, quoted]) =>
        parseAddress(`${quoted ? `"${local.replaceAll(/["\\]/g, '\\$&')}"` : local}@bücher.example`),
      )
      .filter(isAddress)
    fc.assert(
      fc.property(fc.array(fc.tuple(written, name), { minLength: 1, maxLength: 5 }), (entries) => {
        const mailboxes = entries.map(([address, name]) => mailbox(address, name))
        const text = formatMailboxList(mailboxes)
        assert.ok(isAscii(entries.reduce((rest, [address]) => rest.replace(address, ''), text)))
        const expected = entries.map(([address, name]) =>
          mailbox(address, name?.trim() === '' ? undefined : name?.trim()),
        )
        assert.deepEqual(parseMailboxList(text), expected)
        const field = Buffer.from(foldAddresses('To', text))
        const block = parseHeaderBlock(field, { fields: 10, bytes: 100_000 })
        assert.ok(!('fault' in block) && block.fields.length === 1)
        const [only = { name: '', value: '', start: 0, end: 0 }] = block.fields
        assert.deepEqual(parseMailboxList(fieldText(only) ?? ''), expected)
        for (const line of field.toString('latin1').split('\r\n')) assert.ok(line.length <= 998)
      }),
      { numRuns: 1000 },
    )
  })

  test('who wants to know of two reads no further', () => {
    const two = [mailbox('a@example.com'), mailbox('b@example.com')]
    for (const rest of [
      '',
      ',',
      ', c@example.com',
      ', no address',
      ', "unclosed',
      `,${'"'.repeat(100_001)}`,
    ]) {
      assert.deepEqual(parseMailboxList(`,, a@example.com ,, b@example.com${rest}`, 2), two)
    }
    assert.deepEqual(parseMailboxList(', a@example.com,', 2), two.slice(0, 1))
    assert.ok('fault' in parseMailboxList('a@example.com, "unclosed', 2))
  })

  test('any text is a fault or mailboxes, within its length in time', () => {
    const near = fc.string({
      unit: fc.constantFrom(...Array.from('a@b.c<>"(),;:\\ \r\n\0=?é用＞，\u0338\u0085\u2028\u202e')),
      maxLength: 60,
    })
    fc.assert(
      fc.property(near, (text) => {
        const list = parseMailboxList(text)
        assert.ok(list !== undefined)
        if ('fault' in list) return
        assert.doesNotMatch(formatMailboxList(list), /[\r\n\0\u0085\u2028]/)
        for (const { address } of list) assert.equal(parseAddress(address), address)
        const again = parseMailboxList(formatMailboxList(list))
        assert.ok(!('fault' in again) && again.length === list.length)
      }),
      { numRuns: 2000 },
    )
    for (const char of ['(', '"', '<', ',', '\\', 'a@b.example,', ' ']) parseMailboxList(char.repeat(100_000))
  })
})
