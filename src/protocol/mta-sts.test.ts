import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  hostMatches,
  MAX_POLICY_OCTETS,
  readStsId,
  readStsPolicy,
  type StsPolicy,
  stsPolicyId,
  writeStsPolicy,
  writeStsRecord,
} from './mta-sts.ts'

const policyOf = (text: string) => readStsPolicy(Buffer.from(text, 'latin1'))
const faultOf = (text: string) => {
  const policy = policyOf(text)
  return 'fault' in policy ? policy.fault : assert.fail(`read: ${JSON.stringify(policy)}`)
}

const IDS: readonly [records: string[], id: string | undefined][] = [
  [['v=STSv1; id=20160831085700Z;'], '20160831085700Z'],
  [['v=STSv1; id=20230615T153000;'], '20230615T153000'],
  [['v=STSv1;id=a'], 'a'],
  [['v=STSv1;\t id=a \t;  '], 'a'],
  [['v=STSv1; more.of_it-1=x:y,<z>; id=a'], 'a'],
  [['v=spf1 -all', 'v=STSv1; id=a', 'v=STSv2; id=b', 'v=STSv1'], 'a'],
  [['v=STSv1; id=a; id=b'], 'a'],
  [['v=STSv1; id=a', 'v=STSv1; id=a'], undefined],
  [['v=STSv1; id=a', 'v=STSv1; nothing'], undefined],
  [[], undefined],
  [['v=STSv1'], undefined],
  [['v=STSv1;'], undefined],
  [['v=STSv1 ; id=a'], undefined],
  [['V=STSv1; id=a'], undefined],
  [[' v=STSv1; id=a'], undefined],
  [['v=STSv1; ID=a'], undefined],
  [['v=STSv1; id='], undefined],
  [['v=STSv1; id=; id=a'], undefined],
  [['v=STSv1; id=a-b'], undefined],
  [['v=STSv1; id=a-b; id=a'], undefined],
  [['v=STSv1; id = a'], undefined],
  [[`v=STSv1; id=${'a'.repeat(32)}`], 'a'.repeat(32)],
  [[`v=STSv1; id=${'a'.repeat(33)}`], undefined],
  [['v=STSv1; id=a; b'], undefined],
  [['v=STSv1; id=a; b=c=d'], undefined],
  [['v=STSv1; id=a;; b=c'], undefined],
  [['v=STSv1; id=a; b=\u00e9'], undefined],
]

for (const [records, id] of IDS)
  test(`RFC 8461 §3.1: ${JSON.stringify(records)}`, () => assert.equal(readStsId(records), id))

test('RFC 8461 §3.2: the example of the RFC', () => {
  const text =
    'version: STSv1\nmode: enforce\nmx: mail.example.com\nmx: *.example.net\nmx: backupmx.example.com\nmax_age: 604800\n'
  const policy = {
    mode: 'enforce',
    mx: ['mail.example.com', '*.example.net', 'backupmx.example.com'],
    maxAgeSeconds: 604_800,
  }
  assert.deepEqual(policyOf(text), policy)
  assert.deepEqual(policyOf(text.replaceAll('\n', '\r\n')), policy)
  assert.deepEqual(policyOf(text.trimEnd().split('\n').toReversed().join('\n')), {
    ...policy,
    mx: policy.mx.toReversed(),
  })
})

test('blanks, empty lines, unknown keys and lines that are no field change nothing', () => {
  const text = [
    '# our policy',
    'version:STSv1 \t',
    '',
    'mode: \ttesting',
    'Mode: enforce',
    'contact: postmaster@example.com',
    'mx:MX1.Example.COM.',
    'mx: mx1.example.com',
    'max_age:0',
  ]
  assert.deepEqual(policyOf(text.join('\n')), { mode: 'testing', mx: ['mx1.example.com'], maxAgeSeconds: 0 })
})

test('of a key that is repeated the first counts, except for mx', () => {
  const base = 'version: STSv1\nmode: none\nmax_age: 60\n'
  const none = { mode: 'none', mx: [], maxAgeSeconds: 60 }
  assert.deepEqual(policyOf(`${base}version: STSv2\nmode: enforce\nmax_age: x`), none)
  assert.match(faultOf(`mode: weak\n${base}`), /^mode/)
  assert.match(faultOf(`version: STSv2\n${base}`), /^version/)
})

test('a max_age beyond the largest counts as the largest', () => {
  const aged = (age: string) => policyOf(`version: STSv1\nmode: none\nmax_age: ${age}`)
  assert.deepEqual(aged('31557600'), { mode: 'none', mx: [], maxAgeSeconds: 31_557_600 })
  assert.deepEqual(aged('9999999999'), { mode: 'none', mx: [], maxAgeSeconds: 31_557_600 })
})

const FAULTS: readonly [text: string, fault: RegExp][] = [
  ['', /^version/],
  ['<html><style>a { color: red }</style></html>', /^version/],
  ['version: STSv1\nmode: Enforce\nmx: a.example\nmax_age: 1', /^mode/],
  ['version: STSv1\nmx: a.example\nmax_age: 1', /^mode/],
  ['version: STSv1\nmode: enforce\nmax_age: 1', /no mx$/],
  ['version: STSv1\nmode: enforce\nmx: a.example', /^max_age/],
  ...['-1', '1.5', '1e3', '12345678901', '', '0x10', '1 day'].map((age): [string, RegExp] => [
    `version: STSv1\nmode: enforce\nmx: a.example\nmax_age: ${age}`,
    /^max_age/,
  ]),
  ...[
    ...[
      '',
      '*',
      '*.',
      '.',
      '.a.example',
      'a..example',
      'a*.example',
      '*a.example',
      'a.*.example',
      '*.*.example',
    ],
    ...[
      '-a.example',
      'a-.example',
      'b\u00fccher.example',
      'a.example, b.example',
      'a.example b',
      '[192.0.2.1]',
    ],
    ...[
      'a.example:25',
      'a.example..',
      'a\r.example',
      'a\0.example',
      `${'a'.repeat(64)}.example`,
      'a.'.repeat(128),
    ],
  ].map((mx): [string, RegExp] => [
    `version: STSv1\nmode: enforce\nmx: good.example\nmx: ${mx}\nmax_age: 1`,
    /^an mx/,
  ]),
]

for (const [text, fault] of FAULTS)
  test(`no policy: ${JSON.stringify(text.slice(0, 90))}`, () => assert.match(faultOf(text), fault))

test('a policy that is too long is none', () => {
  const text = 'version: STSv1\nmode: none\nmax_age: 1\n'
  const filled = text + 'x'.repeat(MAX_POLICY_OCTETS - text.length)
  assert.equal('mode' in policyOf(filled), true)
  assert.match(faultOf(`${filled}x`), /too long/)
})

const MATCHES: readonly [pattern: string, host: string, matches: boolean][] = [
  ['mail.example.com', 'mail.example.com', true],
  ['mail.example.com', 'MAIL.example.com.', true],
  ['MAIL.Example.com', 'mail.example.com', true],
  ['mail.example.com', 'a.mail.example.com', false],
  ['mail.example.com', 'xmail.example.com', false],
  ['*.example.com', 'mail.example.com', true],
  ['*.example.com', 'xn--bcher-kva.example.com', true],
  ['*.example.com', 'example.com', false],
  ['*.example.com', '.example.com', false],
  ['*.example.com', 'a.b.example.com', false],
  ['*.example.com', 'mailexample.com', false],
  ['*.example.com', 'mail.example.com.evil.test', false],
  ['*.xn--bcher-kva.example', 'mx.xn--bcher-kva.example', true],
  ['mail.example.com', '', false],
]

for (const [pattern, host, matches] of MATCHES)
  test(`RFC 8461 §4.1: ${pattern} ${matches ? 'names' : 'does not name'} "${host}"`, () =>
    assert.equal(hostMatches(pattern, host), matches))

const label = fc.stringMatching(/^[a-z0-9](?:[a-z0-9-]{0,8}[a-z0-9])?$/)
const name = fc.array(label, { minLength: 2, maxLength: 4 }).map((labels) => labels.join('.'))
const mx = fc.oneof(
  name,
  name.map((host) => `*.${host}`),
)

test('any policy is read as it was written, whatever stands between its fields', () => {
  const noise = fc.constantFrom('', 'later: x', '#', 'mxs: *', 'VERSION: 9')
  const end = fc.constantFrom('\n', '\r\n')
  const policy = fc.record(
    {
      mode: fc.constantFrom('enforce', 'testing', 'none'),
      mx: fc.uniqueArray(mx, { minLength: 1, maxLength: 5 }),
      maxAgeSeconds: fc.integer({ min: 0, max: 31_557_600 }),
    },
    { noNullPrototype: true },
  )
  fc.assert(
    fc.property(policy, fc.array(noise, { maxLength: 5 }), end, (written, between, end) => {
      const fields = [
        'version: STSv1',
        ...between,
        `mode: ${written.mode}`,
        ...written.mx.map((pattern) => `mx: ${pattern.toUpperCase()}`),
        ...between,
        `max_age: ${written.maxAgeSeconds}`,
      ]
      assert.deepEqual(policyOf(fields.join(end)), written)
    }),
  )
})

test('no text breaks a reader, and what is read obeys the limits', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      'version: STSv1',
      'mode: enforce',
      'mx: *.a.example',
      'max_age: 1',
      '\n',
      '\r\n',
      '\r',
      ':',
      '*.',
    ),
    fc.string({ unit: 'binary' }),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
      const read = readStsPolicy(Buffer.from(pieces.join('')))
      if ('fault' in read) return
      assert.ok(read.maxAgeSeconds >= 0 && read.maxAgeSeconds <= 31_557_600)
      assert.ok(read.mode === 'none' || read.mx.length > 0)
      for (const pattern of read.mx) assert.match(pattern, /^(\*\.)?[a-z0-9_.-]+$/)
    }),
  )
  const record = fc.array(
    fc.oneof(fc.constantFrom('v=STSv1;', 'id=a', ';', ' ', '='), fc.string({ unit: 'binary' })),
  )
  fc.assert(
    fc.property(fc.array(record, { maxLength: 3 }), (records) => {
      const id = readStsId(records.map((parts) => parts.join('')))
      if (id !== undefined) assert.match(id, /^[A-Za-z0-9]{1,32}$/)
    }),
  )
})

test('a wildcard names a host exactly when one label stands in its place', () => {
  fc.assert(
    fc.property(name, fc.array(label, { maxLength: 3 }), (base, before) => {
      assert.equal(hostMatches(`*.${base}`, [...before, base].join('.')), before.length === 1)
      assert.equal(hostMatches(base, [...before, base].join('.')), before.length === 0)
    }),
  )
})

const policies: fc.Arbitrary<StsPolicy> = fc.record(
  {
    mode: fc.constantFrom('enforce', 'testing', 'none'),
    mx: fc.uniqueArray(fc.constantFrom('*.mx.example.com', 'mail.example.com', 'xn--bcher-kva.example'), {
      minLength: 1,
    }),
    maxAgeSeconds: fc.integer({ min: 0, max: 31_557_600 }),
  },
  { noNullPrototype: true },
)

test('what is written is read as what it was, and its id changes with it and never else', () => {
  fc.assert(
    fc.property(policies, policies, (one, other) => {
      assert.deepEqual(policyOf(writeStsPolicy(one)), one)
      const id = stsPolicyId('example.com', one)
      assert.equal(readStsId([writeStsRecord(id)]), id)
      assert.notEqual(id, stsPolicyId('example.net', one))
      const same = writeStsPolicy(one) === writeStsPolicy(other)
      assert.equal(id === stsPolicyId('example.com', other), same)
    }),
  )
})

test('RFC 8461 §3.2: a policy is written with CRLF, in the order of its example', () => {
  assert.equal(
    writeStsPolicy({ mode: 'enforce', mx: ['*.mx.example.com'], maxAgeSeconds: 86_400 }),
    'version: STSv1\r\nmode: enforce\r\nmx: *.mx.example.com\r\nmax_age: 86400\r\n',
  )
})
