import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import type { MessageAttachmentBody } from '#contract/message-preview.ts'
import { checkedFetch } from '#test/checked-fetch.ts'
import { onEachEngine } from '#test/each-engine.ts'
import { type Browser, developmentBrowser, openBrowser } from '#test/http-browser.ts'
import { type Instance, startInstance } from '#test/instance.ts'
import { verifiedAddress } from '#test/routing-instance.ts'
import { submitRaw } from '#test/submit-raw.ts'

/** What is attached to mail that was sent, as a list and as downloads, whatever its author called it; and how much of all
 *  contents is on its way at once. */
const base64 = (text: string) => Buffer.from(text).toString('base64')

const path = ({ dev }: Instance, messageId: string, what: string) =>
  `/client/v4/accounts/${dev.account_id}/email/sending/messages/${encodeURIComponent(messageId)}${what}`

async function send(instance: Instance, subject: string, content: object): Promise<string> {
  const mail = { from: 'app@yourdomain.com', to: 'look@example.com', subject, text: 'x', ...content }
  const { body } = await instance.send(mail)
  return body.result?.message_id ?? assert.fail(JSON.stringify(body.errors))
}

const list = async (instance: Instance, browser: Browser, id: string) =>
  (await browser.ask<MessageAttachmentBody[]>('GET', path(instance, id, '/attachments'))).result

onEachEngine((instance) => {
  /** As a client wrote it, header and body. */
  async function submit(subject: string, content: string): Promise<string> {
    const [from, to] = ['app@yourdomain.com', 'raw@example.com']
    const lines = `From: ${from}\nTo: ${to}\nSubject: ${subject}\n${content}`.replaceAll('\n', '\r\n')
    await submitRaw(instance().dev, { from, to, content: lines })
    const [mail] = await instance().inbox(`subject:${subject}`)
    return `<${mail?.MessageID}>`
  }

  test('a list of what is attached and embedded, and each as a download', async () => {
    const attachments = [
      { content: base64('a,b'), filename: 'figures.csv', type: 'text/csv', disposition: 'attachment' },
      {
        ...{ content: base64('png'), filename: 'l.png', type: 'image/png' },
        ...{ disposition: 'inline', content_id: 'logo' },
      },
      { content: base64('<script>'), filename: 'grün.html', type: 'text/html', disposition: 'attachment' },
    ]
    const id = await send(instance(), 'attached', { html: '<img src="cid:logo">', attachments })
    const browser = await developmentBrowser(instance())
    const found = await list(instance(), browser, id)
    assert.deepEqual(
      found.map(({ filename, size, disposition, content_type }) => ({
        filename,
        size,
        disposition,
        content_type,
      })),
      [
        { filename: 'l.png', size: 3, disposition: 'inline', content_type: 'image/png' },
        { filename: 'figures.csv', size: 3, disposition: 'attachment', content_type: 'text/csv' },
        { filename: 'grün.html', size: 8, disposition: 'attachment', content_type: 'text/html' },
      ],
    )
    const html = found.find(({ filename }) => filename === 'grün.html')
    const answer = await browser.ask('GET', path(instance(), id, `/attachments/${html?.id}`))
    assert.equal(answer.status, 200, answer.text)
    assert.equal(answer.text, '<script>')
    const expected = {
      'content-type': 'application/octet-stream',
      'content-disposition': `attachment; filename="gr_n.html"; filename*=UTF-8''gr%C3%BCn.html`,
      'content-security-policy': "sandbox; default-src 'none'",
      'x-content-type-options': 'nosniff',
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'cache-control': 'private, no-store',
    }
    for (const [name, value] of Object.entries(expected)) assert.equal(answer.headers.get(name), value)
    // As the document has both.
    const headers = { authorization: `Bearer ${instance().dev.api_token}` }
    for (const what of ['/attachments', `/attachments/${html?.id}`]) {
      const checked = await checkedFetch(`${instance().dev.dashboard}${path(instance(), id, what)}`, {
        headers,
      })
      assert.equal(checked.status, 200)
    }
  })

  test('whatever the names and types are, they are safe ones', async () => {
    const hostile = [
      `name="../../etc/cron.d/x"`,
      String.raw`filename="..\\..\\boot.ini"`,
      `filename*=utf-8''a%0D%0ASet-Cookie%3A%20x%3Dy%0D%0A`,
      `filename*=utf-8''invoice%E2%80%AEgpj.exe`,
      'filename="nul"',
      'filename=".htaccess"',
      `filename="=?utf-8?q?=22=3B_filename=3D=22b=2Eexe?="`,
      'filename=""',
    ]
    const parts = hostile.map((name, index) => {
      const type = index === 1 ? 'text/html"><script>' : 'text/html'
      const isType = name.startsWith('name=')
      return `--b\nContent-Type: ${type}${isType ? `; ${name}` : ''}\nContent-Disposition: attachment${isType ? '' : `; ${name}`}\n\n<script>alert(1)</script>\n`
    })
    const inner = '--b\nContent-Type: message/rfc822\n\nSubject: inner\n\nx\n'
    const id = await submit(
      'hostile',
      `MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n${parts.join('')}${inner}--b--\n`,
    )
    const browser = await developmentBrowser(instance())
    const found = await list(instance(), browser, id)
    assert.equal(found.length, hostile.length + 1)
    for (const { id: part, filename, content_type: type } of found) {
      assert.doesNotMatch(filename, /[\p{Cc}\p{Bidi_Control}"*/:<>?\\|]|^\.|^nul$|^$/u)
      assert.match(type, /^[a-z0-9]+\/[a-z0-9.-]+$/)
      const answer = await browser.ask('GET', path(instance(), id, `/attachments/${part}`))
      assert.equal(answer.status, 200, filename)
      assert.equal(answer.headers.get('content-type'), 'application/octet-stream')
      assert.equal(answer.headers.get('set-cookie'), null)
      const disposition = answer.headers.get('content-disposition') ?? ''
      assert.match(disposition, /^attachment; filename="[^"\\/%]+"; filename\*=UTF-8''[\w!~.%-]+$/)
      assert.equal(decodeURIComponent(disposition.split("''")[1] ?? ''), filename)
    }
    assert.ok(found.some(({ filename }) => /^attachment-\d\.eml$/.test(filename)))
  })

  test('for nobody else, and not where there is none', async () => {
    const id = await send(instance(), 'nothing', {})
    const browser = await developmentBrowser(instance())
    assert.deepEqual(await list(instance(), browser, id), [])
    for (const part of ['1', '0', '-1', 'x', '..%2f..%2fx', '1'.repeat(500)]) {
      const answer = await browser.ask('GET', path(instance(), id, `/attachments/${part}`))
      assert.deepEqual([answer.status, answer.error.detail], [404, 'This message has no such attachment.'])
    }
    const stranger = openBrowser(instance())
    for (const what of ['/attachments', '/attachments/1'])
      assert.equal((await stranger.ask('GET', path(instance(), id, what))).status, 401)
    const nobodys = `<${'f'.repeat(32)}@yourdomain.com>`
    for (const what of ['/attachments', '/attachments/1'])
      assert.equal((await browser.ask('GET', path(instance(), nobodys, what))).status, 404)
  })
})

test('many who read slowly are sent away in time, and take no memory with them', async () => {
  await using instance = await startInstance()
  const large = { content: base64('x'.repeat(10_000_000)), filename: 'large.txt', type: 'text/plain' }
  // Who asked for its mail may have more of it.
  await verifiedAddress(instance, 'me@example.com')
  const id = await send(instance, 'large', {
    to: 'me@example.com',
    attachments: [{ ...large, disposition: 'attachment' }],
  })
  const { dashboard, api_token } = instance.dev
  const opened: Socket[] = []
  /** Asks and reads no more than the beginning. */
  async function stall(what: string): Promise<number> {
    const socket = connect(Number(new URL(dashboard).port), '127.0.0.1')
    opened.push(socket)
    socket.write(
      `GET ${path(instance, id, what)} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${api_token}\r\n\r\n`,
    )
    await once(socket, 'readable')
    return Number(/^HTTP\/1\.1 (\d+)/.exec(String(socket.read()))?.[1])
  }
  const browser = await developmentBrowser(instance)
  try {
    const first = await Promise.all(Array.from({ length: 32 }, (_, at) => stall(at % 2 ? '' : '/source')))
    assert.deepEqual(new Set(first), new Set([200]))
    assert.equal(await stall('/source'), 429)
    // All of them together, whichever way they look.
    const [part] = await list(instance, browser, id)
    const answer = await browser.ask('GET', path(instance, id, `/attachments/${part?.id}`))
    assert.deepEqual([answer.status, answer.headers.get('retry-after')], [429, '1'])
  } finally {
    for (const socket of opened) socket.destroy()
  }
  for (;;) {
    const { status, text } = await browser.ask('GET', path(instance, id, '/source'))
    if (status === 429) continue
    assert.deepEqual([status, text.length > 13_000_000], [200, true])
    break
  }
})
