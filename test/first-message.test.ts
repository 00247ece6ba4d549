import assert from 'node:assert/strict'
import { Resolver } from 'node:dns/promises'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { authenticate } from 'mailauth'
import { type Instance, startInstance } from '#test/instance.ts'

let instance: Instance

before(async () => {
  instance = await startInstance()
})
after(async () => instance[Symbol.asyncDispose]())

/** Looks names up in the instance's own authoritative DNS. */
function lookups() {
  const dns = new Resolver()
  dns.setServers([`127.0.0.1:${instance.dev.dns.port}`])
  return dns
}

const welcome = {
  to: 'recipient@example.com',
  from: 'welcome@yourdomain.com',
  subject: 'Welcome to our service!',
  html: '<h1>Welcome!</h1><p>Thanks for signing up.</p>',
  text: 'Welcome! Thanks for signing up.',
}

test("the specification's first message is delivered, with a truthful answer, and stands in the inbox", async () => {
  const { status, body } = await instance.send(welcome)
  assert.equal(status, 200)
  assert.equal(body.success, true)
  assert.deepEqual(body.errors, [])
  assert.deepEqual(body.result?.delivered, ['recipient@example.com'])
  assert.deepEqual(body.result?.permanent_bounces, [])
  assert.deepEqual(body.result?.queued, [])
  assert.deepEqual(body.result?.suppressed_recipients, [])
  assert.match(body.result?.message_id ?? '', /^<[^@<>\s]+@yourdomain\.com>$/)
  const [message] = await instance.inbox('to:recipient@example.com')
  assert.equal(message?.Subject, 'Welcome to our service!')
  assert.equal(message?.From.Address, 'welcome@yourdomain.com')
})

test('what arrived passes SPF, DKIM and DMARC against the instance’s own DNS', async () => {
  const { body } = await instance.send({ ...welcome, to: 'checked@example.com' })
  assert.equal(body.result?.delivered.length, 1)
  const [message] = await instance.inbox('to:checked@example.com')
  const raw = await instance.raw(message?.ID ?? '')
  const dns = lookups()
  const returnPath = await instance.returnPath(message?.ID ?? '')
  assert.match(returnPath, /^[a-z2-7]+@cf-bounce\.yourdomain\.com$/)
  const result = await authenticate(raw, {
    ip: '127.0.0.1',
    helo: 'posthorn.test',
    sender: returnPath,
    mta: 'verifier.example',
    strict: true,
    resolver: dns.resolve.bind(dns),
  })
  assert.equal(result.spf && result.spf.status.result, 'pass')
  const [signature] = result.dkim.results
  assert.equal(signature?.status.result, 'pass')
  assert.equal(signature?.signingDomain, 'yourdomain.com')
  assert.equal(signature?.selector, 'cf-bounce')
  assert.equal(result.dmarc && result.dmarc.status.result, 'pass')
})

test('the headers that belong to the platform are there, once', async () => {
  await instance.send({ ...welcome, to: 'platform@example.com' })
  const [message] = await instance.inbox('to:platform@example.com')
  const raw = await instance.raw(message?.ID ?? '')
  const header = raw.slice(0, raw.indexOf('\r\n\r\n'))
  for (const name of [
    'Date',
    'Message-ID',
    'MIME-Version',
    'Feedback-ID',
    'CFBL-Address',
    'CFBL-Feedback-ID',
    'DKIM-Signature',
    'From',
    'To',
    'Subject',
    'Content-Type',
  ]) {
    assert.equal(header.match(new RegExp(`^${name}:`, 'gim'))?.length, 1, `${name} in\n${header}`)
  }
  assert.match(header, /^Received: by /m)
  assert.doesNotMatch(header, /X-Mailer|User-Agent|^TLS-/im)
  assert.match(header, /^CFBL-Address: fbl@cf-bounce\.yourdomain\.com; report=arf/m)
})

test('each recipient has a transaction and a return path of its own; Bcc is never on the wire', async () => {
  const { body } = await instance.send({
    ...welcome,
    to: ['one@many.example', { address: 'two@many.example', name: 'Two' }],
    cc: 'three@many.example',
    bcc: ['four@many.example', 'one@MANY.example'],
  })
  assert.deepEqual(body.result?.delivered.toSorted(), [
    'four@many.example',
    'one@many.example',
    'three@many.example',
    'two@many.example',
  ])
  const messages = await instance.inbox('many.example', 4)
  assert.equal(messages.length, 4)
  const raws = await Promise.all(messages.map(({ ID }) => instance.raw(ID)))
  const paths = await Promise.all(messages.map(({ ID }) => instance.returnPath(ID)))
  assert.equal(new Set(paths).size, 4)
  for (const raw of raws) {
    assert.doesNotMatch(raw, /four@many|^Bcc:/im)
  }
})

test('the records of the zone and of the service domain are answered', async () => {
  const dns = lookups()
  const mx = await dns.resolveMx('cf-bounce.yourdomain.com')
  assert.deepEqual(mx.map(({ exchange }) => exchange).toSorted(), [
    'route1.mx.posthorn.test',
    'route2.mx.posthorn.test',
    'route3.mx.posthorn.test',
  ])
  assert.equal((await dns.resolveMx('yourdomain.com')).length, 3)
  const txt = async (name: string) => (await dns.resolveTxt(name)).map((parts) => parts.join(''))
  assert.deepEqual(await txt('cf-bounce.yourdomain.com'), ['v=spf1 include:_spf.mx.posthorn.test ~all'])
  assert.deepEqual(await txt('yourdomain.com'), ['v=spf1 include:_spf.mx.posthorn.test ~all'])
  assert.deepEqual(await txt('_dmarc.yourdomain.com'), ['v=DMARC1; p=reject;'])
  assert.match((await txt('cf-bounce._domainkey.yourdomain.com')).join(), /^v=DKIM1; h=sha256; k=rsa; p=MII/)
  assert.match((await txt('cf2024-1._domainkey.yourdomain.com')).join(), /^v=DKIM1; h=sha256; k=rsa; p=MII/)
  assert.match((await txt('cf2024-1._domainkey.email.posthorn.test')).join(), /^v=DKIM1; /)
  assert.match((await txt('_spf.mx.posthorn.test')).join(), /^v=spf1 ip4:127\./)
  assert.deepEqual(await dns.resolve4('route2.mx.posthorn.test'), ['127.0.0.1'])
  await assert.rejects(dns.resolve4('example.com'), { code: 'EREFUSED' })
})

test('the data folder and its files are for their owner alone', () => {
  assert.equal(statSync(instance.directory).mode & 0o777, 0o700)
  for (const file of ['dev.json', 'posthorn.sqlite', 'master.key', 'dev-token']) {
    assert.equal(statSync(join(instance.directory, file)).mode & 0o077, 0, file)
  }
})

test('account, token, zone and inbox survive a restart', async () => {
  const before = instance.dev
  await instance.restart()
  assert.equal(instance.dev.account_id, before.account_id)
  assert.equal(instance.dev.api_token, before.api_token)
  assert.equal(instance.dev.zone_id, before.zone_id)
  assert.ok((await instance.inbox('to:recipient@example.com')).length > 0)
  assert.equal(
    (await instance.send({ ...welcome, to: 'again@example.com' })).body.result?.delivered.length,
    1,
  )
})
