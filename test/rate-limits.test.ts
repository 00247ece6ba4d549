import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Instance, startInstance } from '#test/instance.ts'
import { submitRaw } from '#test/submit-raw.ts'

/** How fast may be sent, over the doors. How rates are counted in depth is the registry's test. */
let instance: Instance

before(async () => {
  instance = await startInstance({
    POSTHORN_DEV_ZONES: 'yourdomain.com,second.example',
    POSTHORN_RATE_PER_ACCOUNT: '12/d',
    POSTHORN_RATE_PER_DOMAIN: '9/d',
    POSTHORN_RATE_PER_RECIPIENT: '2/d',
  })
})
after(async () => instance[Symbol.asyncDispose]())

const mail = (to: string | string[], from = 'app@yourdomain.com') => ({
  from,
  to,
  subject: 'rate',
  text: 'x',
})
const some = (count: number, name: string) =>
  Array.from({ length: count }, (_, index) => `${name}${index}@example.com`)

async function refusedWith(answer: ReturnType<Instance['send']>, words: RegExp): Promise<void> {
  const { status, headers, body } = await answer
  const [error] = body.errors
  assert.deepEqual(
    [status, error?.code, error?.error_chain?.[0]?.name],
    [429, 10004, 'E_RATE_LIMIT_EXCEEDED'],
    JSON.stringify(body),
  )
  assert.match(error?.error_chain?.[0]?.message ?? '', words)
  assert.match(headers.get('retry-after') ?? '', /^[1-9]\d*$/)
  // It may be tried again later, by itself.
  assert.equal(headers.get('x-should-retry'), null)
}

test('per recipient: so often, and not once more; others are not held up', async () => {
  for (let times = 0; times < 2; times++)
    assert.equal((await instance.send(mail('often@example.com'))).status, 200)
  await refusedWith(
    instance.send(mail(['often@example.com', 'other@example.com'])),
    /write to often@example\.com 2 times in a day/,
  )
  assert.equal((await instance.send(mail('other@example.com'))).status, 200)
})

test('what is refused, suppressed or goes nowhere counts for nothing', async () => {
  for (let times = 0; times < 3; times++) {
    assert.equal((await instance.send(mail('suppressed@simulator.posthorn.test'))).status, 400)
    const large = {
      content: Buffer.alloc(5e6).toString('base64'),
      filename: 'a',
      type: 'a/b',
      disposition: 'attachment',
    }
    const tooLarge = { ...mail('large@example.com'), attachments: [large] }
    assert.equal((await instance.send(tooLarge)).status, 400)
  }
  assert.equal((await instance.send(mail('large@example.com'))).status, 200)
})

test('per domain, then per account; SMTP says 451, and REST when to come again', async () => {
  assert.equal((await instance.send(mail(some(5, 'd')))).status, 200)
  await refusedWith(
    instance.send(mail('d9@example.com')),
    /The domain yourdomain\.com may send to 9 recipients in a day/,
  )
  assert.equal((await instance.send(mail(some(3, 'e'), 'a@second.example'))).status, 200)
  await refusedWith(
    instance.send(mail('e9@example.com', 'a@second.example')),
    /The account may send to 12 recipients in a day/,
  )
  const content = 'From: a@second.example\r\nTo: f@example.com\r\nSubject: s\r\n\r\nx\r\n'
  const reply = await submitRaw(instance.dev, { from: 'a@second.example', to: 'f@example.com', content })
  assert.match(reply, /^451 4\.7\.1 Try again later: The account may send to 12 recipients in a day/)
})
