import assert from 'node:assert/strict'
import { request } from 'node:http'
import { after, before, test } from 'node:test'
import { type Answer, type Instance, startInstance } from '#test/instance.ts'

let instance: Instance

before(async () => {
  instance = await startInstance()
})
after(async () => instance[Symbol.asyncDispose]())

const good = { to: 'b@example.com', from: 'a@yourdomain.com', subject: 's', text: 't' }
const attachment = { content: 'aGk=', filename: 'a.txt', type: 'text/plain', disposition: 'attachment' }

function refuses({ status, body }: Answer, pointer: string, what: string): void {
  assert.equal(status, 400, `${what}: ${JSON.stringify(body)}`)
  assert.equal(body.success, false)
  assert.equal(body.result, null)
  assert.ok([10001, 10202].includes(body.errors[0]?.code ?? 0), what)
  assert.ok(
    body.errors[0]?.source?.pointer.startsWith(pointer),
    `${what}: ${body.errors[0]?.source?.pointer} for ${pointer}`,
  )
}

/** The same payload in every field that ends up in a header. */
const fields: [string, (payload: string) => object][] = [
  ['/subject', (p) => ({ ...good, subject: p })],
  ['/from', (p) => ({ ...good, from: p })],
  ['/from', (p) => ({ ...good, from: { address: 'a@yourdomain.com', name: p } })],
  ['/from', (p) => ({ ...good, from: `a${p}@yourdomain.com` })],
  ['/to', (p) => ({ ...good, to: `b@example.com${p}` })],
  ['/to/0', (p) => ({ ...good, to: [{ address: 'b@example.com', name: p }] })],
  ['/cc', (p) => ({ ...good, cc: p })],
  ['/bcc', (p) => ({ ...good, bcc: [p] })],
  ['/reply_to', (p) => ({ ...good, reply_to: { address: 'r@example.com', name: p } })],
  ['/headers', (p) => ({ ...good, headers: { 'X-A': p } })],
  ['/headers', (p) => ({ ...good, headers: { [`X-A${p}`]: 'x' } })],
  ['/headers', (p) => ({ ...good, headers: { References: p } })],
  ['/attachments/0/filename', (p) => ({ ...good, attachments: [{ ...attachment, filename: p }] })],
  ['/attachments/0/type', (p) => ({ ...good, attachments: [{ ...attachment, type: `text/plain${p}` }] })],
  [
    '/attachments/0/content_id',
    (p) => ({ ...good, attachments: [{ ...attachment, disposition: 'inline', content_id: p }] }),
  ],
]

const payloads: Record<string, string> = {
  CRLF: 'x\r\nBcc: evil@evil.example',
  LF: 'x\nBcc: evil@evil.example',
  CR: 'x\rBcc: evil@evil.example',
  NUL: 'x\u0000y',
  folding: 'x\r\n Bcc: evil@evil.example',
  'a whole body': 'x\r\n\r\nevil',
  'a lone surrogate': 'x\ud800y',
}

for (const [name, payload] of Object.entries(payloads)) {
  test(`${name} in any field is a 4xx that names the field`, async () => {
    for (const [pointer, body] of fields)
      refuses(await instance.send(body(payload)), pointer, `${name} at ${pointer}`)
  })
}

test('values of wrong types are refused by name, everywhere', async () => {
  const wrong: unknown[] = [null, 5, true, {}, [], [[]], { a: 1 }, [null], 1e308, -0]
  for (const field of [
    'from',
    'to',
    'cc',
    'bcc',
    'reply_to',
    'subject',
    'text',
    'html',
    'headers',
    'attachments',
  ]) {
    for (const value of wrong) {
      const answer = await instance.send({ ...good, [field]: value })
      const empty =
        (field === 'headers' && JSON.stringify(value) === '{}') ||
        (['attachments', 'cc', 'bcc'].includes(field) && JSON.stringify(value) === '[]')
      if (empty) assert.equal(answer.status, 200)
      else refuses(answer, `/${field}`, `${field} = ${JSON.stringify(value)}`)
    }
  }
})

test('every page limit is refused by its own name', async () => {
  const name = async (body: object) => (await instance.send(body)).body.errors[0]?.error_chain?.[0]?.name
  const many = Array.from({ length: 51 }, (_, i) => `u${i}@example.com`)
  assert.equal(await name({ ...good, to: many }), 'E_TOO_MANY_RECIPIENTS')
  assert.equal(await name({ ...good, to: many.slice(0, 26), cc: many.slice(0, 25) }), 'E_TOO_MANY_RECIPIENTS')
  assert.equal(
    await name({ ...good, attachments: Array.from({ length: 33 }, () => attachment) }),
    'E_TOO_MANY_ATTACHMENTS',
  )
  assert.equal(await name({ ...good, subject: 'x'.repeat(999) }), 'E_VALIDATION_ERROR')
  assert.equal(await name({ from: good.from, subject: 's', text: 't' }), 'E_FIELD_MISSING')
  assert.equal(await name({ ...good, text: '', html: '' }), 'E_FIELD_MISSING')
  assert.equal(await name({ ...good, headers: { Date: 'now' } }), 'E_HEADER_NOT_ALLOWED')
  assert.equal(await name({ ...good, headers: { From: 'x' } }), 'E_HEADER_USE_API_FIELD')
  assert.equal(await name({ ...good, headers: { 'X-A': '' } }), 'E_HEADER_VALUE_INVALID')
  assert.equal(await name({ ...good, headers: { 'X-A': 'x'.repeat(2049) } }), 'E_HEADER_VALUE_TOO_LONG')
  assert.equal(await name({ ...good, headers: { 'Bad Header!': 'x' } }), 'E_HEADER_NAME_INVALID')
  const large = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`X-${i}`, 'x'.repeat(2000)]))
  assert.equal(await name({ ...good, headers: large }), 'E_HEADERS_TOO_LARGE')
  assert.equal(await name({ ...good, replyTo: 'x@y.example' }), 'E_VALIDATION_ERROR')
  assert.equal((await instance.send({ ...good, to: many.slice(0, 50) })).status, 200)
  assert.equal((await instance.send({ ...good, subject: 'x'.repeat(998) })).status, 200)
})

test('base64 is strict', async () => {
  for (const content of [
    'aGk',
    'aGk=\n',
    'a Gk=',
    'aGk-',
    '====',
    'aGk=aGk=',
    'data:text/plain;base64,aGk=',
    'é',
  ]) {
    refuses(
      await instance.send({ ...good, attachments: [{ ...attachment, content }] }),
      '/attachments/0/content',
      content,
    )
  }
})

test('more than 5 MiB is 400/10200, more than any body limit too, and the server goes on', async () => {
  const content = Buffer.alloc(4 * 1_048_576).toString('base64')
  const tooBig = await instance.send({ ...good, attachments: [{ ...attachment, content }] })
  assert.equal(tooBig.status, 400)
  assert.equal(tooBig.body.errors[0]?.code, 10200)
  const huge = await instance.send(Buffer.alloc(100 * 1_048_576, 0x20))
  assert.equal(huge.status, 400)
  assert.equal(huge.body.errors[0]?.code, 10200)
  assert.equal((await instance.send(good)).status, 200)
})

test('a body without Content-Length is 400/10201', async () => {
  const { api, account_id, api_token } = instance.dev
  const answer = await new Promise<string>((resolve, reject) => {
    const chunked = request(`${api}/accounts/${account_id}/email/sending/send`, {
      method: 'POST',
      headers: { authorization: `Bearer ${api_token}`, 'transfer-encoding': 'chunked' },
    })
    chunked.once('error', reject)
    chunked.once('response', (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString()
      })
      response.on('end', () => resolve(`${response.statusCode} ${text}`))
    })
    chunked.end(JSON.stringify(good))
  })
  assert.match(answer, /^400 .*10201/)
})

test('unknown routes, methods and malformed URLs answer with the envelope', async () => {
  const base = instance.dev.api.replace('/client/v4', '')
  for (const [method, path] of [
    ['GET', '/client/v4/nothing'],
    ['GET', '/nothing'],
    ['PUT', `/client/v4/accounts/${instance.dev.account_id}/email/sending/send`],
  ]) {
    const response = await fetch(`${base}${path}`, { method: method ?? 'GET' })
    assert.equal(response.status, 404)
    const body = (await response.json()) as Answer['body']
    assert.equal(body.errors[0]?.code, 7003)
  }
  const malformed = await fetch(`${base}/client/v4/accounts/%zz/email/sending/send`, {
    method: 'POST',
    body: '{}',
  })
  assert.equal(malformed.status, 400)
  assert.equal(((await malformed.json()) as Answer['body']).success, false)
})

test('nothing of all that reached the inbox with a header that nobody gave', async () => {
  await instance.send({ ...good, to: 'last@example.com' })
  await instance.inbox('to:last@example.com')
  const list = (await (await fetch(`${instance.dev.inbox}/messages?limit=500`)).json()) as {
    messages: { ID: string }[]
  }
  for (const { ID } of list.messages) assert.doesNotMatch(await instance.raw(ID), /evil@evil\.example/)
  assert.doesNotMatch(instance.log(), new RegExp(instance.dev.api_token), 'the token is not in the log')
})
