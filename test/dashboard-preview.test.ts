import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { onEachEngine } from '#test/each-engine.ts'
import { developmentBrowser, openBrowser } from '#test/http-browser.ts'
import { startInstance } from '#test/instance.ts'

/** Mail that is looked at: what was sent and what is in the inbox, as a page that does nothing, and as its source. */
const png = Buffer.from('89504e470d0a1a0a', 'hex').toString('base64')
const html = `<h1>Hello</h1><script>alert(1)</script><link rel="preconnect" href="https://evil.example">
<img src="cid:logo"><img src="https://evil.example/pixel"><a href="https://evil.example" target="_top">x</a>`

onEachEngine((instance) => {
  const send = async (subject: string, content: object) => {
    const mail = { from: 'app@yourdomain.com', to: 'look@example.com', subject, ...content }
    const { body } = await instance().send(mail)
    return body.result?.message_id ?? assert.fail(JSON.stringify(body.errors))
  }
  const path = (messageId: string, what: string) =>
    `/client/v4/accounts/${instance().dev.account_id}/email/sending/messages/${encodeURIComponent(messageId)}/${what}`

  const holds = (headers: Headers, text: string) => {
    assert.equal(headers.get('content-type'), 'text/html; charset=utf-8')
    const csp = headers.get('content-security-policy')?.split('; ') ?? []
    for (const directive of ['sandbox', "default-src 'none'", 'img-src data:', "frame-ancestors 'self'"])
      assert.ok(csp.includes(directive), directive)
    assert.equal(headers.get('x-content-type-options'), 'nosniff')
    assert.equal(headers.get('referrer-policy'), 'no-referrer')
    assert.equal(headers.get('x-frame-options'), null)
    assert.match(text, /<h1>Hello<\/h1>/)
    assert.match(text, /<img src="data:image\/png;base64,iVBORw0KGgo=">/)
    assert.doesNotMatch(text, /<link/)
  }

  test('a message that was sent, by session and by token, and for nobody else', async () => {
    const attachments = [
      { content: png, filename: 'l.png', type: 'image/png', disposition: 'inline', content_id: 'logo' },
    ]
    const id = await send('preview', { html, text: 'Hello', attachments })
    const browser = await developmentBrowser(instance())
    const preview = await browser.ask('GET', path(id, 'preview'))
    assert.equal(preview.status, 200, preview.text)
    holds(preview.headers, preview.text)
    const headers = { authorization: `Bearer ${instance().dev.api_token}` }
    const stranger = openBrowser(instance())
    assert.equal((await stranger.ask('GET', path(id, 'preview'), { headers })).text, preview.text)
    assert.equal((await stranger.ask('GET', path(id, 'preview'))).status, 401)
    assert.equal((await stranger.ask('GET', path(id, 'source'))).status, 401)
    const source = await browser.ask('GET', path(id, 'source'))
    assert.equal(source.headers.get('content-type'), 'text/plain; charset=utf-8')
    assert.match(source.headers.get('content-security-policy') ?? '', /^sandbox; default-src 'none'/)
    assert.match(source.text, /^Subject: preview\r$/m)
    assert.equal((await browser.ask('GET', path(`<${'f'.repeat(32)}@yourdomain.com>`, 'source'))).status, 404)

    const [mail] = await instance().inbox('subject:preview')
    const inbox = await fetch(`${instance().dev.inbox}/message/${mail?.ID}/preview`)
    assert.equal(inbox.status, 200)
    holds(inbox.headers, await inbox.text())
    assert.equal((await fetch(`${instance().dev.inbox}/message/nobodys/preview`)).status, 404)
    const foreign = await fetch(`${instance().dev.inbox}/message/${mail?.ID}/preview`, {
      headers: { 'sec-fetch-site': 'cross-site' },
    })
    assert.equal(foreign.status, 403)
  })

  test('text alone is shown as text', async () => {
    const id = await send('text', { text: 'a < b & "c"\n<script>alert(1)</script>' })
    const browser = await developmentBrowser(instance())
    const { text } = await browser.ask('GET', path(id, 'preview'))
    assert.match(text, /<pre>a &#60; b &#38; &#34;c&#34;/)
    assert.doesNotMatch(text, /<script/)
  })

  test('where the preview of a domain is off, a sentence says so', async () => {
    const browser = await developmentBrowser(instance())
    const base = `/client/v4/zones/${instance().dev.zone_id}/email/sending/subdomains`
    const made = await browser.ask<{ tag: string }>('POST', base, { body: { name: 'off.yourdomain.com' } })
    assert.equal(made.status, 200, made.text)
    const off = await browser.ask('PATCH', `${base}/${made.result.tag}`, { body: { preview_enabled: false } })
    assert.equal(off.status, 200, off.text)
    const id = await send('off', { from: 'app@off.yourdomain.com', text: 'x' })
    for (const what of ['preview', 'source']) {
      const answer = await browser.ask('GET', path(id, what))
      assert.deepEqual(
        [answer.status, answer.error.detail],
        [404, 'The preview of messages is off for the domain of this one.'],
      )
    }
  })
})

test('where the content is gone, a sentence says so', async () => {
  await using instance = await startInstance()
  const mail = { from: 'app@yourdomain.com', to: 'gone@example.com', subject: 'gone', text: 'x' }
  const { body } = await instance.send(mail)
  await instance.inbox('subject:gone')
  const database = new DatabaseSync(join(instance.directory, 'posthorn.sqlite'))
  database.exec('pragma busy_timeout = 5000; delete from body')
  database.close()
  const browser = await developmentBrowser(instance)
  const id = encodeURIComponent(body.result?.message_id ?? '')
  const path = `/client/v4/accounts/${instance.dev.account_id}/email/sending/messages/${id}`
  for (const what of ['preview', 'source']) {
    const answer = await browser.ask('GET', `${path}/${what}`)
    assert.deepEqual(
      [answer.status, answer.error.detail],
      [404, 'The content of this message has been deleted.'],
    )
  }
})
