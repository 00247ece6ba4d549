import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Attachment } from '#model/draft.ts'
import type { Refusal } from '#model/refusal.ts'
import { readAttachments } from './read-attachments.ts'
import type { AttachmentField } from './submission.ts'

const read = (...fields: readonly Partial<AttachmentField>[]) =>
  readAttachments(
    fields.map((field, i) => ({
      content: 'YQ==',
      filename: 'a.bin',
      type: 'application/octet-stream',
      disposition: 'attachment',
      pointer: `/attachments/${i}`,
      ...field,
    })),
  )

function accepted(...fields: readonly Partial<AttachmentField>[]): readonly Attachment[] {
  const result = read(...fields)
  assert.ok(!('kind' in result), 'kind' in result ? result.detail : '')
  return result.attachments
}

function refused(...fields: readonly Partial<AttachmentField>[]): Refusal {
  const result = read(...fields)
  assert.ok('kind' in result, 'accepted')
  return result
}

describe('content id', () => {
  test('is kept, without its angle brackets, whatever the disposition', () => {
    for (const disposition of ['attachment', 'inline'] as const) {
      assert.equal(
        accepted({ disposition, contentId: '<logo@example.com>' })[0]?.contentId,
        'logo@example.com',
      )
    }
  })

  test('names one attachment only', () => {
    const { kind, pointer, detail } = refused({ contentId: 'a' }, { contentId: 'b' }, { contentId: '<a>' })
    assert.deepEqual([kind, pointer], ['field-invalid', '/attachments/2/content_id'])
    assert.match(detail, /content id 'a' already/)
  })

  test('may be missing from any number of attachments', () => {
    assert.equal(accepted({}, { contentId: null }, { contentId: '' }, {}).length, 4)
  })
})

describe('type', () => {
  for (const type of [
    'text/csv; charset=utf-8',
    'application/pdf; name="a.pdf"',
    'message/rfc822',
    'Message/RFC822',
  ]) {
    test(`${type} is taken as it is`, () => assert.equal(accepted({ type })[0]?.type, type))
  }

  for (const type of [
    'multipart/mixed',
    'Multipart/Mixed; boundary=x',
    'message/partial; id=x; number=1',
    'message/external-body; access-type=URL',
    'message/rfc822x',
    'text/csv; charset',
    'text/csv; charset="utf-8',
    'text/plain\r\nBcc: x@example.com',
    'nonsense',
  ]) {
    test(`${JSON.stringify(type)} is refused`, () => {
      const { kind, pointer } = refused({ type })
      assert.deepEqual([kind, pointer], ['field-invalid', '/attachments/0/type'])
    })
  }

  test('a message is attached, not shown in place', () => {
    const { pointer } = refused({ type: 'message/rfc822', disposition: 'inline', contentId: 'a' })
    assert.equal(pointer, '/attachments/0/type')
  })
})
