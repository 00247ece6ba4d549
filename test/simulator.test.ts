import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Instance, startInstance } from '#test/instance.ts'

let instance: Instance

before(async () => {
  instance = await startInstance({ POSTHORN_RETRY_MS: '100,200,400', POSTHORN_SEND_WAIT_MS: '8000' })
})
after(async () => instance[Symbol.asyncDispose]())

let label = 0
const send = (name: string) => {
  const to = `${name}+${label++}@simulator.posthorn.test`
  return instance
    .send({ to, from: 'app@yourdomain.com', subject: name, text: 'x' })
    .then((answer) => ({ ...answer, to }))
}

test('delivered@ is delivered, and its copy is in the inbox', async () => {
  const { body, to } = await send('delivered')
  assert.deepEqual(body.result?.delivered, [to])
  assert.equal((await instance.inbox(`to:${to}`)).length, 1)
})

test('bounce@ is a permanent bounce, and then suppressed', async () => {
  const { body, to } = await send('bounce')
  assert.deepEqual(body.result?.permanent_bounces, [to])
  const again = await instance.send({ to, from: 'app@yourdomain.com', subject: 'again', text: 'x' })
  assert.equal(again.status, 400)
  assert.equal(again.body.errors[0]?.code, 10202)
  assert.equal(again.body.errors[0]?.error_chain?.[0]?.name, 'E_RECIPIENT_SUPPRESSED')
  const upper = await instance.send({
    to: to.toUpperCase(),
    from: 'app@yourdomain.com',
    subject: 'again',
    text: 'x',
  })
  assert.equal(upper.status, 400, 'suppressed addresses compare case-insensitively')
})

test('policy@ is a permanent bounce that suppresses nobody', async () => {
  const { body, to } = await send('policy')
  assert.deepEqual(body.result?.permanent_bounces, [to])
  const again = await instance.send({ to, from: 'app@yourdomain.com', subject: 'again', text: 'x' })
  assert.deepEqual(again.body.result?.permanent_bounces, [to])
})

test('softbounce@ is queued, retried, and arrives at the third attempt', async () => {
  const { body, to } = await send('softbounce')
  assert.deepEqual(body.result?.queued, [to])
  assert.equal((await instance.inbox(`to:${to}`)).length, 1)
})

test('deferred@ and full@ are queued', async () => {
  for (const name of ['deferred', 'full']) {
    const { body, to } = await send(name)
    assert.deepEqual(body.result?.queued, [to])
  }
})

test('disconnect@ is queued: the connection was lost after the content', async () => {
  const { body, to } = await send('disconnect')
  assert.deepEqual(body.result?.queued, [to])
})

test('slow@ is delivered, and holds up nobody else', async () => {
  const slow = send('slow')
  const { body } = await send('delivered')
  assert.equal(body.result?.delivered.length, 1)
  assert.equal((await slow).body.result?.delivered.length, 1)
})

test('suppressed@ is refused as a whole', async () => {
  const { status, body } = await send('suppressed')
  assert.equal(status, 400)
  assert.equal(body.errors[0]?.error_chain?.[0]?.name, 'E_RECIPIENT_SUPPRESSED')
})

test('one message to several has an outcome for each', async () => {
  const at = (name: string) => `${name}+several@simulator.posthorn.test`
  const { body } = await instance.send({
    to: [at('delivered'), at('bounce'), at('deferred')],
    from: 'app@yourdomain.com',
    subject: 'several',
    text: 'x',
  })
  assert.deepEqual(body.result?.delivered, [at('delivered')])
  assert.deepEqual(body.result?.permanent_bounces, [at('bounce')])
  assert.deepEqual(body.result?.queued, [at('deferred')])
})
