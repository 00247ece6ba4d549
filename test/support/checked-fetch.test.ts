import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OPERATIONS, operationOf } from './api-operations.ts'
import { answerFault, requestFault } from './checked-fetch.ts'

/** The eyes of the tests see what does not fit. */
const id = 'a'.repeat(32)
const zone = operationOf('DELETE', `/client/v4/zones/${id}`)
const good = { success: true, errors: [], messages: [], result: { id } }

const answer = (status: number, body: unknown, type = 'application/json; charset=utf-8') =>
  answerFault(zone, new Response(JSON.stringify(body), { status, headers: { 'content-type': type } }))

test('an answer as the document has it', async () => {
  assert.equal(await answer(200, good), undefined)
  const error = { code: 7003, message: 'm', error_chain: [{ code: 7003, message: 'm' }] }
  assert.equal(await answer(404, { success: false, errors: [error], messages: [], result: null }), undefined)
})

const FAULTY: readonly [what: string, status: number, body: unknown, said: RegExp][] = [
  ['a status that it does not have', 418, good, /no such status/],
  ['no envelope', 200, { id }, /has id/],
  ['a field too much', 200, { ...good, result: { id, more: 1 } }, /has more/],
  ['a field too little', 200, { ...good, result: {} }, /lacks id/],
  ['a number for a text', 200, { ...good, result: { id: 1 } }, /result\.id is 1/],
  ['null for a text', 200, { ...good, result: { id: null } }, /result\.id is null/],
  ['success that is none', 200, { ...good, success: false }, /success is false/],
  ['an error without its code', 404, { ...good, success: false, errors: [{}], result: null }, /lacks code/],
  [
    'an error that has a result',
    404,
    { ...good, success: false, errors: [{ code: 1, message: 'm' }] },
    /null/,
  ],
]
for (const [what, status, body, said] of FAULTY) {
  test(`what does not fit is seen: ${what}`, async () => {
    assert.match((await answer(status, body)) ?? '', said)
  })
}

test('what does not fit is seen: another type, and an operation that there is not', async () => {
  assert.match((await answer(200, good, 'text/html')) ?? '', /text\/html/)
  const unknown = operationOf('DELETE', '/client/v4/nothing')
  assert.equal(unknown, undefined)
  assert.match((await answerFault(unknown, Response.json(good))) ?? '', /no such operation/)
})

test('what does not fit is seen in a request too', () => {
  const send = OPERATIONS.find((each) => each.id === 'sending.send')
  assert.ok(send)
  const none = new URLSearchParams()
  assert.equal(requestFault(send, none, JSON.stringify(send.example?.body)), undefined)
  assert.match(requestFault(send, none, '{"from":1,"subject":"s"}') ?? '', /from/)
  assert.match(requestFault(send, none, '{"from":"a","subject":"s","more":1}') ?? '', /has more/)
  assert.match(requestFault(send, new URLSearchParams('page=1'), '{}') ?? '', /no parameter page/)
})

test('a path is the operation’s that names it, before one that takes anything there', () => {
  assert.equal(operationOf('GET', '/client/v4/user/tokens/verify')?.id, 'user.tokens.verify')
  assert.equal(operationOf('GET', `/client/v4/user/tokens/${id}`)?.id, 'user.tokens.get')
  assert.equal(
    operationOf('GET', `/client/v4/zones/${id}/email/routing/rules/catch_all`)?.id,
    'catch_all.get',
  )
})
