import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import PostalMime from 'postal-mime'
import { type HeaderBlock, parseHeaderBlock } from '#protocol/header-block.ts'
import { LINE_SEPARATING, namesAsPythonReads } from '#test/python-lines.ts'
import { PLATFORM } from '#test/varied-drafts.ts'
import { composeRaw, type RawMessage, readRawMessage } from './compose-raw.ts'

function read(raw: string | Buffer): RawMessage {
  const message = readRawMessage(Buffer.from(raw))
  assert.ok(!('kind' in message), 'kind' in message ? message.detail : '')
  return message
}

function composed(raw: string | Buffer): string {
  return composeRaw(read(raw), PLATFORM).toString('latin1')
}

function blockOf(content: string): HeaderBlock {
  const block = parseHeaderBlock(Buffer.from(content, 'latin1'), { fields: 2000, bytes: 1 << 20 })
  assert.ok(!('fault' in block), 'fault' in block ? block.detail : '')
  return block
}

function namesOf(content: string): string[] {
  return blockOf(content).fields.map(({ name }) => name)
}

function refusalOf(raw: string | Buffer): string {
  const message = readRawMessage(Buffer.from(raw))
  return 'kind' in message ? `${message.kind}: ${message.detail}` : 'accepted'
}

const OURS = ['Date', 'Message-ID', 'Feedback-ID', 'CFBL-Address', 'CFBL-Feedback-ID', 'MIME-Version']

describe('raw message', () => {
  test('platform-controlled headers are ours, the rest stands as it was written', () => {
    const content = composed(
      [
        'Return-Path: <x@example.com>',
        'Received: from somewhere; Fri, 1 Jan 2021 00:00:00 +0000',
        'DKIM-Signature: v=1; a=rsa-sha256; d=evil.example; b=x',
        'ARC-Seal: i=1; cv=none',
        'Date: Fri, 1 Jan 2021 00:00:00 +0000',
        'Message-ID: <theirs@example.com>',
        'MIME-Version: 1.0 (theirs)',
        'TLS-Required: No',
        'Feedback-ID: theirs',
        'CFBL-Address: theirs@example.com',
        'From: Jane <jane@example.com>',
        'To: "Joe, Jr."   <joe@example.net>,',
        '\tann@example.net',
        'Cc: cy@example.net',
        'Reply-To: re@example.com',
        'Subject: Hello  there',
        'Content-Type: text/plain; charset=utf-8',
        'Content-Transfer-Encoding: 8bit',
        'x-campaign: 1',
        'IN-REPLY-TO: <a@b>',
        '',
        'Grüße\r\n',
      ].join('\r\n'),
    )
    const kept = [
      'From',
      'To',
      'Cc',
      'Reply-To',
      'Subject',
      'Content-Type',
      'Content-Transfer-Encoding',
      'x-campaign',
    ]
    assert.deepEqual(namesOf(content), ['Received', ...kept, 'In-Reply-To', 'TLS-Required', ...OURS])
    assert.ok(content.includes('\r\nTo: "Joe, Jr."   <joe@example.net>,\r\n\tann@example.net\r\n'))
    assert.ok(content.includes('\r\nDate: Fri, 20 Nov 2026 21:36:00 +0000\r\n'))
    assert.ok(content.includes(`\r\nMessage-ID: ${PLATFORM.messageId}\r\n`))
    assert.doesNotMatch(content, /theirs|evil|somewhere/)
    assert.equal(Buffer.from(content, 'latin1').subarray(blockOf(content).bodyStart).toString(), 'Grüße\r\n')
  })

  test('Bcc, Sender, Resent-* and what is not on the allowlist are taken out and named', () => {
    const message = read(
      [
        'From: jane@example.com',
        'To: joe@example.net',
        'Bcc: secret@example.net',
        'bcc: secret2@example.net',
        'Sender: boss@example.com',
        'Resent-To: other@example.net',
        'User-Agent: Mail 1.0',
        'Authentication-Results: posthorn.test; dkim=pass',
        'X-Bad.Name: 1',
        'X-Empty:',
        'Cc: ',
        '',
        'x',
      ].join('\r\n'),
    )
    assert.deepEqual(message.removed, [
      'Bcc',
      'Sender',
      'Resent-To',
      'User-Agent',
      'Authentication-Results',
      'X-Bad.Name',
      'X-Empty',
      'Cc',
    ])
    const content = composeRaw(message, PLATFORM).toString('latin1')
    assert.deepEqual(namesOf(content), ['Received', 'From', 'To', ...OURS])
    assert.doesNotMatch(content, /secret|boss|other@/)
  })

  test('RFC 8689: TLS-Required: No is heard and goes on; anything else there is not', () => {
    const tlsOf = (field: string) => read(`From: a@example.com\r\n${field}\r\n\r\nx`).tlsOptional
    assert.deepEqual(['TLS-Required: No', 'tls-required:no', 'TLS-Required: Yes', 'X-A: No'].map(tlsOf), [
      true,
      true,
      false,
      false,
    ])
  })

  test('the author and the decoded subject are told', () => {
    const message = read(
      'From: =?utf-8?Q?J=C3=A4ne?= <Jane@EXAMPLE.com>\nSubject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\n\nx',
    )
    assert.equal(message.from, 'Jane@example.com')
    assert.equal(message.subject, 'Grüße')
  })

  test('line ends become CRLF, the last line gets one, nothing else of the body changes', () => {
    const content = composed('From: jane@example.com\nTo: joe@example.net\n\na\nb\rc\r\n.\n  \x01\t')
    assert.equal(content.slice(blockOf(content).bodyStart), 'a\r\nb\r\nc\r\n.\r\n  \x01\t\r\n')
  })

  test('without To and Cc it says so (RFC 5322 §3.6.3)', () => {
    assert.match(
      composed('From: jane@example.com\nBcc: x@example.net\n\nx'),
      /\r\nTo: undisclosed-recipients:;\r\n/,
    )
    assert.doesNotMatch(composed('From: jane@example.com\nCc: x@example.net\n\nx'), /undisclosed/)
  })

  test('a message without a body or a blank line is a message', () => {
    for (const raw of [
      'From: jane@example.com',
      'From: jane@example.com\r\n',
      'From: jane@example.com\r\n\r\n',
    ]) {
      assert.ok(composed(raw).endsWith('\r\n\r\n'))
    }
  })

  test('header text that is not ASCII is encoded, because a peer without SMTPUTF8 takes nothing else', async () => {
    const content = composed(
      'From: Jäne <jane@example.com>\nTo: Jöe <joe@bücher.example>\nSubject: Grüße\nX-Note: très bien\nComments: ü\n\nx',
    )
    assert.match(content, /^[\t\r\n -~]*$/)
    const { from, to, subject } = await PostalMime.parse(content)
    assert.deepEqual([from?.name, to?.[0]?.name, subject], ['Jäne', 'Jöe', 'Grüße'])
    assert.match(content, /<joe@xn--bcher-kva\.example>/)
  })

  test('lines over 998 and blank folded lines are folded anew', () => {
    const references = Array.from({ length: 30 }, (_, i) => `<${i}.${'a'.repeat(40)}@b>`).join(' ')
    const content = composed(`From: a@example.com\nReferences: ${references}\nSubject: a\n \n b\n\nx`)
    const { fields } = blockOf(content)
    const value = fields.find(({ name }) => name === 'References')?.value ?? ''
    assert.equal(value.replaceAll('\r\n', '').trim(), references)
    assert.ok(value.split('\r\n').every((line) => line.length <= 78))
    assert.ok(content.includes('Subject: a  b\r\n'))
  })
})

describe('raw message that cannot be used', () => {
  const BASE = 'From: jane@example.com\r\nTo: joe@example.net\r\n'
  const REFUSED: readonly (readonly [what: string, raw: string | Buffer, refusal: RegExp])[] = [
    ['nothing', '', /^content-invalid: The message has no From/],
    ['no From', 'To: joe@example.net\r\n\r\nx', /^content-invalid: The message has no From/],
    ['two From headers', `${BASE}From: joe@example.net\r\n\r\nx`, /^content-invalid: .*more than one From/],
    [
      'From with two mailboxes',
      'From: a@example.com, b@example.com\r\n\r\nx',
      /^content-invalid: .*exactly one address/,
    ],
    ['From with a group', 'From: us: a@example.com;\r\n\r\nx', /^content-invalid: .*group/],
    [
      'From with a second angle bracket',
      'From: <a@example.com> <b@example.com>\r\n\r\nx',
      /^content-invalid: /,
    ],
    ['From without an address', 'From: Jane\r\n\r\nx', /^content-invalid: .*'@'/],
    [
      'From in Latin-1',
      Buffer.from('From: J\xe4ne <a@example.com>\r\n\r\nx', 'latin1'),
      /^content-invalid: .*UTF-8/,
    ],
    ['a space before the colon', 'From : a@example.com\r\n\r\nx', /^content-invalid: .*before its colon/],
    ['no blank line', `${BASE}Hello there\r\n`, /^content-invalid: .*no colon/],
    ['NUL in the header', `${BASE}X-A: \0\r\n\r\nx`, /^content-invalid: .*NUL/],
    [
      'NUL in what is encoded already',
      `${BASE}Content-Transfer-Encoding: base64\r\n\r\na\0b`,
      /^content-invalid: Line 5 of the message contains NUL\. Encode/,
    ],
    ['two subjects', `${BASE}Subject: a\r\nsubject: b\r\n\r\nx`, /^content-invalid: .*more than once/],
    [
      'two content types',
      `${BASE}Content-Type: text/plain\r\nContent-type: text/html\r\n\r\nx`,
      /^content-invalid: /,
    ],
    [
      'a content type that is not ASCII',
      `${BASE}Content-Type: text/plain; name="ü"\r\n\r\nx`,
      /^content-invalid: .*2231/,
    ],
    [
      'a subject of 999 characters',
      `${BASE}Subject: ${'a '.repeat(499)}ab\r\n\r\nx`,
      /^content-invalid: .*998/,
    ],
    [
      'a malformed List-Unsubscribe',
      `${BASE}List-Unsubscribe: http://x\r\n\r\nx`,
      /^header-value-invalid: Header 'List-Unsubscribe' must/,
    ],
    [
      'an empty Keywords',
      `${BASE}Keywords:\r\n\r\nx`,
      /^header-value-invalid: Header 'Keywords' must not be empty/,
    ],
    [
      'One-Click without HTTPS',
      `${BASE}List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n\r\nx`,
      /^header-value-invalid: .*HTTPS/,
    ],
    [
      'a header twice',
      `${BASE}Precedence: bulk\r\nPrecedence: bulk\r\n\r\nx`,
      /^header-name-invalid: .*more than once/,
    ],
    [
      'a value over 2,048 bytes',
      `${BASE}X-A: ${'a'.repeat(2049)}\r\n\r\nx`,
      /^header-value-too-long: .*'X-A' value exceeds 2048/,
    ],
    [
      'a value over 2,048 bytes with the white space around it',
      `${BASE}X-A:  ${'a'.repeat(900)} ${'a'.repeat(900)}${' '.repeat(247)}\r\n\r\nx`,
      /^header-value-too-long: .*'X-A' value exceeds 2048/,
    ],
    [
      'a Content- name that no line can carry',
      `${BASE}Content-${'a'.repeat(1000)}: x\r\n\r\nx`,
      /^header-name-invalid: .*100 byte/,
    ],
    [
      'a line that is no header, told as it was written',
      `${BASE}Grüße aus dem schönen, großen, alten Köln am Rhein\r\n\r\nx`,
      /^content-invalid: The line 'Grüße aus dem schönen, großen, alten Köl…' is no/,
    ],
    ['a name over 100 bytes', `${BASE}X-${'a'.repeat(99)}: 1\r\n\r\nx`, /^header-name-invalid: .*100 byte/],
    [
      'more than 20 allowlisted',
      `${BASE}${'Comments: x\r\n'.repeat(21)}\r\nx`,
      /^headers-too-many: 21 allowlisted/,
    ],
    [
      'custom headers over 16 KB',
      `${BASE}${`X-A: ${'a'.repeat(2000)}\r\n`.repeat(9)}\r\nx`,
      /^headers-too-large: Total.*exceeds 16KB/,
    ],
    ['a thousand headers too many', `${BASE}${'X: 1\r\n'.repeat(2000)}\r\nx`, /^headers-too-large: /],
    ['a megabyte of header', `${BASE}X: ${' a'.repeat(500_000)}\r\n\r\nx`, /^headers-too-large: /],
  ]
  for (const [what, raw, refusal] of REFUSED) test(what, () => assert.match(refusalOf(raw), refusal))
})

describe('what Python and others take for a line end', () => {
  const FIELDS: readonly (readonly [name: string, value: string])[] = [
    ['From', 'Jane <jane@example.com>'],
    ['To', 'b@example.com'],
    ['Cc', 'Cy <c@example.com>'],
    ['Reply-To', 'Ré <r@example.com>'],
    ['Subject', 'Hello'],
    ['Subject', 'Grüße'],
    ['Content-Type', 'text/plain'],
    ['Content-Description', 'x'],
    ['X-A', 'x'],
    ['Comments', 'ü'],
    ['List-Id', 'Our News <a.b>'],
    ['In-Reply-To', '<a@b>'],
  ]
  for (const character of LINE_SEPARATING) {
    test(`${JSON.stringify(character)} in a value that stays is refused, naming the header`, () => {
      for (const [name, value] of FIELDS) {
        const author = name === 'From' ? '' : 'From: jane@example.com\r\n'
        for (const hostile of [`${value}${character}From: ceo@bank.example`, `${character}${value}`]) {
          const refusal = refusalOf(`${author}${name}: ${hostile}\r\n\r\nx`)
          const isLineEnd = character === '\r' || character === '\n'
          if (isLineEnd) assert.match(refusal, /^(content-invalid|header-)|^accepted$/)
          else if (character === '\0') assert.match(refusal, /^content-invalid: .*NUL/)
          else {
            assert.match(refusal, new RegExp(`^(content-invalid|header-value-invalid): .*\\b${name}\\b`))
          }
        }
      }
    })
  }

  test('U+0085 as an octet of another character is none', () => {
    const content = composed(
      'From: Å <a@example.com>\nTo: Å <b@example.com>\nSubject: Å\nX-A: Å\nList-Id: Å <a.b>\n\nx',
    )
    assert.deepEqual(namesAsPythonReads(content), namesOf(content))
    assert.match(content, /\r\nList-Id: =\?UTF-8\?B\?w4U=\?= <a\.b>\r\n/)
  })
})

describe('lines of the body over 998 octets (RFC 5321 §4.5.3.1.6)', () => {
  const HTML = `<p>${'ä'.repeat(20)}${'x'.repeat(5000)}</p>`

  test('a text of one part is encoded, and reads as before', async () => {
    for (const [fields, text] of [
      ['Content-Type: text/html; charset=utf-8\n', HTML],
      ['Content-Type: text/html; charset=utf-8\ncontent-transfer-encoding: 8bit\nMIME-Version: 1.0\n', HTML],
      ['Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: 7BIT\n', `a\n${HTML}\nb = c \n`],
      ['Content-Type: text/html; charset=utf-8\n', '新聞'.repeat(1000)],
    ] as const) {
      const content = composed(`From: a@example.com\n${fields}\n${text}`)
      assert.ok(content.split('\r\n').every((line) => line.length <= 78))
      const encodings = blockOf(content).fields.filter(({ name }) => /^content-transfer/i.test(name))
      assert.equal(encodings.length, 1)
      assert.match(encodings[0]?.value ?? '', /^ (quoted-printable|base64)$/)
      const { html } = await PostalMime.parse(content)
      assert.equal((html ?? '').replaceAll('\r\n', '\n').trimEnd(), text.trimEnd())
    }
  })

  test('without a Content-Type it is text', () => {
    assert.match(
      composed(`From: a@example.com\n\n${'x'.repeat(999)}`),
      /\r\nContent-Transfer-Encoding: quoted-printable\r\n/,
    )
  })

  test('998 octets stay as they are', () => {
    const body = `${'x'.repeat(998)}\r\n`
    for (const end of ['', 'x\r\n', '\r\n\r\n']) {
      const content = composed(`From: a@example.com\r\n\r\n${body}${end}`)
      assert.ok(content.slice(blockOf(content).bodyStart).startsWith(body))
      assert.doesNotMatch(content, /Content-/)
    }
  })

  test('what cannot be encoded is refused, naming the line and what would be right', () => {
    const NO_PART =
      'It is in nothing that could be encoded here; break the line, or encode its part as quoted-printable or base64.'
    for (const [fields, advice] of [
      ['Content-Type: multipart/mixed; boundary=b', NO_PART],
      ['Content-Type: multipart/mixed', NO_PART],
      ['Content-Type: message/rfc822', NO_PART],
      ['Content-Type: message/partial', 'Encode its part as quoted-printable or base64.'],
      ['Content-Transfer-Encoding: x-uuencode', 'Encode its part as quoted-printable or base64.'],
    ] as const) {
      const header = `From: a@example.com\n${fields}\n\n`
      assert.equal(
        refusalOf(`${header}one\n${'x'.repeat(5000)}\n`),
        `content-invalid: Line ${header.split('\n').length + 1} of the message has 5000 octets; 998 is the most. ${advice}`,
      )
    }
  })

  test('two encodings are refused, long line or not', () => {
    const twice = 'From: a@example.com\nContent-Transfer-Encoding: 8bit\nContent-Transfer-Encoding: 7bit\n\n'
    for (const body of ['x', 'x'.repeat(999)]) {
      assert.match(refusalOf(`${twice}${body}`), /^content-invalid: .*more than once/)
    }
  })
})

describe('line breaks escaped once too often', () => {
  const ESCAPED =
    /^content-invalid: The message contains the characters \\r\\n instead of line breaks; in JSON a line break is written \\r\\n within the string, with single backslashes\.$/

  test('the specification’s own example, in single quotes, is told what is wrong', () => {
    const example =
      'From: sender@example.com\\r\\nTo: recipient@example.com\\r\\nSubject: Hello\\r\\nContent-Type: text/plain\\r\\n\\r\\nHello, World!'
    for (const end of ['', '\n', '\n\nmore']) assert.match(refusalOf(`${example}${end}`), ESCAPED)
    assert.match(refusalOf('MIME-Version: 1.0\\r\\nFrom: a@example.com\\r\\n\\r\\nx'), ESCAPED)
    assert.match(refusalOf('From: a@example.com\\n\\nx'), /the characters \\n instead/)
    assert.match(refusalOf(`From: a@example.com\\r\\n\\r\\n${'x'.repeat(300_000)}`), ESCAPED)
  })

  test('a backslash and n in a message of lines are what they are', () => {
    assert.equal(refusalOf('From: a@example.com\nSubject: a\\r\\nTo: b\n\nx'), 'accepted')
    assert.match(refusalOf('Subject: C:\\new\n\nx'), /no From/)
    assert.match(refusalOf('To: x\nSubject: a\\r\\nTo: b\n\nx'), /no From/)
  })
})

test('any octets are refused or become one author, our headers once each, ASCII, no line over 998', () => {
  const piece = fc.constantFrom(
    'From: ',
    'a@example.com',
    'To: ',
    'Bcc: ',
    'Subject: ',
    'X-A: ',
    'Date: ',
    'Message-ID: ',
    'Received: ',
    'Comments: ',
    '\r\n',
    '\n',
    '\r',
    ' ',
    '\t',
    ':',
    ',',
    '<',
    '>',
    '"',
    '(',
    '\xe9',
    '=?utf-8?Q?=0D=0ABcc:_x?=',
    '\0',
    '\v',
    '\x1c',
    '\x85',
    '\xc2\x85',
    '\xe2\x80\xa8',
    'Content-Type: ',
    'x',
  )
  const octets = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(''))
  const raw = fc
    .tuple(fc.boolean(), octets)
    .map(([author, rest]) => `${author ? 'From: a@example.com\r\n' : ''}${rest}`)
  fc.assert(
    fc.property(raw, (raw) => {
      const message = readRawMessage(Buffer.from(raw, 'latin1'))
      if ('kind' in message) return
      const content = composeRaw(message, PLATFORM).toString('latin1')
      const { fields, bodyStart } = blockOf(content)
      const names = fields.map(({ name }) => name.toLowerCase())
      for (const name of ['from', ...['Received', ...OURS].map((name) => name.toLowerCase())]) {
        assert.equal(names.filter((other) => other === name).length, 1, name)
      }
      assert.ok(!names.includes('bcc'))
      assert.deepEqual(namesAsPythonReads(content), namesOf(content))
      const header = content.slice(0, bodyStart)
      assert.match(header, /^[\t\r\n -~]*$/)
      assert.ok(header.split('\r\n').every((line) => line.length <= 998))
      assert.doesNotMatch(content, /\r(?!\n)|(?<!\r)\n/)
    }),
    { numRuns: 2000 },
  )
})
