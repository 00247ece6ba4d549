import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OperatorUser } from '#contract/operator-users.ts'
import type { PasswordResetBody, SessionBody } from '#contract/session.ts'
import { onEachEngine } from '#test/each-engine.ts'
import { fetchAtHost } from '#test/fetch-at-host.ts'
import { developmentBrowser, openBrowser } from '#test/http-browser.ts'
import { startInstance } from '#test/instance.ts'
import { mailedLink, mailedLinks } from '#test/mailed-links.ts'
import { askOperator } from '#test/operator.ts'

const RESETS = '/session/v1/password-resets'

/** A password that was forgotten: a link comes by mail to whoever has the address, and nothing tells who that is. */
onEachEngine((instance) => {
  const account = () => `/client/v4/accounts/${instance().dev.account_id}`
  const person = async (email: string) => {
    const body = { email, account_id: instance().dev.account_id, password: 'the old password' }
    assert.equal((await askOperator<OperatorUser>(instance(), 'POST', '/users', { body })).status, 200)
  }
  const ask = (email: string, headers = {}) =>
    openBrowser(instance()).ask('POST', RESETS, { body: { email }, headers })
  const tokenOf = (link: URL) => link.hash.slice(1)
  const look = (token: string) =>
    openBrowser(instance()).ask<PasswordResetBody>('POST', `${RESETS}/look`, { body: { token } })
  const accept = (token: string, password: string, browser = openBrowser(instance()), headers = {}) =>
    browser.ask<SessionBody>('POST', `${RESETS}/accept`, { body: { token, password }, headers })

  test('the link of a mail sets a new password, signs in, and ends every other session', async () => {
    await person('ann@example.com')
    const [one, two] = [openBrowser(instance()), openBrowser(instance())]
    for (const browser of [one, two])
      assert.equal((await browser.signIn('ann@example.com', 'the old password')).status, 200)
    const asked = await ask('ANN@example.com')
    assert.deepEqual([asked.status, asked.result], [200, {}], asked.text)
    const link = await mailedLink(instance(), 'ann@example.com')
    assert.equal(`${link.origin}${link.pathname}${link.search}`, `${instance().dev.dashboard}/reset-password`)
    assert.match(link.hash, /^#[\w-]{43}$/)
    const [mail] = await instance().inbox('to:ann@example.com')
    const raw = await instance().raw(mail?.ID ?? '')
    assert.match(raw, /^From: Accounts <accounts@email\.posthorn\.test>\r?$/m)
    assert.match(raw, /^Auto-Submitted: auto-generated\r?$/m)
    assert.equal(await instance().returnPath(mail?.ID ?? ''), '')
    assert.match(raw.split('\r\n\r\n')[1] ?? '', /^Somebody/)

    const shown = await look(tokenOf(link))
    assert.equal(shown.result.email, 'ann@example.com')
    const left = Date.parse(shown.result.expires_at) - Date.now()
    assert.ok(left > 55 * 60_000 && left <= 60 * 60_000)
    const short = await accept(tokenOf(link), 'short')
    assert.deepEqual([short.status, short.error.pointer], [400, '/password'])
    const three = openBrowser(instance())
    const done = await accept(tokenOf(link), 'the new password', three)
    assert.equal(done.status, 200, done.text)
    assert.equal(done.result.user?.email, 'ann@example.com')
    assert.equal((await three.ask('GET', '/client/v4/zones')).status, 200)
    for (const browser of [one, two]) assert.equal((await browser.ask('GET', '/client/v4/zones')).status, 401)
    const again = [await look(tokenOf(link)), await accept(tokenOf(link), 'a third password')]
    assert.deepEqual(
      again.map(({ status }) => status),
      [404, 404],
    )
    assert.equal((await openBrowser(instance()).signIn('ann@example.com', 'the old password')).status, 401)
    assert.equal((await openBrowser(instance()).signIn('ann@example.com', 'the new password')).status, 200)
    const admin = await developmentBrowser(instance())
    const audit = await admin.ask<{ action: { type: string }; actor: { email: string; ip: string } }[]>(
      'GET',
      `${account()}/audit_logs?actor.email=ann@example.com&per_page=100`,
    )
    const lines = audit.result.filter(({ action: { type } }) => type.startsWith('password'))
    assert.deepEqual(
      lines.map(({ action, actor }) => [action.type, actor.ip !== '']),
      [
        ['password.reset', true],
        ['password_reset.create', true],
      ],
    )
  })

  test('every answer is the same, whoever has the address; a mail is sent to whom it belongs alone', async () => {
    await person('known@example.com')
    const answers = [await ask('known@example.com'), await ask('unknown@example.com')]
    const [known, unknown] = answers.map(({ status, text, headers }) => [
      ...[status, text, headers.getSetCookie()],
      [...headers].filter(([name]) => name !== 'date'),
    ])
    assert.deepEqual(known, unknown)
    // Wishes are seen to in their order.
    await ask('known@example.com')
    assert.equal((await mailedLinks(instance(), 'known@example.com', 2)).length, 2)
    assert.deepEqual(await instance().inbox('to:unknown@example.com', 0), [])
  })

  test('nobody’s mailbox is filled, and no answer tells that it would have been', async () => {
    await person('flooded@example.com')
    await person('last@example.com')
    const answers = await Promise.all(Array.from({ length: 10 }, () => ask('flooded@example.com')))
    assert.deepEqual(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size, 1)
    await ask('last@example.com')
    await mailedLink(instance(), 'last@example.com')
    const links = await mailedLinks(instance(), 'flooded@example.com', 3)
    assert.equal(links.length, 3)
    const working = (await Promise.all(links.map((link) => look(tokenOf(link))))).filter(
      ({ status }) => status === 200,
    )
    assert.equal(working.length, 1)
  })

  test('who administers an account sees nothing of such a mail, and cannot hold it up', async () => {
    await person('private@example.com')
    await ask('private@example.com')
    await mailedLink(instance(), 'private@example.com')
    const admin = await developmentBrowser(instance())
    for (const path of ['/email/sending/messages', '/email/activity']) {
      const list = await admin.ask('GET', `${account()}${path}`)
      assert.equal(list.status, 200, list.text)
      assert.doesNotMatch(list.text, /private@example\.com/)
    }
  })

  test('of two who use a link at the same time one does', async () => {
    await person('raced@example.com')
    await ask('raced@example.com')
    const token = tokenOf(await mailedLink(instance(), 'raced@example.com'))
    const answers = await Promise.all(['first one', 'second one'].map((word) => accept(token, `the ${word}`)))
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200, 404]))
  })

  test('a link that is none has one answer, whatever it is; no other page uses one', async () => {
    await person('careful@example.com')
    await ask('careful@example.com')
    const token = tokenOf(await mailedLink(instance(), 'careful@example.com'))
    const texts = new Set<string>()
    for (const wrong of [
      '',
      'x',
      `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`,
      'x'.repeat(4000),
    ])
      for (const answer of [await look(wrong), await accept(wrong, 'the new password')]) {
        assert.equal(answer.status, 404, answer.text)
        texts.add(answer.text)
      }
    assert.equal(texts.size, 1)
    for (const headers of [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: undefined, 'sec-fetch-site': 'cross-site' },
      { origin: undefined, cookie: `posthorn_session=${'A'.repeat(43)}` },
    ]) {
      for (const answer of [
        await ask('careful@example.com', headers),
        await accept(token, 'the new password', openBrowser(instance()), headers),
      ])
        assert.deepEqual([answer.status, answer.headers.getSetCookie()], [403, []])
    }
    assert.equal((await look(token)).status, 200)
    for (const email of ['no address', 'a@b@c', 'a\u0000@example.com'])
      assert.equal((await ask(email)).status, 400)
    assert.equal((await ask('no address')).error.pointer, '/email')
    assert.doesNotMatch(instance().log(), new RegExp(token))
  })

  test('whoever sits elsewhere is mailed nothing into an inbox that is there for them to read', async () => {
    const headers = { 'x-forwarded-for': '203.0.113.5' }
    const [known, unknown] = [
      await ask('careful@example.com', headers),
      await ask('nobody@example.com', headers),
    ]
    assert.deepEqual([known.status, known.text], [409, unknown.text])
    const shown = await openBrowser(instance()).ask<SessionBody>('GET', '/session/v1', { headers })
    assert.equal(shown.result.password_resets, false)
    const here = await openBrowser(instance()).ask<SessionBody>('GET', '/session/v1')
    assert.equal(here.result.password_resets, true)
  })

  test('a network that says too often that it forgot has to wait', async () => {
    const statuses = new Set<number>()
    for (let count = 0; count < 61; count++) {
      const answer = await ask(`many${count}@example.com`)
      statuses.add(answer.status)
      if (answer.status === 429) assert.ok(Number(answer.headers.get('retry-after')) > 60)
    }
    assert.deepEqual(statuses, new Set([200, 429]))
  })
})

test('reached by others, a development instance resets nothing by mail: they would read it', async () => {
  await using instance = await startInstance({ POSTHORN_PUBLIC_URL: 'https://mail.example.com' })
  const { dev } = instance
  const port = Number(new URL(dev.dashboard).port)
  for (const host of ['mail.example.com', 'localhost']) {
    const texts = new Set<string>()
    for (const email of [dev.admin.email, 'nobody@example.com']) {
      const body = JSON.stringify({ email })
      const asked = await fetchAtHost(port, `http://${host}:${port}${RESETS}`, { method: 'POST', body })
      assert.equal(asked.status, 409)
      texts.add(asked.text)
    }
    assert.equal(texts.size, 1)
    const shown = await fetchAtHost(port, `http://${host}:${port}/session/v1`, {})
    assert.equal(JSON.parse(shown.text).result.password_resets, false)
  }
})
