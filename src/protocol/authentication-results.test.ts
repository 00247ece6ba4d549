import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import {
  authenticationResultsField,
  foreignResults,
  formatAuthenticationResults,
  parseAuthenticationResults,
} from './authentication-results.ts'
import { parseHeaderBlock } from './header-block.ts'

const OURS = 'route1.mx.posthorn.test'
const LIMITS = { fields: 1000, bytes: 256 * 1024 }

function bearsOurs(value: string, name = 'Authentication-Results'): boolean {
  const header = parseHeaderBlock(Buffer.from(`${name}:${value}\r\nSubject: s\r\n\r\n`), LIMITS)
  assert.ok(!('fault' in header), value)
  return foreignResults(header, OURS).length === 1
}

test('a field in our name is found in every spelling', () => {
  const found = [
    ` ${OURS}; none`,
    `${OURS};none`,
    ` ${OURS.toUpperCase()}; spf=pass`,
    ` "${OURS}"; spf=pass`,
    ` "route1.mx\\.posthorn.test"; spf=pass`,
    ` (hello) ${OURS} (again) 1; spf=pass`,
    ` (a (nested \\) comment)) ${OURS}; spf=pass`,
    `\r\n\t${OURS}\r\n 1 ;\r\n spf=pass`,
    ` ${OURS}/1; spf=pass`,
    ` ${OURS}.; spf=pass`,
    ` route1 . mx . posthorn . test; spf=pass`,
    ` route1.mx.(x)posthorn.test; spf=pass`,
    ` "route1".mx.posthorn.test; spf=pass`,
    ` ${OURS} spf=pass`,
    ` ${OURS}`,
    ` ${OURS}, other.example; spf=pass`,
    ` ${OURS}=1; spf=pass`,
    ` (open ${OURS}; spf=pass`,
    ` "open ${OURS}; spf=pass`,
    ' route1.mx.ｐosthorn.test; spf=pass',
    `\u00a0${OURS}; spf=pass`,
  ]
  for (const value of found) assert.ok(bearsOurs(value), value)
  assert.ok(bearsOurs(` ${OURS}; none`, 'AUTHENTICATION-results'))
})

test("others' fields stay", () => {
  const kept = [
    ' mx.other.example; spf=pass',
    ` mx.other.example; spf=pass smtp.mailfrom=${OURS}`,
    ` x${OURS}; spf=pass`,
    ` ${OURS}.other.example; spf=pass`,
    ` sub.${OURS}; spf=pass`,
    ' posthorn.test; spf=pass',
    ` (${OURS}) mx.other.example; spf=pass`,
    ' (open; spf=pass',
    ' ; spf=pass',
    '',
  ]
  for (const value of kept) assert.ok(!bearsOurs(value), value)
  assert.ok(!bearsOurs(` i=1; ${OURS}; none`, 'ARC-Authentication-Results'))
  assert.ok(!bearsOurs(` ${OURS}; none`, 'X-Authentication-Results'))
})

const blank = fc.constantFrom('', ' ', '\t', '\r\n ', '(c)', '(a(b)\\))', ' \r\n\t(x) ')
const anyCase = (text: string) =>
  fc
    .array(fc.boolean(), { minLength: text.length, maxLength: text.length })
    .map((upper) =>
      Array.from(text, (char, at) => (upper[at] ? char.toUpperCase() : char.toLowerCase())).join(''),
    )

test('whatever the grammar allows around our name, it is found', () => {
  const version = fc.constantFrom('', ' 1', ' (v) 12')
  const rest = fc.constantFrom(
    '',
    '; none',
    '; spf=pass smtp.mailfrom=a@b.example',
    ';dkim=pass (x) header.d=y',
  )
  const name = anyCase(OURS)
  const quoted = name.map((text) => `"${text.replaceAll('.', '\\.')}"`)
  fc.assert(
    fc.property(blank, fc.oneof(name, quoted), blank, version, rest, (before, id, after, number, more) => {
      assert.ok(bearsOurs(`${before}${id}${after}${number}${more}`))
    }),
  )
})

test('nothing that a stranger writes throws, hangs, or reads as two things', () => {
  const piece = fc.constantFrom(
    '(',
    ')',
    '"',
    '\\',
    ';',
    '=',
    ' ',
    '\r\n ',
    OURS,
    'spf',
    'pass',
    '/1',
    '.',
    'é',
  )
  fc.assert(
    fc.property(fc.array(fc.oneof(piece, fc.string({ unit: 'binary' })), { maxLength: 40 }), (parts) => {
      const value = parts.join('')
      foreignResults({ fields: [{ name: 'Authentication-Results', value, start: 0, end: 0 }] }, OURS)
      const read = parseAuthenticationResults(value)
      if (read?.authservId === OURS) {
        const field = { name: 'Authentication-Results', value, start: 0, end: 0 }
        assert.equal(foreignResults({ fields: [field] }, OURS).length, 1)
      }
    }),
    { numRuns: 300 },
  )
  for (const bomb of ['(', '"', '\\', ';', '=', 'a=', '(a)', ' ']) {
    const value = bomb.repeat(200_000)
    parseAuthenticationResults(value)
    foreignResults({ fields: [{ name: 'Authentication-Results', value, start: 0, end: 0 }] }, OURS)
  }
})

test('a value has its equals signs', () => {
  const fields = [
    'smtp.mailfrom=SRS0=aB1=XY=author.example=ann@forward.example',
    'header.b=a1b2==',
    'smtp.a==@0',
  ]
  const read = parseAuthenticationResults(
    `mx.example; spf=pass ${fields.join(' ')}; dkim = pass header.d = a.example`,
  )
  assert.deepEqual(
    read?.results.map(({ properties }) => properties.map(([name, value]) => `${name}=${value}`)),
    [fields, ['header.d=a.example']],
  )
})

test('what is written is read again, on lines that fit', () => {
  const word = fc.stringMatching(/^[a-z][a-z0-9-]{0,10}$/)
  const value = fc.string({
    unit: fc.constantFrom(...' !"#()/:;==@@[\\]abAB01.-_'.split('')),
    minLength: 1,
    maxLength: 60,
  })
  const property = fc.tuple(
    fc.tuple(fc.constantFrom('smtp', 'header', 'policy'), word).map((names) => names.join('.')),
    value,
  )
  const result = fc.record({
    method: word,
    result: word,
    comment: fc.option(fc.string({ unit: 'binary' }), { nil: undefined }),
    properties: fc.array(property, { maxLength: 5 }),
  })
  fc.assert(
    fc.property(fc.array(result, { maxLength: 5 }), (results) => {
      const written = formatAuthenticationResults(OURS, results)
      assert.match(written, /^(?:[ -~]|\r\n[ ])*$/)
      const expected = results.map(({ method, result, properties }) => ({ method, result, properties }))
      assert.deepEqual(parseAuthenticationResults(written), { authservId: OURS, results: expected })
      assert.ok(bearsOurs(` ${written}`))
      const field = authenticationResultsField(OURS, results)
      assert.ok(field.split('\r\n').every((line) => line.length <= 998))
    }),
  )
})

test('what cannot stand in a value is left out', () => {
  const long = 'x'.repeat(257)
  const properties = [
    ['smtp.mailfrom', 'bücher.example'],
    ['smtp.helo', 'a\r\nb'],
    ['header.d', long],
    ['header.s', undefined],
    ['header.i', '@a.example'],
  ] as const
  assert.equal(
    formatAuthenticationResults(OURS, [{ method: 'dkim', result: 'pass', properties }]),
    `${OURS};\r\n dkim=pass header.i=@a.example`,
  )
})

test('fields of others are read, as they write them', () => {
  const read = parseAuthenticationResults(
    ' mx.google.com;\r\n       dkim=pass header.i=@x.example header.s=s header.b="k/1=";\r\n       spf=pass (google.com: domain of a@x.example designates 192.0.2.1) smtp.mailfrom=a@x.example;\r\n       dmarc=pass (p=NONE sp=NONE) header.from=x.example;compauth=pass reason=100',
  )
  assert.deepEqual(
    read?.results.map(({ method, result }) => `${method}=${result}`),
    ['dkim=pass', 'spf=pass', 'dmarc=pass', 'compauth=pass'],
  )
  assert.deepEqual(read?.results[0]?.properties, [
    ['header.i', '@x.example'],
    ['header.s', 's'],
    ['header.b', 'k/1='],
  ])
  const outlook = parseAuthenticationResults(
    'i=1; mx.microsoft.com 1; spf=pass smtp.mailfrom=x.example; dmarc=pass action=none header.from=x.example; dkim=pass header.d=x.example; arc=none'.slice(
      4,
    ),
  )
  assert.deepEqual(outlook?.authservId, 'mx.microsoft.com')
  assert.deepEqual(outlook?.results[1]?.properties, [
    ['action', 'none'],
    ['header.from', 'x.example'],
  ])
})
