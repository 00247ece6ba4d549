import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { setQuotaRequest } from '#contract/operator-quota.ts'
import { sendRequest } from '#contract/sending.ts'
import { tokenWish } from '#contract/tokens.ts'
import { replayWebhook } from '#contract/webhooks.ts'
import { readJson } from './read-json.ts'

const hints = { replyTo: 'reply_to', email: 'address' }
const good = { from: 'a@yourdomain.com', to: 'b@example.com', subject: 's', text: 't' }

function refusalOf(body: unknown) {
  const raw = typeof body === 'string' ? body : JSON.stringify(body)
  const read = readJson(Buffer.from(raw), sendRequest, hints)
  assert.equal(read.ok, false, `expected a refusal of ${raw.slice(0, 80)}`)
  if (read.ok) throw new Error('unreachable')
  return read.refusal
}

test('a field that may be of several kinds and says so itself is explained by that', () => {
  const body = replayWebhook.body ?? assert.fail()
  const detailOf = (since: unknown) => {
    const read = readJson(Buffer.from(JSON.stringify({ since })), body, {})
    return read.ok ? 'read' : read.refusal.detail
  }
  assert.equal(detailOf('2026-02-30T00:00:00Z'), "'since' must be a day or a time of RFC 3339.")
  assert.equal(detailOf(undefined), "'since' is missing; it must be a day or a time of RFC 3339.")
})

test('each refusal names its field, in words and as a JSON pointer', () => {
  const cases: [unknown, string, string][] = [
    [{ ...good, from: undefined }, '/from', 'field-missing'],
    [{ ...good, from: 5 }, '/from', 'field-invalid'],
    [{ ...good, from: null }, '/from', 'field-invalid'],
    [{ ...good, from: { name: 'x' } }, '/from/address', 'field-missing'],
    [{ ...good, from: { address: 1 } }, '/from/address', 'field-invalid'],
    [{ ...good, from: { email: 'a@b.c' } }, '/from/email', 'field-invalid'],
    [{ ...good, from: ['a@b.c'] }, '/from', 'field-invalid'],
    [{ ...good, subject: undefined }, '/subject', 'field-missing'],
    [{ ...good, subject: 5 }, '/subject', 'field-invalid'],
    [{ ...good, to: [{ address: 'a@b.c' }, 7] }, '/to/1', 'field-invalid'],
    [{ ...good, to: [['a@b.c']] }, '/to/0', 'field-invalid'],
    [{ ...good, cc: 5 }, '/cc', 'field-invalid'],
    [{ ...good, headers: [] }, '/headers', 'field-invalid'],
    [{ ...good, headers: { 'X-A': 5 } }, '/headers/X-A', 'field-invalid'],
    [{ ...good, headers: { 'X/A~': 5 } }, '/headers/X~1A~0', 'field-invalid'],
    [{ ...good, attachments: {} }, '/attachments', 'field-invalid'],
    [
      { ...good, attachments: [{ content: '', filename: 'a', type: 'a/b' }] },
      '/attachments/0/disposition',
      'field-missing',
    ],
    [
      {
        ...good,
        attachments: [{ content: 1, filename: 'a', type: 'a/b', disposition: 'inline', content_id: 'x' }],
      },
      '/attachments/0/content',
      'field-invalid',
    ],
    [{ ...good, replyTo: 'x@y.z' }, '/replyTo', 'field-invalid'],
    [{ ...good, account_id: 'x' }, '/account_id', 'field-invalid'],
    ['[]', '', 'field-invalid'],
    ['"x"', '', 'field-invalid'],
    ['null', '', 'field-invalid'],
    ['{', '', 'field-invalid'],
    ['', '', 'field-missing'],
    ['{"__proto__": {"a": 1}}', '', 'field-invalid'],
  ]
  for (const [body, pointer, kind] of cases) {
    const refusal = refusalOf(body)
    if (pointer !== '') assert.equal(refusal.pointer, pointer, JSON.stringify(body))
    assert.equal(refusal.kind, kind, JSON.stringify(body))
    assert.ok(refusal.detail.length > 10)
  }
})

test("the other surface's spelling is told the right one", () => {
  assert.match(refusalOf({ ...good, replyTo: 'x@y.z' }).detail, /spelled 'reply_to'/)
})

test('__proto__ is refused wherever it stands, and pollutes nothing', () => {
  for (const body of [
    '{"from":"a@b.c","subject":"s","__proto__":{"x":1}}',
    '{"from":{"address":"a@b.c","__proto__":{"x":1}},"subject":"s"}',
    '{"from":"a@b.c","subject":"s","headers":{"__proto__":"x"}}',
  ]) {
    assert.match(refusalOf(body).detail, /__proto__/)
  }
  assert.equal(Reflect.get({}, 'x'), undefined)
})

test('a key that stands twice is refused, in either spelling', () => {
  const twice = refusalOf('{"from":"a@b.c","subject":"s","text":"t","to":"x@y.z","t\\u006f":"z@y.z"}')
  assert.equal(twice.pointer, '/to')
  assert.match(twice.detail, /'to' stands twice/)
  assert.equal(refusalOf('{"headers":{"X-A":"1","X-A":"2"},"from":"a@b.c"}').pointer, '/headers')
})

test('a bomb of small values is refused before it is built, by the name of its field', () => {
  const bomb = `{"from":"a@b.c","subject":"s","to":[${'{},'.repeat(3_000_000)}{}]}`
  const refusal = refusalOf(bomb)
  assert.equal(refusal.pointer, '/to')
  assert.match(refusal.detail, /far more values/)
})

test('names that every object has are no hints', () => {
  for (const key of ['toString', 'constructor', 'valueOf', 'hasOwnProperty']) {
    assert.doesNotMatch(refusalOf({ ...good, [key]: 1 }).detail, /native code|spelled/)
  }
})

test('a refusal never reflects more than a little of what was sent', () => {
  const key = 'x'.repeat(5_000_000)
  for (const body of [
    { ...good, headers: { [key]: 1 } },
    { ...good, [key]: 1 },
  ]) {
    const { detail, pointer = '' } = refusalOf(body)
    assert.ok(detail.length < 500 && pointer.length < 500)
  }
})

test('bytes that are not UTF-8 are refused', () => {
  const read = readJson(Buffer.from([0x22, 0xff, 0x22]), sendRequest, hints)
  assert.equal(read.ok, false)
})

test('deep nesting is refused, not obeyed', () => {
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
  assert.equal(refusalOf(`{"from":"a@b.c","subject":"s","to":${deep}}`).kind, 'field-invalid')
  assert.equal(refusalOf(deep).kind, 'field-invalid')
})

test('any JSON gets a value or a refusal, never an exception', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      readJson(Buffer.from(JSON.stringify(value)), sendRequest, hints)
      readJson(Buffer.from(JSON.stringify({ ...good, to: value, attachments: value })), sendRequest, hints)
    }),
  )
})

test('what is too little is said in words for what it is', () => {
  const detailOf = (body: object, shape: typeof setQuotaRequest | typeof tokenWish) => {
    const read = readJson<unknown>(Buffer.from(JSON.stringify(body)), shape, {})
    return read.ok ? 'taken' : read.refusal.detail
  }
  assert.equal(detailOf({ mode: 'fixed', value: -1 }, setQuotaRequest), "'value': must be 0 or more.")
  assert.equal(detailOf({ name: '', policies: [] }, tokenWish), "'name' must not be empty.")
  assert.equal(detailOf({ name: 'x', policies: [] }, tokenWish), "'policies' must have at least one entry.")
})
