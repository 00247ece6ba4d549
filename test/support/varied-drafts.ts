import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import type { Mailbox } from '#model/address.ts'
import type { Attachment, Draft, PlatformHeaders } from '#model/draft.ts'
import { isAddress, parseAddress } from '#protocol/address.ts'

/** Drafts from every corner of what a sender may ask for. */

export const PLATFORM: PlatformHeaders = {
  messageId: '<0199c1f2-7b7a-7d3a-9c3e-1a2b3c4d5e6f@example.com>',
  date: new Date('2026-11-20T21:36:00Z'),
  received:
    'from client.example (client.example [192.0.2.1]) by smtp.mx.posthorn.test (Posthorn) with HTTPS id 0199c1f27b7a7d3a9c3e1a2b3c4d5e6f; Fri, 20 Nov 2026 21:36:00 +0000',
  feedbackId: 'newsletter:example.com:0199c1f2:posthorn',
  cfbl: {
    address: 'fbl@cf-bounce.example.com; report=arf',
    feedbackId: 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
  },
}

export function mailbox(address: string, name?: string): Mailbox {
  const parsed = parseAddress(address)
  assert.ok(isAddress(parsed), address)
  return name === undefined ? { address: parsed } : { address: parsed, name }
}

export function draft(fields: Partial<Draft>): Draft {
  return {
    from: mailbox('jane@example.com', 'Jane'),
    to: [mailbox('joe@example.net')],
    cc: [],
    subject: 'Hello',
    attachments: [],
    headers: [],
    ...fields,
  }
}

const NAMES = [
  undefined,
  'Jane',
  'Jane Doe',
  'Doe, Jane',
  'J. "Jay" D\\oe',
  'jane@example.org',
  'Jäne Döe',
  '山田 太郎',
  'دعاء عبد الله',
  'שלום',
  '🎉 Party 🎈',
  '👩‍👩‍👧‍👦',
  '=?utf-8?Q?not=20a=20word?=',
  "O'Neil; <x@y>, (z)",
  'a'.repeat(300),
  'é'.repeat(200),
  'two  spaces\tand a tab',
]

const ADDRESSES = [
  'joe@example.net',
  '"joe doe"@example.net',
  '"a,b;c:d"@example.net',
  "o'neil+tag=x@example.net",
  'joe@bücher.example',
  'joe@例え.テスト',
  `${'a'.repeat(64)}@${'b'.repeat(60)}.${'c'.repeat(60)}.example`,
]

const TEXTS = [
  'Hello',
  '',
  ' ',
  '\n',
  '\n\n\n',
  'Hello\n',
  'Hello\r\n\r\n\r\n',
  'one\ntwo\rthree\r\nfour',
  'trailing   \nspaces \t \n\tand tabs\n   ',
  '.\n..\n.hidden\n',
  'From jane\n>From joe\n',
  'Grüße aus Köln\n'.repeat(30),
  'こんにちは世界\n'.repeat(50),
  '🎉'.repeat(300),
  'x'.repeat(5000),
  'word '.repeat(1500),
  'a=b=c==\n=20 \n',
  '\0\u0001\u001b[31m\u007f\u0085\u2028',
  '--\n--=_\n--boundary--\n',
  'lone \ud800 surrogate',
  `${'<p style="color: #333">paragraph</p>'.repeat(30)}\n`.repeat(5),
]

const SUBJECTS = [
  'Hello',
  '',
  ' ',
  'a'.repeat(998),
  'word '.repeat(199),
  'é'.repeat(998),
  '件名 '.repeat(100),
  'مرحبا بالعالم',
  '🎉🎈🎊 sale!',
  '=?utf-8?B?SGVsbG8=?=',
  'Re: [list] "quoted" <angle> (paren); semi: colon',
  'trailing space ',
  'double  spaces   inside',
]

const FILENAMES = [
  'invoice.pdf',
  'Rechnung März 2026.pdf',
  '請求書.pdf',
  'quote"back\\slash;semi.txt',
  "it's 100%.txt",
  '🎉.png',
  `${'long'.repeat(60)}.txt`,
  `${'längë'.repeat(40)}.txt`,
  'تقرير.docx',
  ' spaces .txt ',
]

const CONTENTS = [
  Buffer.alloc(0),
  Buffer.from('a'),
  Buffer.from('two\nlines\r\nand\rmore'),
  Buffer.from(Array.from({ length: 4096 }, (_, i) => i & 255)),
  Buffer.from('Grüße\n'),
  Buffer.from('From: a@example.com\r\nSubject: inner\r\n\r\nHello\r\n'),
]

const TYPES = [
  'application/pdf',
  'text/plain',
  'text/csv; charset=iso-8859-1',
  'image/png',
  'message/rfc822',
  'application/octet-stream',
  'multipart/mixed',
  'nonsense',
]

const HEADERS: readonly (readonly [string, string])[] = [
  ['X-Campaign-ID', 'weekly-2026-11'],
  ['X-Long', 'word '.repeat(400).trim()],
  ['X-Endless', 'x'.repeat(2048)],
  ['X-Unicode', 'Grüße 🎉 '.repeat(20).trim()],
  ['X-Spaces', 'two  spaces\tand  tabs'],
  ['X-Under_score', '=?utf-8?Q?already=20encoded?='],
  ['In-Reply-To', '<original@example.com>'],
  ['References', Array.from({ length: 40 }, (_, i) => `<${i}.abcdefgh@mail.example.com>`).join(' ')],
  ['List-Unsubscribe', '<https://example.com/u?id=1>, <mailto:u@example.com>'],
  ['List-Unsubscribe-Post', 'List-Unsubscribe=One-Click'],
  ['List-Id', 'Our News <news.example.com>'],
  ['List-Id', '"Ünsere" Neuigkeiten <news.example.com>'],
  ['List-Archive', `<https://example.com/${'a'.repeat(1500)}>`],
  ['Keywords', 'one, zwölf, three'],
  ['Comments', 'コメント'],
  ['Organization', 'Example, Inc.'],
  ['Content-Language', 'en, de'],
  ['Auto-Submitted', 'auto-generated'],
  ['Precedence', 'bulk'],
]

const aMailbox = fc
  .tuple(fc.constantFrom(...ADDRESSES), fc.constantFrom(...NAMES))
  .map(([address, name]) => mailbox(address, name))

const anAttachment: fc.Arbitrary<Attachment> = fc.oneof(
  fc.record({
    content: fc.constantFrom(...CONTENTS),
    filename: fc.constantFrom(...FILENAMES),
    type: fc.constantFrom(...TYPES),
    disposition: fc.constant('attachment' as const),
  }),
  fc.record({
    content: fc.constantFrom(...CONTENTS),
    filename: fc.constantFrom(...FILENAMES),
    type: fc.constantFrom(...TYPES),
    disposition: fc.constant('attachment' as const),
    contentId: fc.constantFrom('invoice', 'invoice@example.com'),
  }),
  fc.record({
    content: fc.constantFrom(...CONTENTS),
    filename: fc.constantFrom(...FILENAMES),
    type: fc.constantFrom('image/png', 'image/svg+xml'),
    disposition: fc.constant('inline' as const),
    contentId: fc.constantFrom('logo', 'logo@example.com', 'lögo 1'),
  }),
)

const aText = fc.constantFrom(...TEXTS)

/** Any draft whose fields passed the door. */
export const aDraft: fc.Arbitrary<Draft> = fc
  .record(
    {
      from: fc.constantFrom(...NAMES).map((name) => mailbox('jane@example.com', name)),
      to: fc.array(aMailbox, { maxLength: 4 }),
      cc: fc.array(aMailbox, { maxLength: 3 }),
      replyTo: aMailbox,
      subject: fc.constantFrom(...SUBJECTS),
      text: aText,
      html: aText,
      attachments: fc.oneof(fc.constant([]), fc.array(anAttachment, { maxLength: 3 })),
      headers: fc.subarray([...HEADERS]),
    },
    { requiredKeys: ['from', 'to', 'cc', 'subject', 'attachments', 'headers'] },
  )
  .map((fields) => draft(fields))

/** The same drafts each time: every name, subject, text, file name, content and header at least once, then mixtures. */
export function variedDrafts(count: number): readonly Draft[] {
  const corners = [
    ...NAMES.map((name) => draft({ from: mailbox('jane@example.com', name), text: 'Hello' })),
    ...ADDRESSES.flatMap((address) =>
      NAMES.slice(0, 3).map((name) => draft({ to: [mailbox(address, name)], text: 'x' })),
    ),
    ...TEXTS.flatMap((text) => [draft({ text }), draft({ html: text }), draft({ text, html: text })]),
    ...SUBJECTS.map((subject) => draft({ subject, text: 'Hello' })),
    ...HEADERS.map((header) => draft({ headers: [header], text: 'Hello' })),
    ...FILENAMES.flatMap((filename) =>
      CONTENTS.map((content) =>
        draft({
          text: 'x',
          attachments: [{ content, filename, type: 'application/pdf', disposition: 'attachment' }],
        }),
      ),
    ),
    draft({ to: [], text: 'to nobody named' }),
    draft({ to: [], cc: [mailbox('joe@example.net')], text: 'to copies only' }),
    draft({
      to: Array.from({ length: 50 }, (_, i) => mailbox(`joe${i}@example.net`, `Joe the ${i}th`)),
      text: 'x',
    }),
  ]
  return [
    ...corners,
    ...fc.sample(aDraft, { numRuns: Math.max(count - corners.length, 100), seed: 20261120 }),
  ]
}
