import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import {
  archivedAt,
  type FormatCheck,
  hasHttpsUri,
  languageTags,
  listId,
  messageIds,
  oneClick,
  oneOf,
  recipientValidSince,
  unsubscribeUris,
  uriList,
  uriListOrNo,
} from './header-formats.ts'

interface Format {
  readonly check: FormatCheck
  readonly right: readonly string[]
  readonly wrong: readonly string[]
}

const FORMATS: Record<string, Format> = {
  'In-Reply-To and References (RFC 5322 §3.6.4)': {
    check: messageIds,
    right: [
      '<a@b>',
      '<a.b@[1.2.3.4]>',
      '<a@b> <c@d>',
      '<a@b><c@d>',
      '<a@b>\t<c@d>',
      `<${'a'.repeat(980)}@b>`,
    ],
    wrong: ['', 'a@b', '<a>', '<@>', '<a@b', '<a@b>, <c@d>', '<a @b>', '<a@b> c@d', `<${'a'.repeat(998)}@b>`],
  },
  'List-Unsubscribe (RFC 2369, RFC 8058)': {
    check: unsubscribeUris,
    right: [
      '<https://example.com/unsubscribe?id=abc,123>',
      '<mailto:leave@example.com>',
      '<mailto:leave@example.com?subject=unsubscribe%20me>',
      '<mailto:a@example.com,b@example.com>',
      '<mailto:j%C3%A4ne@example.com>',
      '<https://example.com/u>, <mailto:leave@example.com>',
      '<HTTPS://example.com/u> (leave the list) ,\t<mailto:%22a%20b%22@example.com>',
    ],
    wrong: [
      '',
      'https://example.com/u',
      '<http://example.com/u>',
      '<https://example.com/u>, <http://example.com/u>',
      '<https://>',
      '<https:/example.com>',
      '<https:///path>',
      '<https://exa mple.com>',
      '<https://[::1>',
      '<javascript:alert(1)>',
      '<mailto:>',
      '<mailto:nobody>',
      '<mailto:?to=a@example.com>',
      '<mailto:%E0%A4%A@example.com>',
      '<mailto:a%0D%0ABcc:b@example.com>',
      '<mailto:jäne@example.com>',
      '<mailto:j%E2%80%AEne@example.com>',
      '<https://example.com/u> <mailto:leave@example.com>',
      '<https://example.com/u>,',
      '<https://example.com/<u>>',
    ],
  },
  'List-Unsubscribe-Post (RFC 8058 §3.1)': {
    check: oneClick,
    right: ['List-Unsubscribe=One-Click'],
    wrong: ['', 'list-unsubscribe=one-click', 'List-Unsubscribe=One-Click;', 'List-Unsubscribe = One-Click'],
  },
  'List-Archive, -Help, -Owner, -Subscribe (RFC 2369)': {
    check: uriList,
    right: ['<http://example.com/>', '<mailto:a@example.com>, <https://example.com> (both)'],
    wrong: ['', 'http://example.com', '<ftp://example.com/>', '<data:,x>', 'NO'],
  },
  'List-Post (RFC 2369 §3.4)': {
    check: uriListOrNo,
    right: ['NO', '<mailto:a@example.com>'],
    wrong: ['', 'no', 'YES'],
  },
  'List-Id (RFC 2919)': {
    check: listId,
    right: [
      '<news.example.com>',
      'Our News <news.example.com>',
      '"The, News" <a.b>',
      'Ü <news.example.com>',
      '"新聞 🎉" <a.b>',
    ],
    wrong: [
      '',
      'news.example.com',
      '<news>',
      '<news..example>',
      '<a.b> x',
      '<a.b> <c.d>',
      '<n@example.com>',
      '<nü.example>',
    ],
  },
  'Content-Language (RFC 3282)': {
    check: languageTags,
    right: ['en', 'en-GB', 'fr, de-CH-1996', 'zh-Hans'],
    wrong: ['', 'en_GB', 'english language', 'en,', 'abcdefghi', 'en-'],
  },
  'Require-Recipient-Valid-Since (RFC 7293)': {
    check: recipientValidSince,
    right: ['jane@example.com; Sat, 1 Jun 2013 09:23:01 -0700', '"a;b"@example.com; 1 Jun 2013 09:23 GMT'],
    wrong: [
      '',
      'jäne@example.com; Sat, 1 Jun 2013 09:23:01 -0700',
      'jane@example.com',
      'jane@example.com; yesterday',
      'jane; Sat, 1 Jun 2013 09:23:01 -0700',
      ';',
    ],
  },
  'Archived-At (RFC 5064)': {
    check: archivedAt,
    right: ['<https://example.com/archive/1>', '<http://example.com/a,b>'],
    wrong: ['', 'https://example.com', '<mailto:a@example.com>', '<https://a.example> <https://b.example>'],
  },
  Precedence: {
    check: oneOf('bulk', 'list', 'junk'),
    right: ['bulk', 'List', 'JUNK'],
    wrong: ['', 'first-class', 'bulk, list'],
  },
}

for (const [name, { check, right, wrong }] of Object.entries(FORMATS)) {
  describe(name, () => {
    for (const value of right)
      test(`${value.slice(0, 60)} is right`, () => assert.equal(check(value), undefined))
    for (const value of wrong) {
      test(`${JSON.stringify(value.slice(0, 60))} is wrong`, () =>
        assert.match(check(value) ?? '', /^must .*\.$/))
    }
  })
}

test('an HTTPS URI is found among others, and HTTP is none', () => {
  assert.equal(hasHttpsUri('<mailto:a@example.com>, <https://example.com>'), true)
  assert.equal(hasHttpsUri('<mailto:a@example.com>, <http://example.com>'), false)
  assert.equal(hasHttpsUri('https://example.com'), false)
})

test('no format lets a line end through, whatever the value, and none throws', () => {
  const near = fc.string({
    unit: fc.constantFrom(
      '<',
      '>',
      'https://',
      'mailto:',
      'a@b.cc',
      '%',
      '0D',
      ',',
      '(',
      ')',
      '\r\n',
      ' ',
      ';',
      'é',
    ),
  })
  fc.assert(
    fc.property(fc.oneof(near, fc.string({ unit: 'binary' })), (value) => {
      for (const { check } of Object.values(FORMATS)) {
        if (check(value) !== undefined) continue
        assert.doesNotMatch(value, /^$|(?!\t)[\p{Cc}\u2028\u2029]/u)
        if (check !== listId) assert.match(value, /^[\t -~]+$/)
      }
    }),
    { numRuns: 2000 },
  )
})
