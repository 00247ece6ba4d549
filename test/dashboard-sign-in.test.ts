import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SessionBody, SessionEntry } from '#contract/session.ts'
import { onEachEngine } from '#test/each-engine.ts'
import { fetchAtHost } from '#test/fetch-at-host.ts'
import { developmentBrowser, openBrowser } from '#test/http-browser.ts'
import { startInstance } from '#test/instance.ts'
import { until } from '#test/outbound.ts'

/** Signing in to the dashboard: what a session is, how it begins and ends, and who cannot have one. */
onEachEngine((instance) => {
  const admin = () => instance().dev.admin
  const signedIn = async () => {
    const browser = openBrowser(instance())
    const answer = await browser.signIn(admin().email, admin().password)
    assert.equal(answer.status, 200, answer.text)
    return browser
  }
  const isIn = async (browser: ReturnType<typeof openBrowser>, cookie = browser.cookie()) =>
    (await browser.ask<SessionBody>('GET', '/session/v1', { headers: { cookie } })).result.user !== null

  test('nobody is signed in: that is an answer, with what the service is', async () => {
    const { status, result, headers } = await openBrowser(instance()).ask<SessionBody>('GET', '/session/v1')
    const { dev } = instance()
    assert.equal(status, 200)
    assert.equal(headers.get('cache-control'), 'no-store')
    assert.deepEqual([result.user, result.csrf_token, result.accounts], [null, null, []])
    assert.equal(result.development, true)
    assert.equal(result.service.domain, 'posthorn.test')
    assert.equal(result.service.public_url, dev.dashboard)
    assert.deepEqual(result.service.mx.port, dev.mx.port)
    assert.deepEqual(result.service.submission.port, dev.submission.port)
    assert.equal(result.service.workers, `http://localhost:${dev.workers.port}`)
  })

  test('a password signs in: a cookie that no script reads, and the API is open to it', async () => {
    const browser = openBrowser(instance())
    const answer = await browser.signIn(admin().email.toUpperCase(), admin().password)
    assert.equal(answer.status, 200, answer.text)
    const [set = ''] = answer.headers.getSetCookie()
    assert.match(set, /^posthorn_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=2592000$/)
    const { user, accounts, csrf_token } = answer.result
    assert.equal(user?.email, admin().email)
    assert.equal(user?.operator, true)
    assert.match(csrf_token ?? '', /^[\w-]{43}$/)
    assert.deepEqual(
      accounts.map(({ id, role, sending_enabled }) => [id, role, sending_enabled]),
      [[instance().dev.account_id, 'admin', true]],
    )
    const zones = await browser.ask<{ name: string }[]>('GET', '/client/v4/zones')
    assert.deepEqual(
      zones.result.map(({ name }) => name),
      ['yourdomain.com'],
    )
    const query = { query: '{ viewer { zones { zoneTag } } }' }
    const graphql = await browser.ask('POST', '/client/v4/graphql', { body: query })
    assert.equal(JSON.parse(graphql.text).data.viewer.zones[0].zoneTag, instance().dev.zone_id)
    const queue = await browser.ask('GET', '/operator/v1/queue')
    assert.equal(queue.status, 200, queue.text)
  })

  test('no cache keeps what is answered to somebody who is signed in', async () => {
    const browser = await signedIn()
    const { account_id, zone_id } = instance().dev
    for (const path of [
      ...['/client/v4/zones', '/client/v4/user', `/client/v4/zones/${zone_id}`, '/client/v4/nothing'],
      ...[`/client/v4/accounts/${account_id}/audit_logs`, '/operator/v1/queue', '/session/v1'],
      ...[`/client/v4/accounts/${account_id}/email/activity`, '/api/v1/messages', '/%'],
    ]) {
      const { headers } = await browser.ask('GET', path)
      assert.match(headers.get('cache-control') ?? '', /^(?:private, )?no-store$/, path)
      assert.equal(headers.get('x-content-type-options'), 'nosniff', path)
    }
  })

  test('one click signs in on this machine, by POST alone and by no other name', async () => {
    const browser = await developmentBrowser(instance())
    assert.equal(browser.session().user?.email, admin().email)
    const { dashboard } = instance().dev
    assert.equal((await fetch(`${dashboard}/session/v1/sign-in/development`)).status, 404)
    const port = Number(new URL(dashboard).port)
    const elsewhere = await fetchAtHost(port, `http://evil.example:${port}/session/v1/sign-in/development`, {
      method: 'POST',
      body: '{}',
    })
    assert.equal(elsewhere.status, 421)
  })

  test('one click signs in nobody for whom a proxy asks, whatever Host it says', async () => {
    for (const header of ['x-forwarded-for', 'forwarded', 'via', 'x-real-ip', 'x-forwarded-host']) {
      const headers = { [header]: '203.0.113.5' }
      const click = await openBrowser(instance()).ask('POST', '/session/v1/sign-in/development', {
        ...{ body: {}, headers },
      })
      assert.deepEqual([click.status, click.headers.getSetCookie()], [404, []], header)
      const shown = await openBrowser(instance()).ask<SessionBody>('GET', '/session/v1', { headers })
      assert.equal(shown.result.development, false, header)
    }
  })

  test('fixation: every sign-in has a secret of its own, and the one before ends', async () => {
    const { dashboard } = instance().dev
    const planted = `posthorn_session=${'A'.repeat(43)}`
    const browser = openBrowser(instance())
    const body = { email: admin().email, password: admin().password }
    const first = await browser.ask('POST', '/session/v1/sign-in', { body, headers: { cookie: planted } })
    assert.equal(first.status, 200, first.text)
    assert.notEqual(browser.cookie(), planted)
    assert.equal(await isIn(browser, planted), false)
    const before = browser.cookie()
    assert.equal((await browser.signIn(body.email, body.password)).status, 200)
    assert.notEqual(browser.cookie(), before)
    assert.equal(await isIn(browser, before), false)
    assert.equal(await isIn(browser), true)
    assert.equal((await fetch(`${dashboard}/session/v1`, { method: 'HEAD' })).headers.get('set-cookie'), null)
  })

  test('of two sessions neither counts: a neighbour on another port has planted one', async () => {
    const [victim, neighbour] = [await signedIn(), await signedIn()]
    const [own = '', planted = ''] = [victim.cookie(), neighbour.cookie()]
    for (const cookie of [`${planted}; ${own}`, `${own}; ${planted}`, `${own}; posthorn_session=`])
      assert.equal(await isIn(victim, cookie), false, cookie)
    assert.equal(await isIn(victim, `a=1; ${own}; ${own}`), true)
    assert.equal(await isIn(neighbour), true)
  })

  test('CSRF: what changes something wants an origin that is ours and the token of the session', async () => {
    const browser = await signedIn()
    const path = `/client/v4/accounts/${instance().dev.account_id}`
    const put = (headers: Record<string, string | undefined>, target = path) =>
      browser.ask('PUT', target, { body: { name: 'Taken over' }, headers })
    const other = (await signedIn()).session().csrf_token ?? ''
    const refused: Record<string, Record<string, string | undefined>> = {
      'another origin': { origin: 'https://evil.example' },
      'another port': { origin: 'http://localhost:1' },
      'no origin that it would say': { origin: 'null' },
      'another site': { origin: undefined, 'sec-fetch-site': 'cross-site' },
      'a neighbour': { origin: undefined, 'sec-fetch-site': 'same-site' },
      'neither origin nor site': { origin: undefined },
      'no token': { 'x-csrf-token': undefined },
      'an empty token': { 'x-csrf-token': '' },
      'the token of another session': { 'x-csrf-token': other },
      'a longer token': { 'x-csrf-token': `${browser.session().csrf_token}x` },
    }
    for (const [what, headers] of Object.entries(refused)) {
      for (const target of [path, '/operator/v1/pauses', '/session/v1/sign-out']) {
        const answer =
          target === path ? await put(headers) : await browser.ask('POST', target, { body: {}, headers })
        assert.deepEqual([answer.status, answer.error.code], [403, 10102], `${what} at ${target}`)
      }
    }
    assert.equal(await isIn(browser), true)
    const name = (await browser.ask<{ name: string }>('GET', path)).result.name
    assert.equal((await put({}, path)).status, 200)
    assert.equal((await browser.ask('PUT', path, { body: { name } })).status, 200)
    assert.equal(
      (await put({ origin: undefined, 'sec-fetch-site': 'same-origin' }, path)).status,
      200,
      'a browser that says so by Sec-Fetch-Site',
    )
    await browser.ask('PUT', path, { body: { name } })
  })

  test('login CSRF: no other page signs its visitors in', async () => {
    for (const path of ['/session/v1/sign-in', '/session/v1/sign-in/development']) {
      for (const headers of [
        { origin: 'https://evil.example' },
        { origin: 'null' },
        { origin: undefined, 'sec-fetch-site': 'cross-site' },
        { origin: undefined, cookie: `posthorn_session=${'A'.repeat(43)}` },
      ]) {
        const answer = await openBrowser(instance()).ask('POST', path, { body: admin(), headers })
        assert.deepEqual([answer.status, answer.headers.getSetCookie()], [403, []])
      }
    }
  })

  test('an Authorization header wins over the cookie, also where it is not valid', async () => {
    const browser = await signedIn()
    const { api_token } = instance().dev
    const ask = (authorization: string) =>
      browser.ask('GET', '/client/v4/user', { headers: { authorization } })
    // The token is the account's, so it has no user.
    assert.equal((await ask(`Bearer ${api_token}`)).status, 403)
    assert.equal((await ask('Bearer nobodys')).status, 401)
    assert.equal((await browser.ask('GET', '/client/v4/user')).status, 200)
    const headers = { authorization: `Bearer ${api_token}`, origin: undefined, 'x-csrf-token': undefined }
    const path = `/client/v4/accounts/${instance().dev.account_id}`
    const { name } = (await browser.ask<{ name: string }>('GET', path)).result
    assert.equal((await browser.ask('PUT', path, { body: { name }, headers })).status, 200)
  })

  test('signed out is signed out, here and everywhere, also for whoever kept the cookie', async () => {
    const [one, two, three] = [await signedIn(), await signedIn(), await signedIn()]
    const kept = one.cookie()
    const out = await one.ask<SessionBody>('POST', '/session/v1/sign-out', { body: {} })
    assert.equal(out.result.user, null)
    assert.match(out.headers.getSetCookie()[0] ?? '', /^posthorn_session=; .*Max-Age=0$/)
    assert.equal(await isIn(one, kept), false)
    assert.equal((await one.ask('GET', '/client/v4/user', { headers: { cookie: kept } })).status, 401)
    assert.equal(await isIn(two), true)
    const cookies = [two.cookie(), three.cookie()]
    assert.equal((await two.ask('POST', '/session/v1/sign-out-everywhere', { body: {} })).status, 200)
    assert.equal(await isIn(two, cookies[0]), false)
    assert.equal(await isIn(three, cookies[1]), false)
  })

  test('the sessions of a user are listed, and any of them can be ended', async () => {
    const here = await signedIn()
    const there = openBrowser(instance(), `Other browser ${'x'.repeat(1000)}`)
    await there.signIn(admin().email, admin().password)
    const list = async () => (await here.ask<SessionEntry[]>('GET', '/session/v1/sessions')).result
    const others = (await list()).filter(({ current }) => !current)
    const other = others.find(({ user_agent }) => user_agent.startsWith('Other browser'))
    assert.ok(other)
    assert.equal(other.user_agent.length, 300)
    assert.match(other.address, /^(?:127\.0\.0\.1|::1)$/)
    assert.equal((await list()).filter(({ current }) => current).length, 1)
    assert.equal((await here.ask('DELETE', `/session/v1/sessions/${other.id}`)).status, 200)
    assert.equal(await isIn(there), false)
    assert.equal((await here.ask('DELETE', `/session/v1/sessions/${other.id}`)).status, 404)
    assert.equal((await here.ask('DELETE', "/session/v1/sessions/x'--")).status, 404)
    assert.equal((await openBrowser(instance()).ask('GET', '/session/v1/sessions')).status, 401)
  })

  test('wrong passwords: one answer for all, and soon none at all for a while', async () => {
    const wrong = (email: string) => openBrowser(instance()).signIn(email, 'not the password')
    const [known, unknown] = [await wrong(admin().email), await wrong('nobody@yourdomain.com')]
    assert.deepEqual([known.status, known.text], [401, unknown.text])
    assert.deepEqual([known.error.code, known.headers.getSetCookie()], [10000, []])
    for (const email of ['guessed@yourdomain.com', 'x\u0000@yourdomain.com']) {
      const statuses: number[] = []
      for (let count = 0; count < 12; count++) statuses.push((await wrong(email)).status)
      const expected = email.includes('\u0000') ? Array(12).fill(400) : [...Array(10).fill(401), 429, 429]
      assert.deepEqual(statuses, expected)
    }
    const limited = await wrong('GUESSED@yourdomain.com')
    assert.equal(limited.status, 429)
    assert.ok(Number(limited.headers.get('retry-after')) > 60)
    // Nobody else is locked out by it.
    assert.equal((await openBrowser(instance()).signIn(admin().email, admin().password)).status, 200)
    // The account's administrators see who tried.
    await until('the line about a wrong password', async () => {
      const browser = await developmentBrowser(instance())
      const path = `/client/v4/accounts/${instance().dev.account_id}/audit_logs?action.type=session.refuse`
      const lines = await browser.ask<{ actor: { email: string; ip: string } }[]>('GET', path)
      return lines.result.some(({ actor }) => actor.email === admin().email && actor.ip !== '')
    })
  })

  test('many who guess at once share what there is for passwords: some are asked to wait', async () => {
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, index) =>
        openBrowser(instance()).signIn(`many${index}@yourdomain.com`, 'not the password'),
      ),
    )
    const statuses = new Set(answers.map(({ status }) => status))
    assert.deepEqual(statuses, new Set([401, 429]))
  })

  test('a new password wants the current one, and ends the other sessions', async () => {
    const made = await (await signedIn()).ask<{ password: string }>('POST', '/operator/v1/users', {
      body: { email: 'changes@yourdomain.com', account_id: instance().dev.account_id },
    })
    assert.equal(made.status, 200, made.text)
    const { password } = made.result
    const [here, there] = [openBrowser(instance()), openBrowser(instance())]
    for (const browser of [here, there])
      assert.equal((await browser.signIn('changes@yourdomain.com', password)).status, 200)
    const change = (current_password: string, new_password: string) =>
      here.ask('POST', '/session/v1/password', { body: { current_password, new_password } })
    assert.equal((await change('something else', 'a new password')).status, 401)
    assert.deepEqual(
      [(await change(password, 'short')).status, (await change(password, 'short')).error.pointer],
      [400, '/new_password'],
    )
    assert.equal((await change(password, 'a new password')).status, 200)
    assert.deepEqual([await isIn(here), await isIn(there)], [true, false])
    assert.equal((await openBrowser(instance()).signIn('changes@yourdomain.com', password)).status, 401)
    assert.equal((await there.signIn('changes@yourdomain.com', 'a new password')).status, 200)
    // Not an operator: nothing of the installation's.
    assert.equal((await there.ask('GET', '/operator/v1/queue')).status, 403)
  })

  test('10103: sending by REST wants a token; the form of the dashboard has a route of its own', async () => {
    const browser = await signedIn()
    const { account_id, api_token } = instance().dev
    const body = { from: 'app@yourdomain.com', to: 'x@example.com', subject: 'by session', text: 'x' }
    const send = await browser.ask('POST', `/client/v4/accounts/${account_id}/email/sending/send`, { body })
    assert.deepEqual([send.status, send.error.code], [401, 10103])
    const raw = await browser.ask('POST', `/client/v4/accounts/${account_id}/email/sending/send_raw`, {
      body,
    })
    assert.deepEqual([raw.status, raw.error.code], [401, 10103])
    const path = `/session/v1/accounts/${account_id}/test-message`
    const tried = await browser.ask<{ delivered: string[] }>('POST', path, { body })
    assert.deepEqual([tried.status, tried.result.delivered], [200, ['x@example.com']])
    const headers = { authorization: `Bearer ${api_token}` }
    const byToken = await browser.ask('POST', path, { body, headers })
    assert.deepEqual([byToken.status, byToken.error.code], [401, 10103])
    const forged = await browser.ask('POST', path, { body, headers: { 'x-csrf-token': undefined } })
    assert.equal(forged.status, 403)
    assert.equal((await instance().inbox('subject:"by session"')).length, 1)
    const bad = await browser.ask('POST', path, { body: { ...body, subject: 5 } })
    assert.deepEqual([bad.status, bad.error.pointer], [400, '/subject'])
  })

  test('sessions, cookies and all, outlive a restart; another secret is nobody’s', async () => {
    const browser = await signedIn()
    const cookie = browser.cookie() ?? ''
    assert.equal(await isIn(browser, `${cookie.slice(0, -1)}${cookie.endsWith('A') ? 'B' : 'A'}`), false)
    const { port } = new URL(instance().dev.dashboard)
    await instance().restart()
    assert.notEqual(new URL(instance().dev.dashboard).port, port)
    const again = openBrowser(instance())
    assert.equal(await isIn(again, cookie), true)
    assert.equal((await again.signIn(admin().email, admin().password)).status, 200)
  })
})

test('reached by HTTPS the cookie is Secure and the host’s alone, and one click signs in nobody elsewhere', async () => {
  await using instance = await startInstance({ POSTHORN_PUBLIC_URL: 'https://mail.example.com' })
  const port = Number(new URL(instance.dev.dashboard).port)
  const ask = (path: string, options: { method?: string; body?: string; headers?: Record<string, string> }) =>
    fetchAtHost(port, `http://mail.example.com:${port}${path}`, options)
  const body = JSON.stringify({ ...instance.dev.admin })
  const signed = await ask('/session/v1/sign-in', { method: 'POST', body })
  assert.equal(signed.status, 200, signed.text)
  const [set = ''] = [signed.headers['set-cookie'] ?? []].flat()
  assert.match(set, /^__Host-posthorn_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Secure; Max-Age=/)
  const { result } = JSON.parse(signed.text)
  assert.equal(result.service.public_url, 'https://mail.example.com')
  assert.equal(result.development, false)
  const click = await ask('/session/v1/sign-in/development', { method: 'POST', body: '{}' })
  assert.equal(click.status, 404)
  // A proxy that says nothing of itself may say this of the server.
  await assert.rejects(developmentBrowser(instance), /One click signs in on the machine/)
  // A neighbour of the domain can plant a cookie without the prefix; it counts for nothing.
  const cookie = set.split(';', 1)[0]?.replace('__Host-', '') ?? ''
  const planted = await ask('/session/v1', { headers: { cookie } })
  assert.equal(JSON.parse(planted.text).result.user, null)
})
