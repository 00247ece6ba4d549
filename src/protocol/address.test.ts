import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { domainOf, foldAddress, localPartOf } from '#model/address.ts'
import { isMailbox } from '#smtp/envelope-path.ts'
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
    ['65 octets of UTF-8 in the local part', `${'é'.repeat(32)}x@example.com`, 'local-part-too-long'],
    [
      '255 octets, some of UTF-8',
      `${'é'.repeat(32)}@${'b'.repeat(60)}.${'b'.repeat(60)}.${'b'.repeat(60)}.bbbbbbb`,
      'too-long',
    ],
    ['two dots together beyond ASCII', 'jä..ne@example.com', 'local-part'],
    ['a backslash before what is not ASCII', '"j\\ä"@example.com', 'local-part'],
    ['a combining mark first', '\u0338jane@example.com', 'local-part-character'],
    ['a combining mark first in quotes', '"\\\u0338 x"@example.com', 'local-part'],
    ['a combining mark first between quotes', '"\u0338 x"@example.com', 'local-part-character'],
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
    ['a full-width bracket that might end it', 'jäne@example.com＞@example.com', 'local-part-character'],
  ]
  for (const [what, text, fault] of FAULTS) {
    test(`${what} is refused as ${fault}`, () => assert.equal(faultOf(text), fault))
  }

  const UNFIT: readonly (readonly [what: string, character: string])[] = [
    ['NEL, a control', '\u0085'],
    ['another control of C1', '\u009f'],
    ['a no-break space', '\u00a0'],
    ['an ideographic space', '\u3000'],
    ['LINE SEPARATOR', '\u2028'],
    ['PARAGRAPH SEPARATOR', '\u2029'],
    ['RIGHT-TO-LEFT OVERRIDE', '\u202e'],
    ['LEFT-TO-RIGHT EMBEDDING', '\u202a'],
    ['RIGHT-TO-LEFT ISOLATE', '\u2067'],
    ['RIGHT-TO-LEFT MARK', '\u200f'],
    ['a soft hyphen', '\u00ad'],
    ['ZERO WIDTH SPACE', '\u200b'],
    ['ZERO WIDTH JOINER', '\u200d'],
    ['a byte order mark', '\ufeff'],
    ['a variation selector', '\ufe0f'],
    ['HANGUL FILLER, a letter that shows nothing', '\u3164'],
    ['a tag character', '\u{e0041}'],
    ['half of a surrogate pair', '\ud800'],
    ['the other half', '\udc00'],
    ['a private character', '\ue000'],
    ['an unassigned character', '\u0378'],
    ['a noncharacter', '\uffff'],
    ['a full-width at sign', '＠'],
    ['a small semicolon', '﹔'],
    ['GREEK QUESTION MARK, canonically a semicolon', '\u037e'],
    ['a full-width quotation mark', '＂'],
  ]
  for (const [what, character] of UNFIT) {
    test(`${what} in a local part is refused, quoted or not`, () => {
      for (const text of [
        `ja${character}ne`,
        `jane${character}`,
        `${character}jane`,
        `"ja ${character}ne"`,
      ]) {
        assert.equal(faultOf(`${text}@example.com`), 'local-part-character')
      }
    })
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

describe('RFC 6531 local part', () => {
  test('whatever script it is in, it is taken as it is written, and the domain becomes A-labels', () => {
    for (const local of ['jäne', 'Пётр', '用户', 'δοκιμή', 'अजय', 'יוסי', 'محمد', '🎉', '"jä ne"', '"ä@b"']) {
      assert.equal(parseAddress(`${local}@Bücher.example`), `${local}@xn--bcher-kva.example`)
    }
    assert.equal(parseAddress('"jäne"@example.com'), 'jäne@example.com')
  })

  test('it becomes NFC (RFC 6532 §3.1), whatever stands between a letter and its accent', () => {
    assert.equal(parseAddress('ja\u0308ne@example.com'), 'jäne@example.com')
    assert.equal(parseAddress('"j\\a\u0308 ne"@example.com'), '"jä ne"@example.com')
    assert.equal(parseAddress('"\u1100\u1161"@example.com'), '가@example.com')
    assert.equal(parseAddress('\u212aelvin@example.com'), 'Kelvin@example.com')
  })

  test('64 octets of UTF-8 are the most', () => {
    assert.ok(isAddress(parseAddress(`${'é'.repeat(32)}@example.com`)))
    assert.ok(isAddress(parseAddress(`${'e\u0301'.repeat(32)}@example.com`)), 'counted in NFC')
    assert.equal(faultOf(`${'用'.repeat(22)}@example.com`), 'local-part-too-long')
  })
})

describe('comparing', () => {
  const keyOf = (text: string) => {
    const address = parseAddress(text)
    assert.ok(isAddress(address), text)
    return foldAddress(address)
  }

  test('two spellings of one mailbox have one key', () => {
    for (const [one, other] of [
      ['Jane@EXAMPLE.com', 'jane@example.com'],
      ['JÄNE@example.com', 'ja\u0308ne@example.com'],
      ['ПЁТР@example.com', 'пётр@example.com'],
      ['ΟΔΟΣ.Α@example.com', 'οδος.α@example.com'],
      ['a@BÜCHER.example', 'a@xn--bcher-kva.example'],
      ['"jäne"@example.com', 'jäne@example.com'],
    ] as const) {
      assert.equal(keyOf(one), keyOf(other))
    }
  })

  test('what only looks alike stays apart', () => {
    for (const [one, other] of [
      ['a@аpple.com', 'a@apple.com'],
      ['a@аррӏе.com', 'a@apple.com'],
      ['a@gοogle.com', 'a@google.com'],
      ['a@exаmple.com', 'a@example.com'],
      ['аdmin@example.com', 'admin@example.com'],
      ['ｊane@example.com', 'jane@example.com'],
      ['ſam@example.com', 'sam@example.com'],
      ['İan@example.com', 'ian@example.com'],
      ['ıan@example.com', 'ian@example.com'],
      ['straße@example.com', 'strasse@example.com'],
    ] as const) {
      assert.notEqual(keyOf(one), keyOf(other))
      assert.notEqual(parseAddress(one), parseAddress(other))
    }
    assert.equal(parseAddress('a@аpple.com'), 'a@xn--pple-43d.com')
  })

  test('a key is the key of itself, and only ASCII makes a key of ASCII', () => {
    const local = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
    fc.assert(
      fc.property(local, (local) => {
        const address = parseAddress(`${local}@example.com`)
        if (!isAddress(address)) return
        const key = foldAddress(address)
        assert.equal(keyOf(key), key)
        assert.equal(/^[ -~]*$/.test(key), /^[ -~]*$/.test(address))
      }),
      { numRuns: 2000 },
    )
  })
})

describe('any text at all', () => {
  const near = fc.string({
    unit: fc.constantFrom(
      ...Array.from(
        'aZ9.@"\\-_<>()[]:, \t\r\n\0ü用😀\u0308\u0338\u0958\u1100\u1161\u212a\u037e。＠＞\u00ad\u0085\u2028\u202e',
      ),
      '\ud800',
    ),
    maxLength: 40,
  })
  const nearLocal = near.map((text) => `${text}@example.com`)
  const nearQuoted = near.map((text) => `"${text}"@example.com`)
  const anything = fc.oneof(near, nearLocal, nearQuoted, fc.string({ unit: 'binary' }), fc.emailAddress())

  test('is either refused or an address that no header or command can be broken with', () => {
    fc.assert(
      fc.property(anything, (text) => {
        const result = parseAddress(text)
        if (!isAddress(result)) return
        assert.doesNotMatch(result, /(?! )[\p{C}\p{Z}]/u)
        assert.doesNotMatch(result.replaceAll(/[ -~]/g, '').normalize('NFKC'), /[ "(),:;<>@[\\\]]/)
        assert.ok(Buffer.byteLength(result) <= 254 && Buffer.byteLength(localPartOf(result)) <= 64)
        // Whoever normalises a header finds the same address in it.
        for (const header of [`To: <${result}>`, `To: ${result}, b@c.example`])
          assert.equal(header.normalize('NFC'), header)
        assert.ok(isMailbox(result), 'the client can say it')
        assert.match(domainOf(result), /^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/)
      }),
      { numRuns: 2000 },
    )
  })

  test('an accepted address parses to itself', () => {
    fc.assert(
      fc.property(anything, (text) => {
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
