import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Answer, type Instance, startInstance } from '#test/instance.ts'

let instance: Instance

before(async () => {
  instance = await startInstance()
})
after(async () => instance[Symbol.asyncDispose]())

const mail = (to: string, more: object = {}) => ({
  to,
  from: 'app@yourdomain.com',
  subject: to,
  text: 'x',
  ...more,
})
const ids = (answers: readonly Answer[]) => new Set(answers.map(({ body }) => body.result?.message_id))

test('promise 8: the same Idempotency-Key and body is one message, in order and at once', async () => {
  const send = () => instance.send(mail('keyed@example.com'), { 'idempotency-key': 'k1' })
  const answers = await Promise.all([send(), send(), send()])
  answers.push(await send())
  assert.equal(ids(answers).size, 1)
  for (const { status, body } of answers) {
    assert.equal(status, 200)
    assert.deepEqual(body.result?.delivered, ['keyed@example.com'])
  }
  assert.equal((await instance.inbox('to:keyed@example.com')).length, 1)
})

test('promise 8: after a crash too, with the present state', async () => {
  const first = await instance.send(mail('crash@example.com'), { 'idempotency-key': 'k2' })
  await instance.kill()
  await instance.restart()
  const again = await instance.send(mail('crash@example.com'), { 'idempotency-key': 'k2' })
  assert.deepEqual(again.body.result, first.body.result)
  assert.equal((await instance.inbox('to:crash@example.com')).length, 1)
})

test('the same key with another body is 409, finally', async () => {
  await instance.send(mail('other@example.com'), { 'idempotency-key': 'k3' })
  const { status, headers, body } = await instance.send(mail('another@example.com'), {
    'idempotency-key': 'k3',
  })
  assert.equal(status, 409)
  assert.equal(headers.get('x-should-retry'), 'false')
  assert.match(body.errors[0]?.error_chain?.[0]?.message ?? '', /Idempotency-Key/)
})

test('a refused request uses up no key', async () => {
  const refused = await instance.send(mail('x@example.com', { subject: 5 }), { 'idempotency-key': 'k4' })
  assert.equal(refused.status, 400)
  assert.equal((await instance.send(mail('x@example.com'), { 'idempotency-key': 'k4' })).status, 200)
})

test('without a key, what its client marks as a repetition joins the first; what it does not is a new message', async () => {
  const send = (count: string) =>
    instance.send(mail('counted@example.com'), { 'x-stainless-retry-count': count })
  const first = await send('0')
  const repeated = await send('1')
  assert.equal(repeated.body.result?.message_id, first.body.result?.message_id)
  const onPurpose = await send('0')
  assert.notEqual(onPurpose.body.result?.message_id, first.body.result?.message_id)
  assert.equal((await send('2')).body.result?.message_id, onPurpose.body.result?.message_id)
  assert.equal((await instance.inbox('to:counted@example.com', 2)).length, 2)
})

test('keys belong to an account and are checked', async () => {
  for (const key of ['x'.repeat(256), 'ä']) {
    const { status } = await instance
      .send(mail('x@example.com'), { 'idempotency-key': key })
      .catch(() => ({ status: 400 }))
    assert.equal(status, 400)
  }
})

test('an answer that may follow a promise tells SDKs not to retry', async () => {
  const { headers } = await instance.send(mail('header@example.com'))
  assert.equal(headers.get('x-should-retry'), 'false')
})

test('SIGTERM answers who waits: the message is safe, and arrives after the restart', async () => {
  const pending = instance.send(mail('slow+stopping@simulator.posthorn.test'))
  await new Promise((resolve) => setTimeout(resolve, 300))
  assert.equal(await instance.stop(), 0)
  const { status, body } = await pending
  assert.equal(status, 200)
  assert.deepEqual(body.result?.queued, ['slow+stopping@simulator.posthorn.test'])
  await instance.restart()
  assert.ok((await instance.inbox('to:slow+stopping@simulator.posthorn.test')).length >= 1)
})
