import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { domainOf, localPartOf } from '#model/address.ts'
import { isAddress, parseAddress } from './address.ts'

function faultOf(text: string): string {
  const result = parseAddress(text)
  return isAddress(result) ? `accepted as ${result}` : result.fault
}

const SUITE = '../shared/suites/address/isemail.json'
const suite = existsSync(SUITE)
  ? (JSON.parse(readFileSync(SUITE, 'utf8')) as {
      id: string
      address: string
      category: string
      diagnosis: string
    }[])
  : []

// What RFC 5321 allows and a sending service still declines, by diagnosis or, for one, by address.
const DECLINED: Record<string, string> = {
  ISEMAIL_RFC5321_TLD: 'a domain of one label is no destination on the public Internet',
  ISEMAIL_RFC5321_TLDNUMERIC: 'no top-level domain is numeric (RFC 3696 §2); such hosts read as IP addresses',
  ISEMAIL_RFC5321_ADDRESSLITERAL:
    'mail goes to domains: an address literal has no MX, no policy and no DMARC',
  'test@io': 'a domain of one label is no destination on the public Internet',
}

describe('isemail suite', { skip: suite.length > 0 ? false : `${SUITE} is absent` }, () => {
  for (const { id, address, category, diagnosis } of suite) {
    const valid =
      category === 'ISEMAIL_VALID_CATEGORY' ||
      category === 'ISEMAIL_DNSWARN' ||
      category === 'ISEMAIL_RFC5321'
    const reason = DECLINED[address] ?? DECLINED[diagnosis]
    const expected = valid && reason === undefined
    const verdict = expected ? 'accepted' : reason === undefined ? 'refused' : `declined: ${reason}`
    test(`${id} ${JSON.stringify(address)} (${diagnosis}) is ${verdict}`, () => {
      assert.equal(isAddress(parseAddress(address)), expected)
    })
  }
})

describe('RFC 5321 mailbox', () => {
  test('the domain becomes lower-case A-labels, the local part keeps its case', () => {
    assert.equal(parseAddress('Jane.Doe@EXAMPLE.Com'), 'Jane.Doe@example.com')
    assert.equal(parseAddress('jane@Bücher.example'), 'jane@xn--bcher-kva.example')
    assert.equal(parseAddress('jane@例え.テスト'), 'jane@xn--r8jz45g.xn--zckzah')
  })

  test('a quoted local part loses quotes it does not need and keeps those it does', () => {
    assert.equal(parseAddress('"jane"@example.com'), 'jane@example.com')
    assert.equal(parseAddress('"j\\ane.doe"@example.com'), 'jane.doe@example.com')
    assert.equal(parseAddress('"jane doe"@example.com'), '"jane doe"@example.com')
    assert.equal(parseAddress('"j\\"\\\\\\x"@example.com'), '"j\\"\\\\x"@example.com')
    assert.equal(parseAddress('"a@b"@example.com'), '"a@b"@example.com')
  })

  const FAULTS: readonly (readonly [what: string, text: string, fault: string])[] = [
    ['nothing', '', 'empty'],
    ['no at sign', 'jane.example.com', 'no-at-sign'],
    ['a display name', 'Jane <jane@example.com>', 'display-name'],
    ['angle brackets', '<jane@example.com>', 'display-name'],
    ['a source route', '@a.example,@b.example:jane@example.com', 'local-part'],
    ['two at signs', 'jane@a.example@example.com', 'local-part'],
    ['two dots together', 'jane..doe@example.com', 'local-part'],
    ['a space before it', ' jane@example.com', 'character'],
    ['a line feed behind it', 'jane@example.com\n', 'character'],
    ['CR LF and a header', 'jane@example.com\r\nBcc: x@example.com', 'character'],
    ['NUL', 'ja\0ne@example.com', 'character'],
    ['a list', 'jane@example.com, joe@example.com', 'local-part'],
    ['a group', 'all: jane@example.com;', 'local-part'],
    ['a local part of 65 octets', `${'a'.repeat(65)}@example.com`, 'local-part-too-long'],
    ['an internationalized local part', 'jäne@example.com', 'local-part-not-ascii'],
    [
      '255 octets',
      `${'a'.repeat(64)}@${'b'.repeat(60)}.${'b'.repeat(60)}.${'b'.repeat(60)}.bbbbbbb`,
      'too-long',
    ],
    ['an address literal', 'jane@[192.0.2.1]', 'domain'],
    ['an underscore in the domain', 'jane@foo_bar.com', 'domain'],
    ['a trailing dot', 'jane@example.com.', 'domain'],
    ['a domain of one label', 'jane@localhost', 'domain'],
    ['a full-width at sign', 'jane＠example.com', 'no-at-sign'],
    ['a lone surrogate in the domain', 'jane@ex\ud800ample.com', 'domain'],
    ['a line separator in the domain', 'jane@exam\u2028ple.com', 'domain'],
  ]
  for (const [what, text, fault] of FAULTS) {
    test(`${what} is refused as ${fault}`, () => assert.equal(faultOf(text), fault))
  }

  test('a display name inside the string is answered with the form that takes one', () => {
    const result = parseAddress('Jane <jane@example.com>')
    assert.ok(!isAddress(result))
    assert.match(result.detail, /\{"address": "user@example\.com", "name": "Jane"\}/)
  })

  test('every fault says what is wrong in a sentence', () => {
    for (const [, text] of FAULTS) {
      const result = parseAddress(text)
      assert.ok(!isAddress(result))
      assert.match(result.detail, /^[A-Z].{20,}\.$/)
    }
  })
})

describe('any text at all', () => {
  const near = fc.string({
    unit: fc.constantFrom(...Array.from('aZ9.@"\\-_<>()[]:, \t\r\n\0ü。＠\u00ad\u2028\ud800')),
    maxLength: 40,
  })

  test('is either refused or an address that no header or command can be broken with', () => {
    fc.assert(
      fc.property(fc.oneof(near, fc.string({ unit: 'binary' }), fc.emailAddress()), (text) => {
        const result = parseAddress(text)
        if (!isAddress(result)) return
        assert.match(result, /^[ -~]+$/)
        assert.ok(result.length <= 254 && localPartOf(result).length <= 64)
        assert.match(domainOf(result), /^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/)
      }),
      { numRuns: 2000 },
    )
  })

  test('an accepted address parses to itself', () => {
    fc.assert(
      fc.property(fc.oneof(near, fc.emailAddress()), (text) => {
        const result = parseAddress(text)
        if (isAddress(result)) assert.equal(parseAddress(result), result)
      }),
      { numRuns: 2000 },
    )
  })

  test('every quoted string of printable ASCII in a local part is accepted and means the same after', () => {
    const printable = fc.string({
      unit: fc.integer({ min: 32, max: 126 }).map((code) => String.fromCharCode(code)),
      maxLength: 30,
    })
    fc.assert(
      fc.property(printable, (content) => {
        const result = parseAddress(`"${content.replaceAll(/["\\]/g, '\\$&')}"@example.com`)
        assert.ok(isAddress(result))
        const local = localPartOf(result)
        const meaning = local.startsWith('"') ? local.slice(1, -1).replaceAll(/\\(.)/g, '$1') : local
        assert.equal(meaning, content)
      }),
    )
  })
})
