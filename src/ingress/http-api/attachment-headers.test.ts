import assert from 'node:assert/strict'
import { validateHeaderValue } from 'node:http'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { attachmentHeaders, safeFileName } from './attachment-headers.ts'

test('names that are no more than names stay as they are', () => {
  for (const name of [
    'figures.csv',
    'naïve grün.txt',
    '日本語.pdf',
    '👩‍🚀.png',
    'a & b (1).tar.gz',
    "o'clock",
  ])
    assert.equal(safeFileName(name), name)
})

const HOSTILE: readonly (readonly [string, string | undefined])[] = [
  ['../../etc/passwd', '_.._etc_passwd'],
  ['..\\..\\windows\\win.ini', '_.._windows_win.ini'],
  ['C:\\autoexec.bat', 'C__autoexec.bat'],
  ['.bashrc', 'bashrc'],
  ['setup.exe. . .', 'setup.exe'],
  ['invoice\u202egpj.exe', 'invoice_gpj.exe'],
  ['a\r\nSet-Cookie: x=y\r\n\r\n<script>', 'a__Set-Cookie_ x=y_____script_'],
  ['x.txt::$DATA', 'x.txt__$DATA'],
  ['nul', '_nul'],
  ['CON.txt', '_CON.txt'],
  ['a"; filename="b.exe', 'a_; filename=_b.exe'],
  ['a\u0000b\u2028c', 'a_b_c'],
  ['\ud800x', '\ufffdx'],
  ['', undefined],
  ['...', undefined],
  ['///', undefined],
]

for (const [name, safe] of HOSTILE)
  test(`${JSON.stringify(name)} is saved as ${safe ?? 'nothing of it'}`, () => {
    assert.equal(safeFileName(name), safe)
  })

test('a long name loses its middle, and keeps its ending', () => {
  for (const length of [150, 500, 5000, 1_000_000]) {
    const name = safeFileName(`${'ü'.repeat(length)}.pdf`) ?? ''
    assert.match(name, /^ü+\.pdf$/)
    assert.ok(Buffer.byteLength(name) <= 200)
  }
})

test('whatever a name is, it is one that can be saved, and goes out in one header', () => {
  const piece = fc.oneof(
    fc.constantFrom('/', '\\', '..', '\r\n', '"', ';', '%2f', '%', "'", '\u202e', '.', ' ', 'con', '.exe'),
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.string({ unit: 'grapheme', maxLength: 300 }),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const name = safeFileName(pieces.join(''))
      if (name === undefined) return
      assert.doesNotMatch(name, /[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}"*/:<>?\\|]|^\.|[. ]$/u)
      assert.ok(name !== '' && Buffer.byteLength(name) <= 201)
      assert.equal(safeFileName(name), name)
      const disposition = attachmentHeaders(name)['content-disposition'] ?? ''
      validateHeaderValue('content-disposition', disposition)
      const [, plain = '', extended = ''] =
        /^attachment; filename="([ -~]*)"; filename\*=UTF-8''([\w!~.%-]*)$/.exec(disposition) ??
        assert.fail(disposition)
      assert.doesNotMatch(plain, /["\\%/]/)
      assert.equal(decodeURIComponent(extended), name)
    }),
  )
})
