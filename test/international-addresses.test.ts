import assert from 'node:assert/strict'
import { Resolver } from 'node:dns/promises'
import { after, before, test } from 'node:test'
import { authenticate } from 'mailauth'
import { type Instance, startInstance } from '#test/instance.ts'

let instance: Instance

before(async () => {
  instance = await startInstance()
})
after(async () => instance[Symbol.asyncDispose]())

test('an address beyond ASCII is sent from, sent to and shown as it is, and the signature holds (RFC 6531, 6532)', async () => {
  const { status, body } = await instance.send({
    from: { address: 'grüße@yourdomain.com', name: 'Jäne' },
    to: ['用户@bücher.example', 'ascii@example.com'],
    bcc: 'Ja\u0308ne@example.com',
    subject: 'Grüße',
    text: 'x',
  })
  assert.equal(status, 200, JSON.stringify(body))
  assert.deepEqual(
    new Set(body.result?.delivered),
    new Set(['用户@xn--bcher-kva.example', 'ascii@example.com', 'Jäne@example.com']),
  )
  const [blind] = await instance.inbox('recipient:jäne@example.com')
  assert.deepEqual(blind?.From, { Name: 'Jäne', Address: 'grüße@yourdomain.com' })
  assert.deepEqual(
    [blind.To.map(({ Address }) => Address), blind.Bcc.map(({ Address }) => Address)],
    [['用户@xn--bcher-kva.example', 'ascii@example.com'], ['Jäne@example.com']],
  )
  const raw = await instance.raw(blind.ID)
  assert.match(raw, /^From: =\?UTF-8\?Q\?J=C3=A4ne\?= <grüße@yourdomain\.com>\r$/m)
  assert.match(raw, /^To: 用户@xn--bcher-kva\.example, ascii@example\.com\r$/m)
  const dns = new Resolver()
  dns.setServers([`127.0.0.1:${instance.dev.dns.port}`])
  const { dkim, dmarc } = await authenticate(Buffer.from(raw), {
    ip: '127.0.0.1',
    helo: 'posthorn.test',
    sender: await instance.returnPath(blind.ID),
    mta: 'verifier.example',
    resolver: dns.resolve.bind(dns),
  })
  assert.equal(dkim.results[0]?.status.result, 'pass')
  assert.equal(dmarc && dmarc.status.result, 'pass')
})

test('a look-alike of punctuation, or what is invisible, is refused with a sentence that says so', async () => {
  for (const to of ['jäne@example.com＞@example.com', 'j\u202eane@example.com', 'ja\u200bne@example.com']) {
    const { status, body } = await instance.send({ from: 'a@yourdomain.com', to, subject: 'x', text: 'x' })
    assert.equal(status, 400)
    assert.match(JSON.stringify(body.errors), /invisible or unassigned characters/)
  }
})
