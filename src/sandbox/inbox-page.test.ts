import assert from 'node:assert/strict'
import Fastify from 'fastify'
import { openBodies } from '#bodies/bodies.ts'
import { onBothEngines } from '#test/stores.ts'
import { openInbox } from './inbox.ts'
import { inboxPage } from './inbox-page.ts'

onBothEngines(
  'the page at / lists mail as text, whatever the mail tries',
  async (_t, { store, directory }) => {
    const inbox = openInbox({ store, bodies: openBodies({ store, directory }) })
    const app = Fastify()
    await app.register(inboxPage(inbox))
    assert.match((await app.inject('/')).body, /No mail yet/)

    const hostile = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
    const content = Buffer.from(`From: a@b.example\r\nTo: c@d.example\r\nSubject: ${hostile}\r\n\r\nx`)
    await inbox.add(content, { from: 'a@b.example', to: ['"<svg/onload=alert(1)>"@d.example'] })
    await inbox.add(Buffer.from('no header at all'), { from: '', to: ['x@d.example'] })
    const international = Buffer.from('From: jäne@b.example\r\nSubject: שלום\r\n\r\nx')
    await inbox.add(international, { from: '', to: ['יוסי@d.example', '用户@d.example'] })
    const { body, headers } = await app.inject('/')
    assert.doesNotMatch(body, /<script|<img|<svg/)
    assert.match(body, /&#60;script&#62;/)
    assert.match(body, /\(no subject\)/)
    for (const text of ['jäne@b.example', 'שלום', 'יוסי@d.example', '用户@d.example'])
      assert.ok(body.includes(`<bdi>${text}</bdi>`), text)
    assert.match(String(headers['content-security-policy']), /default-src 'none'/)
    await app.close()
    await inbox.close()
  },
)
