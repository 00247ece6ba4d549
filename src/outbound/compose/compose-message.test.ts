import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import PostalMime, { type Email } from 'postal-mime'
import type { Attachment, Draft } from '#model/draft.ts'
import { decodeWords } from '#protocol/encoded-word.ts'
import { type HeaderBlock, isAscii, parseHeaderBlock } from '#protocol/header-block.ts'
import { LINE_SEPARATING, namesAsPythonReads, splitAsPython } from '#test/python-lines.ts'
import { aDraft, draft, mailbox, PLATFORM } from '#test/varied-drafts.ts'
import { composeMessage } from './compose-message.ts'

async function compose(fields: Partial<Draft>): Promise<string> {
  return (await composeMessage(draft(fields), PLATFORM)).toString('latin1')
}

async function parse(fields: Partial<Draft>): Promise<Email> {
  return PostalMime.parse(await composeMessage(draft(fields), PLATFORM))
}

function blockOf(content: string): HeaderBlock {
  const block = parseHeaderBlock(Buffer.from(content, 'latin1'), { fields: 200, bytes: 1 << 20 })
  assert.ok(!('fault' in block), 'fault' in block ? block.detail : '')
  return block
}

function namesOf(content: string): string[] {
  return blockOf(content).fields.map(({ name }) => name)
}

/** The tree of media types, as indented by nesting. */
function structureOf(content: string): string[] {
  return [...content.matchAll(/^Content-Type: ([a-z]+\/[a-z0-9.+-]+)/gim)].map(([, type = '']) => type)
}

function lines(text: string | undefined): string {
  return (text ?? '').replaceAll(/\r\n|\r/g, '\n').replace(/\n+$/, '')
}

const PDF: Attachment = {
  content: Buffer.from('%PDF-1.4\n\0\xff', 'latin1'),
  filename: 'invoice.pdf',
  type: 'application/pdf',
  disposition: 'attachment',
}
const LOGO: Attachment = {
  content: Buffer.from('<svg/>'),
  filename: 'logo.svg',
  type: 'image/svg+xml',
  disposition: 'inline',
  contentId: 'company-logo',
}

describe('header', () => {
  test('is exactly the draft’s fields and the platform’s, Received first', async () => {
    const content = await compose({
      cc: [mailbox('cy@example.net')],
      replyTo: mailbox('re@example.com', 'Re'),
      text: 'Hello',
      headers: [['X-Campaign-ID', 'weekly']],
    })
    assert.deepEqual(namesOf(content), [
      'Received',
      'From',
      'To',
      'Cc',
      'Reply-To',
      'Subject',
      'X-Campaign-ID',
      'Date',
      'Message-ID',
      'Feedback-ID',
      'CFBL-Address',
      'CFBL-Feedback-ID',
      'MIME-Version',
      'Content-Type',
      'Content-Transfer-Encoding',
    ])
    assert.ok(content.includes('\r\nDate: Fri, 20 Nov 2026 21:36:00 +0000\r\n'))
    assert.ok(content.includes('\r\nMIME-Version: 1.0\r\n'))
  })

  test('is the same with attachments: the library that builds them adds none of its own', async () => {
    assert.deepEqual(namesOf(await compose({ text: 'x', html: 'x', attachments: [PDF, LOGO] })), [
      'Received',
      'From',
      'To',
      'Subject',
      'Date',
      'Message-ID',
      'Feedback-ID',
      'CFBL-Address',
      'CFBL-Feedback-ID',
      'MIME-Version',
      'Content-Type',
    ])
  })

  test('with neither To nor Cc says To: undisclosed-recipients:; and with Cc alone has no To', async () => {
    assert.match(await compose({ to: [], text: 'x' }), /\r\nTo: undisclosed-recipients:;\r\n/)
    assert.doesNotMatch(await compose({ to: [], cc: [mailbox('cy@example.net')], text: 'x' }), /\r\nTo:/)
  })

  test('custom headers are folded at 78 with CRLF and white space, not MIME-encoded', async () => {
    const value = 'https://example.com/a?b=c '.repeat(20).trim()
    const content = await compose({ text: 'x', headers: [['X-Links', value]] })
    const field = blockOf(content).fields.find(({ name }) => name === 'X-Links')
    assert.equal(field?.value.replaceAll('\r\n', '').trim(), value)
    assert.ok(content.split('\r\n').every((line) => line.length <= 78))
  })

  test('a custom value without white space that no line of 998 carries is encoded, a shorter one is not', async () => {
    for (const [length, encoded] of [
      [997, false],
      [998, true],
      [2048, true],
    ] as const) {
      const value = 'x'.repeat(length)
      const content = await compose({ text: 'x', headers: [['X-Token', value]] })
      assert.equal(content.includes('X-Token: =?UTF-8?'), encoded)
      assert.ok(content.split('\r\n').every((line) => line.length <= 998))
      const email = await PostalMime.parse(content)
      const read = email.headers.find(({ key }) => key === 'x-token')?.value ?? ''
      assert.ok(decodeWords(read) === value)
    }
  })

  test('the name of a List-Id is encoded where it is not ASCII, its identifier never (RFC 2919 §3)', async () => {
    const field = async (value: string) => {
      const { fields } = blockOf(await compose({ text: 'x', headers: [['List-Id', value]] }))
      return (
        fields
          .find(({ name }) => name === 'List-Id')
          ?.value.replaceAll('\r\n', '')
          .trim() ?? ''
      )
    }
    assert.equal(await field('Ü <news.example.com>'), '=?UTF-8?B?w5w=?= <news.example.com>')
    assert.equal(decodeWords(await field('"Ü \\"N\\"," =?utf-8?Q?=C3=A4?= <a.b>')), 'Ü "N", ä <a.b>')
    assert.match(await field(`${'Ü'.repeat(900)} <a.b>`), /^(=\?UTF-8\?B\?[^?]+\?= )+<a\.b>$/)
    assert.equal(await field('"Our, News" <a.b>'), '"Our, News" <a.b>')
  })

  test('without an address of ours for complaints it has no CFBL fields', async () => {
    const { cfbl: _, ...platform } = PLATFORM
    const content = String(await composeMessage(draft({ text: 'x' }), platform))
    assert.doesNotMatch(content, /CFBL/i)
  })

  test('the same draft composes to the same octets', async () => {
    const fields = { text: 'x', html: 'y', attachments: [PDF] }
    assert.equal(await compose(fields), await compose(fields))
  })
})

describe('structure', () => {
  const SHAPES: readonly (readonly [what: string, fields: Partial<Draft>, types: readonly string[]])[] = [
    ['text', { text: 'x' }, ['text/plain']],
    ['HTML', { html: 'x' }, ['text/html']],
    ['text and HTML', { text: 'x', html: 'x' }, ['multipart/alternative', 'text/plain', 'text/html']],
    [
      'text and a file',
      { text: 'x', attachments: [PDF] },
      ['multipart/mixed', 'text/plain', 'application/pdf'],
    ],
    [
      'HTML and its image',
      { html: 'x', attachments: [LOGO] },
      ['multipart/related', 'text/html', 'image/svg+xml'],
    ],
    [
      'everything: mixed around alternative around related',
      { text: 'x', html: 'x', attachments: [PDF, LOGO] },
      [
        'multipart/mixed',
        'multipart/alternative',
        'text/plain',
        'multipart/related',
        'text/html',
        'image/svg+xml',
        'application/pdf',
      ],
    ],
    [
      'an inline image without HTML',
      { text: 'x', attachments: [LOGO] },
      ['multipart/mixed', 'text/plain', 'image/svg+xml'],
    ],
    ['a file alone', { attachments: [PDF] }, ['application/pdf']],
  ]
  for (const [what, fields, types] of SHAPES) {
    test(what, async () => assert.deepEqual(structureOf(await compose(fields)), types))
  }

  test('an inline image is found by its content id', async () => {
    const { attachments } = await parse({ html: '<img src="cid:company-logo">', attachments: [LOGO] })
    assert.equal(attachments[0]?.contentId, '<company-logo>')
    assert.equal(attachments[0]?.disposition, 'inline')
  })

  test('a content id stands in its part, whatever the disposition and the bodies', async () => {
    const invoice: Attachment = { ...PDF, contentId: 'invoice@example.com' }
    const mixed = await compose({ html: 'x', attachments: [LOGO, invoice] })
    assert.deepEqual(structureOf(mixed), [
      'multipart/mixed',
      'multipart/related',
      'text/html',
      'image/svg+xml',
      'application/pdf',
    ])
    for (const fields of [{ html: 'x' }, { text: 'x' }, { text: 'x', html: 'x' }, {}]) {
      for (const attachments of [[invoice], [LOGO], [LOGO, invoice]]) {
        const email = await parse({ ...fields, attachments })
        assert.deepEqual(
          new Set(email.attachments.map(({ contentId }) => contentId)),
          new Set(attachments.map(({ contentId }) => `<${contentId}>`)),
        )
      }
    }
  })

  test('a media type keeps its parameters, and its name is that of the file', async () => {
    const types: readonly (readonly [type: string, written: RegExp])[] = [
      ['text/csv; charset=utf-8', /^Content-Type: text\/csv; charset=utf-8; name=invoice\.pdf\r\n/m],
      ['text/csv;charset="us-ascii" ; header=present', /^Content-Type: text\/csv; charset=us-ascii;/m],
      ['application/pdf; name="other.exe"', /^Content-Type: application\/pdf; name=invoice\.pdf\r\n/m],
    ]
    for (const [type, written] of types) {
      const fields = { text: 'x', attachments: [{ ...PDF, type }] }
      assert.match(await compose(fields), written)
      const [attachment] = (await parse(fields)).attachments
      assert.deepEqual(Buffer.from(attachment?.content as ArrayBuffer), PDF.content)
      assert.equal(attachment?.filename, 'invoice.pdf')
    }
  })

  test('a multipart or unreadable type cannot change the structure', async () => {
    for (const type of ['multipart/mixed; boundary=x', 'nonsense', 'text/plain\r\nBcc: x', 'a/b; c="\r\n"']) {
      const content = await compose({ text: 'x', attachments: [{ ...PDF, type }] })
      assert.deepEqual(
        structureOf(content),
        ['multipart/mixed', 'text/plain', 'application/octet-stream'],
        type,
      )
    }
  })

  test('message/rfc822 stays itself while it is 7-bit, which RFC 2046 §5.2.1 demands, and is a plain file else', async () => {
    const inner = (content: string) => ({ ...PDF, type: 'message/rfc822', content: Buffer.from(content) })
    const sevenBit = await compose({
      text: 'x',
      attachments: [inner('From: a@example.com\nSubject: inner\n\nHello\n')],
    })
    assert.match(
      sevenBit,
      /Content-Type: message\/rfc822[\s\S]*\r\n\r\nFrom: a@example\.com\r\nSubject: inner\r\n/,
    )
    for (const content of ['Subject: Grüße\n\nx\n', `${'x'.repeat(2000)}\n`, '\0']) {
      assert.match(await compose({ text: 'x', attachments: [inner(content)] }), /application\/octet-stream/)
    }
  })

  test('a file name is a name: nothing is read from disk or network', async () => {
    for (const filename of ['/etc/passwd', 'https://example.com/x', 'data:text/plain,x', '../../secret']) {
      const { attachments } = await parse({
        text: filename,
        html: filename,
        attachments: [{ ...PDF, filename }],
      })
      assert.equal(attachments[0]?.filename, filename)
      assert.deepEqual(Buffer.from(attachments[0]?.content as ArrayBuffer), PDF.content)
    }
  })
})

describe('encodings', () => {
  const TEXTS: readonly (readonly [what: string, text: string, encoding: string])[] = [
    ['ASCII', 'Hello\nthere\n', '7bit'],
    ['a line of 960', 'x'.repeat(960), '7bit'],
    ['a line of 961', 'x'.repeat(961), 'quoted-printable'],
    ['some accents', 'Grüße aus Köln, und noch ein wenig mehr Text dazu\n', 'quoted-printable'],
    ['another script', 'こんにちは\n', 'base64'],
    ['a control character', 'ring \u0007 the bell\n', 'quoted-printable'],
  ]
  for (const [what, text, encoding] of TEXTS) {
    test(`${what}: ${encoding}`, async () => {
      const content = await compose({ text })
      assert.ok(content.includes(`\r\nContent-Transfer-Encoding: ${encoding}\r\n`), content)
      assert.equal(lines((await parse({ text })).text), lines(text))
    })
  }

  test('white space before a line end is kept by quoted-printable (RFC 2045 §6.7 (3))', async () => {
    const text = `ü \nand a tab\t\nand the last ${'x'.repeat(70)} `
    const content = await compose({ text })
    assert.doesNotMatch(content.slice(content.indexOf('\r\n\r\n')), /[ \t]\r\n/)
    assert.equal(lines((await parse({ text })).text), lines(text))
  })
})

describe('header injection', () => {
  const PAYLOADS = [
    '\r\nBcc: x@evil.example',
    '\nBcc: x@evil.example',
    '\rBcc: x@evil.example',
    '\r\n Bcc: x@evil.example',
    '\0Bcc: x@evil.example',
    '\u2028Bcc: x@evil.example',
    '\u0085Bcc: x@evil.example',
    '\r\n\r\nBcc: x@evil.example',
    '=?utf-8?Q?=0D=0ABcc:_x@evil.example?=',
    '=?us-ascii?B?DQpCY2M6IHhAZXZpbC5leGFtcGxl?=',
    '" <x@evil.example>, "',
    '; filename="x"\r\nBcc: x@evil.example',
    "'); x*0*=utf-8''%0D%0ABcc:",
    '>\r\nBcc: x@evil.example\r\nX: <',
  ]
  const FIELDS: Record<string, (payload: string) => Partial<Draft>> = {
    'from.name': (payload) => ({ from: mailbox('jane@example.com', `a${payload}`) }),
    'to.name': (payload) => ({ to: [mailbox('joe@example.net', `a${payload}`)] }),
    'cc.name': (payload) => ({ cc: [mailbox('joe@example.net', `a${payload}`)] }),
    'reply_to.name': (payload) => ({ replyTo: mailbox('joe@example.net', `a${payload}`) }),
    subject: (payload) => ({ subject: `a${payload}` }),
    headers: (payload) => ({
      headers: [
        ['X-A', `a${payload}`],
        ['In-Reply-To', `<a${payload}>`],
      ],
    }),
    'attachments.filename': (payload) => ({ attachments: [{ ...PDF, filename: `a${payload}` }] }),
    'attachments.type': (payload) => ({ attachments: [{ ...PDF, type: `a/b${payload}` }] }),
    'attachments.content_id': (payload) => ({
      html: 'x',
      attachments: [{ ...LOGO, contentId: `a${payload}` }],
    }),
  }
  for (const [field, fill] of Object.entries(FIELDS)) {
    for (const payload of PAYLOADS) {
      test(`${JSON.stringify(payload)} in ${field} adds no header, recipient or part`, async () => {
        const fields = fill(payload)
        const content = await compose({ text: 'body', ...fields })
        const plain = await compose({ text: 'body', ...fill('') })
        assert.deepEqual(namesOf(content), namesOf(plain))
        assert.doesNotMatch(content, /\r(?!\n)|(?<!\r)\n|^Bcc/m)
        assert.deepEqual(
          [...content.matchAll(/^[A-Za-z][A-Za-z-]*:/gm)].map(String),
          [...plain.matchAll(/^[A-Za-z][A-Za-z-]*:/gm)].map(String),
        )
        const email = await PostalMime.parse(content)
        const addresses = [email.from, ...(email.to ?? []), ...(email.cc ?? []), ...(email.replyTo ?? [])]
        for (const address of addresses) assert.doesNotMatch(address?.address ?? '', /evil/)
        assert.equal(lines(email.text), 'body')
      })
    }
  }
})

describe('what Python and others take for a line end', () => {
  for (const character of LINE_SEPARATING) {
    test(`${JSON.stringify(character)} in any field adds no header to what they read`, async () => {
      const hostile = `a${character}From: ceo@bank.example${character} b${character}`
      const fields = (value: string): Partial<Draft> => ({
        from: mailbox('jane@example.com', value),
        to: [mailbox('joe@example.net', value)],
        cc: [mailbox('joe@example.net', value)],
        replyTo: mailbox('joe@example.net', value),
        subject: value,
        headers: [
          ['X-A', value],
          ['Comments', value],
          ['In-Reply-To', `<${value}@b>`],
          ['List-Id', `${value} <a.b>`],
          ['List-Id', `Ü${value} <a.b>`],
        ],
        attachments: [
          { ...LOGO, filename: value, contentId: value },
          { ...PDF, filename: value, contentId: value, type: `a/b; c="${value}"` },
        ],
        html: 'x',
      })
      const content = await compose(fields(hostile))
      assert.deepEqual(namesAsPythonReads(content), namesOf(await compose(fields('a'))))
      assert.deepEqual(
        splitAsPython(content).filter((line) => /^From:/i.test(line)).length,
        1,
        'nor to a part',
      )
    })
  }
})

describe('any draft', () => {
  test('is 7-bit, CRLF only, no line over 998, and its header parses without a fault', async () => {
    await fc.assert(
      fc.asyncProperty(aDraft, async (draft) => {
        const content = (await composeMessage(draft, PLATFORM)).toString('latin1')
        assert.ok(isAscii(content) && !content.includes('\0'))
        assert.doesNotMatch(content, /\r(?!\n)|(?<!\r)\n/)
        assert.ok(content.split('\r\n').every((line) => line.length <= 998))
        assert.ok(content.endsWith('\r\n'))
        blockOf(content)
      }),
      { numRuns: 200 },
    )
  })

  test('reads back in another parser as what was asked for', async () => {
    await fc.assert(
      fc.asyncProperty(aDraft, async (draft) => {
        const email = await PostalMime.parse(await composeMessage(draft, PLATFORM))
        assert.equal(email.from?.address, draft.from.address)
        assert.equal(email.from?.name, (draft.from.name ?? '').trim())
        assert.equal(email.to?.filter(({ address }) => address !== undefined).length ?? 0, draft.to.length)
        assert.equal(email.cc?.length ?? 0, draft.cc.length)
        assert.equal((email.subject ?? '').trim(), draft.subject.trim())
        if (draft.text) assert.equal(lines(email.text), lines(draft.text.toWellFormed()))
        if (draft.html) assert.equal(lines(email.html), lines(draft.html.toWellFormed()))
        const sent = draft.attachments.map(({ filename }) => filename.trim()).sort()
        assert.deepEqual(email.attachments.map(({ filename }) => (filename ?? '').trim()).sort(), sent)
      }),
      { numRuns: 200 },
    )
  })
})
