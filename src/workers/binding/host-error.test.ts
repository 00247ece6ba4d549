import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answerRefusal } from '#ingress/http-api/refusal-answers.ts'
import type { Refusal, RefusalKind } from '#model/refusal.ts'
import { hostErrorOf } from './host-error.ts'

/** Every kind, once: the compiler says which is missing. */
const KINDS = Object.keys({
  'field-missing': 0,
  'field-invalid': 0,
  'too-many-recipients': 0,
  'too-many-attachments': 0,
  'header-not-allowed': 0,
  'header-use-api-field': 0,
  'header-value-invalid': 0,
  'header-value-too-long': 0,
  'header-name-invalid': 0,
  'headers-too-large': 0,
  'headers-too-many': 0,
  'content-invalid': 0,
  'message-too-large': 0,
  'sender-domain-not-available': 0,
  'sender-not-verified': 0,
  'recipient-not-allowed': 0,
  'recipient-suppressed': 0,
  'sending-disabled': 0,
  'account-not-entitled': 0,
  'rate-limited': 0,
  'daily-limit-exceeded': 0,
  'idempotency-key-reused': 0,
} satisfies Record<RefusalKind, 0>)

test('the REST API names each refusal in its error chain as it is thrown in a Worker', () => {
  for (const kind of KINDS) {
    // One of the union's own words.
    const refusal = { kind, detail: 'It is.' } as Refusal
    assert.equal(hostErrorOf(refusal).code, answerRefusal(refusal).error.error_chain?.[0]?.name, kind)
  }
})

test('the message names the field', () => {
  const invalid = (pointer: string, detail: string) =>
    hostErrorOf({ kind: 'field-invalid', pointer, detail }).message
  assert.equal(invalid('/to/3/email', 'It is none.'), 'to[3].email: It is none.')
  assert.equal(invalid('/attachments/0', 'It is none.'), 'attachments[0]: It is none.')
  assert.equal(invalid('/from', "'from' is none."), "'from' is none.")
  assert.equal(invalid('', 'It is none.'), 'It is none.')
  const header: Refusal = { kind: 'header-value-invalid', pointer: '/headers/X-A', detail: 'Header X.' }
  assert.equal(hostErrorOf(header).message, 'Header X.')
  const named = 'An address stands alone; a display name goes beside it, as in {"address": "a@b.c"}.'
  assert.match(invalid('/to', named), /\{"email": "a@b\.c"\}/)
})
