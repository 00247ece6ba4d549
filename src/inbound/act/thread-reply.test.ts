import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { checkCustomHeaders } from '#outbound/accept/custom-headers.ts'
import { readRawMessage } from '#outbound/compose/compose-raw.ts'
import { parseHeaderBlock } from '#protocol/header-block.ts'
import { threadBuilder, threadOf, threadRaw } from './thread-reply.ts'

function threadTo(...lines: readonly string[]) {
  const block = parseHeaderBlock(Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), {
    fields: 1000,
    bytes: 262_144,
  })
  assert.ok('fields' in block)
  return threadOf(block)
}

const asked = threadTo(
  'Subject: =?utf-8?q?Gr=C3=B6=C3=9Fe?=',
  'Message-ID: <2@x>',
  'References: <0@x>',
  ' <1@x>',
)
const AUTOMATIC = { 'Auto-Submitted': 'auto-replied' }

test('a builder gets what it left out', () => {
  assert.deepEqual(threadBuilder({ to: 'a@b.example' }, asked), {
    ...{ to: 'a@b.example', subject: 'Re: Größe' },
    headers: { 'In-Reply-To': '<2@x>', References: '<0@x> <1@x> <2@x>', ...AUTOMATIC },
  })
  assert.deepEqual(threadBuilder({ subject: null, headers: null }, asked), threadBuilder({}, asked))
})

test('a builder keeps what it says', () => {
  const own = { subject: 'Mine', headers: { 'in-reply-to': '<9@x>', 'AUTO-SUBMITTED': 'auto-generated' } }
  assert.deepEqual(threadBuilder(own, asked), own)
  for (const none of [null, 'text', 3, [1]]) assert.equal(threadBuilder(none, asked), none)
  assert.deepEqual(threadBuilder({ subject: 'x', headers: 'no object' }, asked), {
    subject: 'x',
    headers: 'no object',
  })
})

test('subjects: once Re:, and no longer than any may be', () => {
  assert.equal(threadTo('Subject: RE: Hello').subject, 'RE: Hello')
  assert.equal(threadTo('From: x@y').subject, 'Re:')
  assert.equal(Array.from(threadTo(`Subject: ${'x'.repeat(990)}😀😀😀😀😀😀😀😀`).subject).length, 998)
})

test('RFC 5322 §3.6.4: without References the parent is what it answered itself, if that was one', () => {
  const referencesTo = (...lines: readonly string[]) =>
    threadTo('Message-ID: <2@x>', ...lines).references[1]?.[1]
  assert.equal(referencesTo('In-Reply-To: <1@x>'), '<1@x> <2@x>')
  assert.equal(referencesTo('In-Reply-To: <0@x> <1@x>'), '<2@x>')
  assert.deepEqual(threadTo('References: <1@x>').references, [])
  assert.deepEqual(threadTo('Message-ID: none').references, [])
})

test('any header: what a builder gets passes the rules of headers', () => {
  const value = fc.oneof(
    fc.stringMatching(/^[ -~]{0,300}$/),
    fc
      .array(fc.stringMatching(/^<[!-~]{0,60}@[!-~]{0,60}>$/), { maxLength: 100 })
      .map((ids) => ids.join(' ')),
    fc.stringMatching(/^<[a-z]{900,1100}@[a-z]{1,50}>$/),
  )
  fc.assert(
    fc.property(value, value, value, (id, references, parent) => {
      const thread = threadTo(`Message-ID: ${id}`, `References: ${references}`, `In-Reply-To: ${parent}`)
      const { references: fields } = thread
      const checked = checkCustomHeaders(Object.fromEntries(fields))
      assert.ok('headers' in checked, JSON.stringify(checked))
    }),
  )
})

test('a raw message, whatever its line ends: the fields before it, and itself', () => {
  const mime = 'From: help@routed.example\r\nTo: a@b.example\r\nSubject: Mine\r\n\r\nHello\r\n'
  const namesOf = (text: string) => text.match(/^[\w-]+(?=:)/gm) ?? []
  for (const written of [mime, mime.replaceAll('\r\n', '\n'), `\ufeff${mime}`]) {
    const read = readRawMessage(threadRaw(Buffer.from(written), namesOf(mime), asked))
    assert.ok('fields' in read, JSON.stringify(read))
    assert.equal(
      read.fields,
      'In-Reply-To: <2@x>\r\nReferences: <0@x> <1@x> <2@x>\r\nAuto-Submitted: auto-replied\r\n' +
        'From: help@routed.example\r\nTo: a@b.example\r\nSubject: Mine\r\n',
    )
  }
  const own = `References: <0@x>\r\n${mime}`
  const kept = readRawMessage(threadRaw(Buffer.from(own), namesOf(own), asked))
  assert.ok('fields' in kept)
  assert.doesNotMatch(kept.fields, /In-Reply-To/)
  assert.match(kept.fields, /^Auto-Submitted: auto-replied\r\nReferences: <0@x>\r\n/)
})
