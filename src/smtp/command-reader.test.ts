import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { readCommand, readMail, readRcpt } from './command-reader.ts'
import { isMailbox, readPath } from './envelope-path.ts'

test('any line is a command or a refusal, and never throws', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const command = readCommand(Buffer.from(bytes).toString('latin1'))
      if ('code' in command) assert.equal(command.code, 500)
      else for (const read of [readMail(command.argument), readRcpt(command.argument)]) assert.ok(read)
    }),
  )
})

test('what a path gives away holds no line end and no unquoted bracket', () => {
  const piece = fc.constantFrom('<', '>', '@', '"', '\\', 'a', '.', ' ', '\r', '\n', '\0', '[', ']', 'ü')
  fc.assert(
    fc.property(fc.string({ unit: piece, maxLength: 20 }), (text) => {
      const read = readPath(`<${text}`)
      if ('fault' in read) return
      assert.equal(`<${text}`, `<${read.path}>${read.rest}`)
      assert.match(read.path, /^[^\r\n\0]*$/)
      assert.match(read.path.replaceAll(/"(?:[^"\\]|\\.)*"/g, ''), /^[^<> ]*$/)
      assert.ok(read.path === '' || isMailbox(read.path))
    }),
    { numRuns: 5000 },
  )
})

test('hostile paths take no time to refuse', () => {
  const long = ['a'.repeat(2000), 'a.'.repeat(1000), `"${'\\a'.repeat(1000)}`, `a@${'a-'.repeat(1000)}`]
  for (const text of long) assert.deepEqual(readPath(`<${text}`), { fault: 'syntax' })
  assert.deepEqual(readPath(`<a@${'a'.repeat(600)}>`), { fault: 'too-long' })
})

test('parameters come out in upper case, their values as they are', () => {
  const mail = readMail('FROM:<a@b.test> size=12 Body=8BitMime SMTPUTF8')
  assert.ok('path' in mail)
  assert.deepEqual(
    [...mail.parameters],
    [
      ['SIZE', '12'],
      ['BODY', '8BitMime'],
      ['SMTPUTF8', true],
    ],
  )
})
