import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readRawMessage } from './compose-raw.ts'

/** The body that goes out, after the header of the message itself. */
function bodyOf(raw: string): string {
  const message = readRawMessage(Buffer.from(raw, 'latin1'))
  assert.ok(!('kind' in message), 'kind' in message ? message.detail : '')
  return message.body.toString('latin1')
}

function fieldsOf(raw: string): string {
  const message = readRawMessage(Buffer.from(raw, 'latin1'))
  assert.ok(!('kind' in message), 'kind' in message ? message.detail : '')
  return message.fields
}

function refusalOf(raw: string | Buffer): string {
  const message = readRawMessage(Buffer.isBuffer(raw) ? raw : Buffer.from(raw, 'latin1'))
  return 'kind' in message ? `${message.kind}: ${message.detail}` : 'accepted'
}

const FROM = 'From: a@example.com\r\n'
const MIXED = `${FROM}Content-Type: multipart/mixed; boundary=b\r\n`
const LONG = 'x'.repeat(2000)

/** LONG as quoted-printable. */
const LONG_QP = `${`${'x'.repeat(75)}=\r\n`.repeat(26)}${'x'.repeat(50)}`

function base64(content: string | Buffer): string {
  const encoded = Buffer.from(content as string, 'latin1').toString('base64')
  return encoded.match(/.{1,76}/g)?.join('\r\n') ?? ''
}

describe('a part that SMTP cannot carry is encoded, and nothing else changes', () => {
  const CASES: readonly (readonly [what: string, before: string, after: string])[] = [
    [
      'a long line of HTML between other parts',
      `pre\r\n--b \r\nContent-Type: text/plain\r\n\r\nplain \xe4 \r\n--b\r\nX: 1\r\ncontent-type: TEXT/html\r\n\r\n${LONG}\r\n--b\r\n\r\n=3D\r\n--b--\r\nepilogue\r\n`,
      `pre\r\n--b \r\nContent-Type: text/plain\r\n\r\nplain \xe4 \r\n--b\r\nX: 1\r\ncontent-type: TEXT/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n${LONG_QP}\r\n--b\r\n\r\n=3D\r\n--b--\r\nepilogue\r\n`,
    ],
    [
      'a part without a header',
      `--b\r\n\r\n${LONG}\r\n--b--\r\n`,
      `--b\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n${LONG_QP}\r\n--b--\r\n`,
    ],
    [
      'an encoding that was declared keeps its place and its spelling',
      `--b\r\ncontent-TRANSFER-encoding: 8BIT\r\nContent-Type: application/json\r\n\r\n${LONG}\r\n--b--\r\n`,
      `--b\r\ncontent-TRANSFER-encoding: base64\r\nContent-Type: application/json\r\n\r\n${base64(LONG)}\r\n--b--\r\n`,
    ],
    [
      'a text that is hardly ASCII goes as base64',
      `--b\r\nContent-Type: text/plain; charset=koi8-r\r\n\r\n${'\xc1\xc2'.repeat(600)}\r\n--b--\r\n`,
      `--b\r\nContent-Type: text/plain; charset=koi8-r\r\nContent-Transfer-Encoding: base64\r\n\r\n${base64('\xc1\xc2'.repeat(600))}\r\n--b--\r\n`,
    ],
    [
      'NUL in a text',
      '--b\r\nContent-Type: text/x-log\r\n\r\na log\0line\r\n--b--\r\n',
      '--b\r\nContent-Type: text/x-log\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\na log=00line\r\n--b--\r\n',
    ],
    [
      'binary octets keep their line ends, which are none',
      '--b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: binary\r\n\r\n\x89PNG\r\n\x1a\n\r\xff\r\r\n--b--\r\n',
      `--b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n${base64('\x89PNG\r\n\x1a\n\r\xff\r')}\r\n--b--\r\n`,
    ],
    [
      'NUL says binary where the part does not',
      '--b\r\nContent-Type: image/png\r\n\r\n\n\0\r\r\n--b--\r\n',
      `--b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n${base64('\n\0\r')}\r\n--b--\r\n`,
    ],
    [
      'a text that calls itself binary',
      '--b\r\nContent-Transfer-Encoding:\r\n BINARY\r\n\r\none\r\ntwo\r\n--b--\r\n',
      '--b\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\none\r\ntwo\r\n--b--\r\n',
    ],
    [
      'UTF-16, whose octets are no line ends',
      '--b\r\nContent-Type: text/plain; charset="UTF-16LE"\r\nContent-Transfer-Encoding: binary\r\n\r\na\0\n\0\r\n--b--\r\n',
      `--b\r\nContent-Type: text/plain; charset="UTF-16LE"\r\nContent-Transfer-Encoding: base64\r\n\r\n${base64('a\0\n\0')}\r\n--b--\r\n`,
    ],
    [
      'a nested multipart that says binary says 8bit; the outer delimiter ends it',
      `--b\r\nContent-Type: multipart/related; type="a; boundary=x"; boundary="c:d" (inner)\r\nContent-Transfer-Encoding: binary\r\n\r\n--c:d\r\n\r\n${LONG}\r\n--b--\r\n`,
      `--b\r\nContent-Type: multipart/related; type="a; boundary=x"; boundary="c:d" (inner)\r\nContent-Transfer-Encoding: 8bit\r\n\r\n--c:d\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n${LONG_QP}\r\n--b--\r\n`,
    ],
    [
      'the parts of a message within',
      `--b\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: binary\r\n\r\nDate: x\r\nSubject: in\r\n\r\n${LONG}\r\n--b--\r\n`,
      `--b\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n\r\nDate: x\r\nSubject: in\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n${LONG_QP}\r\n--b--\r\n`,
    ],
    [
      'the messages of a digest (RFC 2046 §5.1.5), whose own parts are text',
      `--b\r\nContent-Type: multipart/digest; boundary=d\r\n\r\n--d\r\n\r\nSubject: in\r\n\r\n${LONG}\r\n--d--\r\n--b--\r\n`,
      `--b\r\nContent-Type: multipart/digest; boundary=d\r\n\r\n--d\r\n\r\nSubject: in\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n${LONG_QP}\r\n--d--\r\n--b--\r\n`,
    ],
    [
      'a delivery status may not be encoded, so it says 8bit (RFC 3464 §2.1)',
      '--b\r\nContent-Type: message/delivery-status\r\nContent-Transfer-Encoding: binary\r\n\r\nReporting-MTA: dns; x\r\n--b--\r\n',
      '--b\r\nContent-Type: message/delivery-status\r\nContent-Transfer-Encoding: 8bit\r\n\r\nReporting-MTA: dns; x\r\n--b--\r\n',
    ],
    [
      'base64 in one line is wrapped, the lines beside it stay',
      `--b\r\nContent-Transfer-Encoding: base64\r\n\r\nQUJD\r\n${'QUJD'.repeat(300)}\r\nQQ==\r\n--b--\r\n`,
      `--b\r\nContent-Transfer-Encoding: base64\r\n\r\nQUJD\r\n${'QUJD'
        .repeat(300)
        .match(/.{1,76}/g)
        ?.join('\r\n')}\r\nQQ==\r\n--b--\r\n`,
    ],
    [
      'quoted-printable in one line gets soft line breaks',
      `--b\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=C3=A4 \r\n${'=C3=A4'.repeat(200)} \t\r\n--b--\r\n`,
      `--b\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=C3=A4 \r\n${`${'=C3=A4'.repeat(12)}=\r\n`.repeat(16)}${'=C3=A4'.repeat(8)}\r\n--b--\r\n`,
    ],
    [
      'a long line of the header of a part is folded',
      `--b\r\nX-A: ${'word '.repeat(300)}\r\nX-B:  stays\r\n\r\ntext\r\n--b--\r\n`,
      `--b\r\nX-A:${' word'.repeat(14)}\r\n${`${' word'.repeat(15)}\r\n`.repeat(19)} word\r\nX-B:  stays\r\n\r\ntext\r\n--b--\r\n`,
    ],
    [
      'a multipart that is not closed ends with the message',
      `--b\r\nContent-Type: application/x\r\n\r\n${LONG}`,
      `--b\r\nContent-Type: application/x\r\nContent-Transfer-Encoding: base64\r\n\r\n${base64(LONG)}`,
    ],
    [
      'no escape makes a delimiter of a line that was none',
      `--b\r\nContent-Type: multipart/mixed; boundary="a=3Db"\r\n\r\n--a=3Db\r\n\r\n--a=b\r\n${LONG}\r\n--a=3Db--\r\n--b--\r\n`,
      `--b\r\nContent-Type: multipart/mixed; boundary="a=3Db"\r\n\r\n--a=3Db\r\nContent-Transfer-Encoding: base64\r\n\r\n${base64(`--a=b\r\n${LONG}`)}\r\n--a=3Db--\r\n--b--\r\n`,
    ],
    [
      'nor does a soft line break',
      `--b\r\n\r\n${'x'.repeat(75)}--b${LONG}\r\n--b--\r\n`,
      `--b\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n${'x'.repeat(75)}=\r\n--b${'x'.repeat(72)}=\r\n${`${'x'.repeat(75)}=\r\n`.repeat(25)}${'x'.repeat(53)}\r\n--b--\r\n`,
    ],
    [
      'in quoted-printable neither',
      `--b\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n${'x'.repeat(72)}--b\t${'y'.repeat(1000)}\r\n--b--\r\n`,
      `--b\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n${'x'.repeat(72)}=\r\n=2D-b\t${'y'.repeat(68)}=\r\n${`${'y'.repeat(72)}=\r\n`.repeat(12)}${'y'.repeat(68)}\r\n--b--\r\n`,
    ],
    [
      'what is beside a signed part',
      `--b\r\nContent-Type: multipart/signed; boundary=s\r\n\r\n--s\r\n\r\nsigned\r\n--s\r\n\r\nsignature\r\n--s--\r\n--b\r\n\r\n${LONG}\r\n--b--\r\n`,
      `--b\r\nContent-Type: multipart/signed; boundary=s\r\n\r\n--s\r\n\r\nsigned\r\n--s\r\n\r\nsignature\r\n--s--\r\n--b\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n${LONG_QP}\r\n--b--\r\n`,
    ],
  ]
  for (const [what, before, after] of CASES) {
    test(what, () => {
      assert.equal(bodyOf(`${MIXED}\r\n${before}`), after)
      assert.equal(bodyOf(`${MIXED}\r\n${after}`), after)
    })
  }

  test('with LF line ends too, and binary octets among them', () => {
    const raw =
      'From: a@example.com\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\ntext in LF\0\n--b\nContent-Type: image/png\n\n\n\r\n\0\r\r\0\n\n--b\nContent-Type: image/gif\nContent-Transfer-Encoding: binary\n\n\n\n--b--\n'
    assert.equal(
      bodyOf(raw),
      `--b\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\ntext in LF=00\r\n--b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n${base64('\n\r\n\0\r\r\0\n')}\r\n--b\r\nContent-Type: image/gif\r\nContent-Transfer-Encoding: base64\r\n\r\n${base64('\n')}\r\n--b--\r\n`,
    )
  })

  test('the header of the message itself says how its body is encoded', () => {
    const cases: readonly (readonly [fields: string, body: string, encoding: string])[] = [
      ['Content-Type: image/png\r\n', '\0', 'base64'],
      ['Content-Type: text/plain\r\ncontent-transfer-encoding: Binary\r\n', 'x', 'quoted-printable'],
      [
        'Content-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: binary\r\n',
        '--b\r\n\r\nx\r\n--b--\r\n',
        '8bit',
      ],
      [
        'Content-Type: message/rfc822\r\nContent-Transfer-Encoding: binary\r\n',
        'Subject: x\r\n\r\nx\r\n',
        '8bit',
      ],
      ['Content-Type: multipart/mixed\r\nContent-Transfer-Encoding: binary\r\n', 'x\r\n', '8bit'],
    ]
    for (const [fields, body, encoding] of cases) {
      assert.match(
        fieldsOf(`${FROM}${fields}\r\n${body}`),
        new RegExp(`content-transfer-encoding: ${encoding}\r\n`, 'i'),
      )
    }
  })
})

describe('what cannot be encoded is refused, naming the line', () => {
  const NO_PART = /It is in nothing that could be encoded here; break the line, or encode its part/
  const SIGNED = /It belongs to a signed part, which stays as it is; encode it .* before signing/
  const ENCODE = /Encode its part as quoted-printable or base64\.$/
  const CASES: readonly (readonly [what: string, body: string, line: RegExp, advice: RegExp])[] = [
    ['a preamble', `\n${LONG}\n--b--\n`, /Line 5 .* 2000 octets/, NO_PART],
    ['an epilogue', `--b--\n\0\n${LONG}`, /Line 5 .* NUL/, NO_PART],
    ['a delimiter', `--b${' '.repeat(1000)}\n\nx\n--b--\n`, /Line 4 .* 1003 octets/, NO_PART],
    ['no delimiter at all', `x\n${LONG}`, /Line 5 /, NO_PART],
    ['a word of a header', `--b\nX: 1\nX-A: ${LONG}\n\nx\n--b--`, /Line 6 .* 2005 octets/, NO_PART],
    ['a header that is not ASCII', `--b\nX: ${'\xe4 '.repeat(900)}\n\nx\n--b--`, /Line 5 /, NO_PART],
    ['NUL in a header', '--b\nX: \0\n\nx\n--b--', /Line 5 .* NUL/, NO_PART],
    ['a header that is none', `--b\nhello there\n\n${LONG}\n--b--`, /Line 7 /, NO_PART],
    [
      'a part of two types',
      `--b\nContent-Type: text/plain\nContent-Type: text/html\n\n${LONG}\n--b--`,
      /Line 8 /,
      NO_PART,
    ],
    [
      'a message within without a header',
      `--b\nContent-Type: message/rfc822\n\nx\n\n${LONG}\n--b--`,
      /Line 9 /,
      NO_PART,
    ],
    ['a delivery status', `--b\nContent-Type: message/delivery-status\n\n${LONG}\n--b--`, /Line 7 /, ENCODE],
    [
      'a signed part with the boundary of what is around it',
      `--b\nContent-Type: multipart/signed; boundary=b\n\n--b\n\n${LONG}\n--b--\n--b--`,
      /Line 9 /,
      SIGNED,
    ],
    ['uuencode', `--b\nContent-Transfer-Encoding: x-uuencode\n\n${LONG}\n--b--`, /Line 7 /, ENCODE],
    ['NUL in base64', '--b\nContent-Transfer-Encoding: base64\n\nQQ\0==\n--b--', /Line 7 .* NUL/, ENCODE],
    [
      'NUL in quoted-printable',
      '--b\nContent-Transfer-Encoding: quoted-printable\n\na\n\0\n--b--',
      /Line 8 .* NUL/,
      ENCODE,
    ],
  ]
  for (const [what, body, line, advice] of CASES) {
    test(what, () => {
      const refusal = refusalOf(`From: a@example.com\nContent-Type: multipart/mixed; boundary=b\n\n${body}`)
      assert.match(refusal, /^content-invalid: /)
      assert.match(refusal, line)
      assert.match(refusal, advice)
    })
  }

  test('anything of a signed part', () => {
    const signed = 'Content-Type: multipart/signed; boundary=s'
    for (const [body, line] of [
      [`--s\n\n${LONG}\n--s--\n`, /Line \d+ .* 2000 octets/],
      ['--s\n\na\0\n--s--\n', /Line \d+ .* NUL/],
      ['--s\nContent-Transfer-Encoding: binary\n\na\n--s--\n', /The part at line \d+ .* declared binary/],
      [`--s\nX-A: ${'a '.repeat(600)}\n\na\n--s--\n`, /Line \d+ .* octets/],
      [`--s\nContent-Type: multipart/mixed; boundary=t\n\n--t\n\n${LONG}\n--t--\n--s--\n`, /Line \d+ /],
      [
        `--s\nContent-Type: message/rfc822\n\nSubject: x\nContent-Type: text/html\n\n${LONG}\n--s--\n`,
        /Line \d+ /,
      ],
    ] as const) {
      for (const raw of [
        `From: a@example.com\n${signed}\n\n${body}`,
        `From: a@example.com\nContent-Type: multipart/mixed; boundary=b\n\n--b\n${signed}\n\n${body}--b--\n`,
      ]) {
        const refusal = refusalOf(raw)
        assert.match(refusal, line)
        assert.match(refusal, SIGNED)
      }
    }
  })
})

describe('what fits is carried, however damaged', () => {
  const BODIES = [
    'no delimiter\r\n',
    '--b\r\n--b\r\n--b--\r\n--b\r\n\r\nx\r\n--b--\r\n',
    '--b\r\nno header\r\n--b--\r\n',
    '--b\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: binary\r\nContent-Transfer-Encoding: binary\r\n\r\nx\r\n',
    '--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n--b--\r\n',
    '--b\r\nContent-Type: multipart/mixed\r\n\r\n--c\r\n\r\nx\r\n--b--\r\n',
    '--b\r\n\r\nContent-Transfer-Encoding: binary\r\n--b--\r\n',
    '--b',
    '--b--',
    '',
  ]
  test('to the octet', () => {
    for (const body of BODIES) assert.equal(bodyOf(`${MIXED}\r\n${body}`), body)
  })

  test('beyond the limits too, and it costs no more', () => {
    const deep = (depth: number, leaf: string) =>
      Array.from(
        { length: depth },
        (_, i) => `--b${i}\r\nContent-Type: multipart/mixed; boundary=b${i + 1}\r\n\r\n`,
      ).join('') + `--b${depth}\r\n${leaf}\r\n`
    const nested = (depth: number, leaf: string) =>
      `${FROM}Content-Type: multipart/mixed; boundary=b0\r\n\r\n${deep(depth, leaf)}`
    const leaf = 'Content-Transfer-Encoding: binary\r\n\r\nx'
    assert.match(bodyOf(nested(90, leaf)), /quoted-printable\r\n\r\nx\r\n$/)
    assert.match(bodyOf(nested(5000, leaf)), /binary\r\n\r\nx\r\n$/)
    assert.match(refusalOf(nested(5000, `\r\n${LONG}`)), /Line \d+ /)
    const messages = 'Content-Type: message/rfc822\r\n\r\n'.repeat(20_000)
    assert.match(bodyOf(`${FROM}${messages}Content-Transfer-Encoding: binary\r\n\r\nx`), /binary\r\n\r\nx$/)

    const parts = '--b\r\n\r\n\r\n'.repeat(400_000)
    assert.equal(bodyOf(`${MIXED}\r\n${parts}${leaf}\r\n--b--\r\n`), `${parts}${leaf}\r\n--b--\r\n`)
    assert.match(refusalOf(`${MIXED}\r\n${parts}--b\r\n\r\n${LONG}\r\n--b--\r\n`), /Line 1200006 /)
    // Ten thousand and one: the last one is beyond.
    const some = '--b\r\n\r\n\r\n'.repeat(9_999)
    const last = bodyOf(`${MIXED}\r\n${some}--b\r\n\r\nlast\0\r\n--b--\r\n`)
    assert.ok(last.endsWith(`\r\n\r\n${base64('last\0')}\r\n--b--\r\n`))
    assert.match(refusalOf(`${MIXED}\r\n${some}--b\r\n\r\n--b\r\n\r\n\0\r\n--b--\r\n`), /NUL/)

    const dashes = `${MIXED}\r\n--b\r\n\r\n${'\r\n--'.repeat(1_000_000)}${LONG}`
    assert.match(bodyOf(dashes), /quoted-printable/)
  })

  test('behind twenty thousand lines that could be delimiters and are none, the rest is in no part', () => {
    const near = (line: string, times: number, between = '') =>
      `${MIXED}\r\n--b\r\n\r\n${`${line}\r\n`.repeat(times)}${between}\0\r\n--b--\r\n`
    assert.match(bodyOf(near('--c', 20_000)), /--c\r\n=00\r\n--b--\r\n$/)
    assert.match(refusalOf(near('--c', 20_001)), /Line 20007 .* NUL\. It is in nothing that could/)
    // Counted over the whole message, the headers of its parts included.
    const another = `--b\r\n\r\n${'--c\r\n'.repeat(5001)}`
    assert.match(refusalOf(near('--c', 15_000, another)), /NUL\. It is in nothing that could/)
    // What is too short or too long for one does not count.
    for (const line of ['--', '--    ', '--abcd', '--abcd  ', '-- a comment']) {
      assert.match(bodyOf(near(line, 30_000)), /=00\r\n--b--\r\n$/, line)
    }
    // Without anything to encode it is carried as it is.
    const fits = `--b\r\n\r\n${'--c\r\n'.repeat(30_000)}`
    assert.equal(bodyOf(`${MIXED}\r\n${fits}`), fits)
  })
})
