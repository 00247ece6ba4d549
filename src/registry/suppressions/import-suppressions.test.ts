import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { csvCell } from '#protocol/csv-cell.ts'
import { onBothEngines } from '#test/stores.ts'
import { address, KEY, suppressionsWorld } from '#test/suppressions-world.ts'
import { CSV_HEADER, csvLine } from './export-suppressions.ts'
import { IMPORT_FORMATS, type ImportFormat, type ImportLine, readImport } from './import-suppressions.ts'
import { isoTime, parseTime, readNote } from './read-wish.ts'
import { MOST_ENTRIES, runImport } from './run-import.ts'
import type { Suppression } from './suppression.ts'

const read = (text: string, format: ImportFormat): ImportLine[] => [...readImport(text, format)]

/** Line, address, expiry, scope, note of each entry, or line and the beginning of what is wrong. */
function told(text: string, format: ImportFormat): (string | number | null)[][] {
  return read(text, format).map((line) => {
    if ('detail' in line) return [line.line, line.detail.slice(0, 20)]
    const { email, expiresAt, scope, note } = line.fields
    const cells = [email, expiresAt ?? null, scope ? (scope.value ?? scope.type) : null, note || null]
    return [
      line.line,
      ...cells.slice(0, 1 + cells.findLastIndex((cell, index) => index > 0 && cell !== null) || 1),
    ]
  })
}

test('CSV as the page has it: address, expiry, scope, and our note', () => {
  const text =
    '\ufeffa@x.test\r\nb@x.test,2030-01-01T00:00:00Z\n\n , \nc@x.test,,account\rd@x.test,,News.test,"said ""no"", twice\nover"\ne@x.test'
  assert.deepEqual(told(text, 'csv'), [
    [1, 'a@x.test'],
    [2, 'b@x.test', '2030-01-01T00:00:00Z'],
    [5, 'c@x.test', null, 'account'],
    [6, 'd@x.test', null, 'News.test', 'said "no", twice\nover'],
    [8, 'e@x.test'],
  ])
})

test('CSV with names: any order, other columns, other delimiters', () => {
  assert.deepEqual(told('Created;E-Mail;Note\n2020;a@x.test;hi\n2021;b@x.test', 'csv'), [
    [2, 'a@x.test', null, null, 'hi'],
    [3, 'b@x.test'],
  ])
  assert.deepEqual(told('reason\temail\texpires_at\nx\ta@x.test\t2030-01-01T00:00:00Z\n', 'csv'), [
    [2, 'a@x.test', '2030-01-01T00:00:00Z'],
  ])
  assert.deepEqual(told('constructor,__proto__\nemail,x\n', 'csv'), [
    [1, 'constructor', '__proto__'],
    [2, 'email', 'x'],
  ])
})

test('a faulty line of CSV is told and costs no other', () => {
  assert.deepEqual(told('a@x.test\n"b"x,\nc@x.test\n"d@x.test\ne@x.test\n', 'csv'), [
    [1, 'a@x.test'],
    [2, 'Something stands beh'],
    [3, 'c@x.test'],
    [4, 'A quote is opened he'],
    [5, 'e@x.test'],
  ])
})

test('TXT: an address on each line, remarks, quoted local parts', () => {
  assert.deepEqual(
    told('# ours\n#\n#a@x.test\n\n  b@x.test \r\n"c,d"@x.test,2030-01-01T00:00:00Z,x.test\n', 'txt'),
    [
      [3, '#a@x.test'],
      [5, 'b@x.test'],
      [6, '"c,d"@x.test', '2030-01-01T00:00:00Z', 'x.test'],
    ],
  )
  assert.deepEqual(told(`a@x.test\n"${'a'.repeat(5_000_000)}\nb@x.test`, 'txt'), [
    [1, 'a@x.test'],
    [2, 'The line is far too '],
    [3, 'b@x.test'],
  ])
})

test('JSON: addresses, objects, the request of the API, and our own export', () => {
  assert.deepEqual(
    told('["a@x.test",\n {"email": "b@x.test", "expires_at": null, "note": "n", "id": 7}]', 'json'),
    [
      [1, 'a@x.test'],
      [2, 'b@x.test', null, null, 'n'],
    ],
  )
  const scoped = '{ "items": [ {"email":"a@x.test","scope":{"type":"sending_domain","value":"x.test"}} ] }\n'
  assert.deepEqual(told(scoped, 'json'), [[1, 'a@x.test', null, 'x.test']])
  assert.deepEqual(told('[]', 'json'), [])
})

test('a faulty element of JSON costs no other, a broken array those behind it', () => {
  assert.deepEqual(
    told('["a@x.test",\n7,\n{"email":7},\n{"email":"b","note":1},{x},["c"],\n"d@x.test"]', 'json'),
    [
      [1, 'a@x.test'],
      [2, 'An element must be a'],
      [3, "'email' must be a st"],
      [4, "'note' must be a str"],
      [4, 'The element is not J'],
      [4, 'An element must be a'],
      [5, 'd@x.test'],
    ],
  )
  for (const [text, line] of [
    ['{"email":"a@x.test"}', 1],
    ['', 1],
    ['[', 1],
    ['["a@x.test"\n', 1],
    ['[\n,"a@x.test"]', 2],
    ['["a@x.test"]\n]', 2],
    ['{"items":["a@x.test"]', 1],
    ['["a@x.test","b', 1],
    ['["a@x.test",]', 1],
  ] as const) {
    const last = read(text, 'json').at(-1)
    assert.ok(last && 'detail' in last, text)
    assert.equal(last.line, line, text)
  }
})

test('whatever the text, reading it ends, throws nothing and names lines that are there', () => {
  const scraps = fc.constantFrom(
    '"',
    ',',
    ';',
    '\t',
    '\n',
    '\r',
    '\r\n',
    '[',
    ']',
    '{',
    '}',
    ':',
    '\\',
    '\0',
    "'",
  )
  const words = fc.constantFrom(
    'a@x.test',
    'email',
    'account',
    '# ',
    '=1',
    '{"items":[',
    '""',
    ' ',
    '\ufeff',
    '\ud800',
  )
  const text = fc
    .array(fc.oneof(scraps, words, fc.string()), { maxLength: 60 })
    .map((parts) => parts.join(''))
  fc.assert(
    fc.property(text, fc.constantFrom(...IMPORT_FORMATS), (content, format) => {
      const lines = content.split(/\r\n|\r|\n/).length
      const all = read(content, format)
      assert.ok(all.length <= content.length + 1)
      let before = 1
      for (const { line } of all) {
        assert.ok(line >= before && line <= lines, `line ${line} of ${lines}`)
        before = line
      }
    }),
    { numRuns: 2000 },
  )
})

// Seconds together; whatever grew with the square of a text would not end.
test('texts made to cost much cost little', () => {
  const mebibytes = (part: string) => part.repeat(Math.floor((2 * 1_048_576) / part.length))
  for (const part of [
    '"',
    '""',
    '"\n',
    '"""\n',
    ',"',
    '[',
    '[{',
    '["\\',
    '["\\\\',
    ' ',
    '{"items":',
    '\n',
    '\r',
    ',',
  ]) {
    for (const format of IMPORT_FORMATS) {
      let taken = 0
      for (const _line of readImport(mebibytes(part), format)) {
        if (++taken > MOST_ENTRIES) break
      }
    }
  }
})

const anyEntry: fc.Arbitrary<Suppression> = fc.record({
  id: fc.constant('0'.repeat(32)),
  email: fc.constantFrom(
    KEY,
    '=1+1@x.test',
    '+a@x.test',
    '-a@x.test',
    "'a@x.test",
    "'=a@x.test",
    '"a,\\"b"@x.test',
  ),
  emailKey: fc.constant(KEY),
  scope: fc.constantFrom({ type: 'account' as const }, { type: 'sending_domain' as const, value: 'x.test' }),
  reason: fc.constantFrom('manual', 'complaint'),
  note: fc
    .option(
      fc.oneof(
        fc.string(),
        fc.string({ unit: fc.constantFrom('"', ',', '\n', '\r', '=', '@', '\t', ';', "'", 'é') }),
      ),
    )
    .filter((note) => note === null || typeof readNote(note) === 'string'),
  readOnly: fc.boolean(),
  createdAt: fc.nat(),
  expiresAt: fc.option(fc.integer({ min: 0, max: 4e12 })),
})

test('what is exported as CSV is imported as it was, and is no formula', () => {
  fc.assert(
    fc.property(fc.array(anyEntry, { minLength: 1, maxLength: 5 }), (entries) => {
      const csv = `${CSV_HEADER}${entries.map(csvLine).join('')}`
      const back = read(csv, 'csv')
      assert.equal(back.length, entries.length)
      for (const [index, line] of back.entries()) {
        assert.ok('fields' in line)
        const { email, expiresAt, scope, note } = entries[index] ?? assert.fail()
        assert.deepEqual(line.fields, {
          email,
          expiresAt: expiresAt === null ? undefined : isoTime(expiresAt),
          note: note ?? '',
          scope,
        })
      }
    }),
  )
  for (const start of ['=', '+', '-', '@', '\t', '\r', '＝']) {
    assert.match(csvCell(`${start}cmd|'/c calc'!A1`), /^"?'/, JSON.stringify(start))
  }
})

test('times of RFC 3339, and what are none', () => {
  fc.assert(
    fc.property(fc.date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true }), (date) => {
      assert.equal(parseTime(date.toISOString()), date.getTime())
    }),
  )
  const at = Date.UTC(2030, 0, 31, 12)
  for (const text of [
    '2030-01-31T12:00:00Z',
    '2030-01-31t13:30:00.000000999+01:30',
    '2030-01-31T11:59:60z',
  ]) {
    assert.equal(parseTime(text), at, text)
  }
  for (const text of [
    ...['', 'soon', '2030-01-31', '2030-01-31 12:00:00Z', '2030-01-31T12:00Z', '2030-01-31T12:00:00'],
    ...['2030-02-29T12:00:00Z', '2030-13-01T12:00:00Z', '2030-00-01T00:00:00Z', '2030-01-01T24:00:00Z'],
    ...[
      '2030-01-01T00:00:61Z',
      '2030-01-01T00:00:00+25:00',
      '2030-01-01T00:00:00Z\n',
      '１030-01-01T00:00:00Z',
    ],
    ...['+002030-01-01T00:00:00Z', `2030-01-01T00:00:00.${'0'.repeat(1_000_000)}Z`],
  ]) {
    assert.equal(parseTime(text), undefined, text.slice(0, 40))
  }
})

onBothEngines(
  'a file is added a thousand to a commit, each entry once, faults with their lines',
  async (_t, open) => {
    const { a, suppressions, report, now, current } = await suppressionsWorld(open)
    await report('complaint', null, 'u7@x.test')
    const addresses = [...Array(2500).keys()].map((index) => `u${index}@x.test`)
    const text = [
      ...addresses,
      'U1@X.test',
      'nobody',
      'v@x.test,2001-01-01T00:00:00Z',
      'u1@x.test,,news.test',
    ].join('\n')
    const bring = async (expiresAt?: string) => {
      const outcome = await runImport(suppressions, a, {
        lines: readImport(text, 'txt'),
        now: now(),
        expiresAt,
      })
      assert.ok(outcome !== 'too-many')
      return outcome
    }
    const expiresAt = isoTime(now() + 1000)
    const { faults, ...counts } = await bring(expiresAt)
    assert.deepEqual(counts, {
      total: 2504,
      processed: 2500,
      deduplicated: 1,
      invalid: 2,
      skipped: 1,
      faultsLeftOut: 0,
    })
    assert.deepEqual(
      faults.map(({ line, email, status }) => [line, email, status]),
      [
        [8, 'u7@x.test', 'skipped'],
        [2502, 'nobody', 'invalid'],
        [2503, 'v@x.test', 'invalid'],
      ],
    )
    assert.equal((await current('u2499@x.test'))?.expiresAt, now() + 1000)
    assert.equal((await current('u7@x.test'))?.reason, 'complaint')
    const again = await bring()
    assert.equal(again.processed, 2500, 'a repetition changes nothing and says so')
    assert.equal((await current('u2499@x.test'))?.expiresAt, now() + 1000)
  },
)

onBothEngines('a file with too many entries adds none of them', async (_t, open) => {
  const { a, suppressions, now } = await suppressionsWorld(open)
  function* lines(): Generator<ImportLine> {
    for (let line = 1; line <= MOST_ENTRIES + 1; line++) yield { line, fields: { email: address(KEY) } }
  }
  assert.equal(await runImport(suppressions, a, { lines: lines(), now: now() }), 'too-many')
  assert.equal((await suppressions.list(a, { filter: {}, limit: 1 })).entries.length, 0)
})
