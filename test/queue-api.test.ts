import assert from 'node:assert/strict'
import { once } from 'node:events'
import { statSync } from 'node:fs'
import { request } from 'node:http'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { DeliveryBody, MessageBody, TimelineBody } from '#contract/messages.ts'
import type { ActResult, DeliveryTimeline, PauseBody, QueueBody, QueuedDelivery } from '#contract/operator.ts'
import { type Instance, startInstance } from '#test/instance.ts'
import { askAccount, askOperator, operatorToken } from '#test/operator.ts'
import { until } from '#test/outbound.ts'
import { addSecondAccount } from '#test/second-account.ts'

/** The queue over HTTP: an account's own mail, and the operator's hands. What the hands do in depth is tested beside
 *  them. Each test mails to names of its own. */
let instance: Instance

before(async () => {
  // What is put off stays so.
  instance = await startInstance({ POSTHORN_RETRY_MS: '600000', POSTHORN_EXPIRE_MS: '86400000' })
})
after(async () => instance[Symbol.asyncDispose]())

async function send(to: string | readonly string[], subject = 's'): Promise<string> {
  const { body } = await instance.send({ to, from: 'app@yourdomain.com', subject, text: 'the text' })
  assert.ok(body.result, JSON.stringify(body.errors))
  return body.result.message_id
}

const deferred = (label: string) => `deferred+${label}@simulator.posthorn.test`

async function deliveryTo(to: string): Promise<DeliveryBody> {
  const { result } = await askAccount<DeliveryBody[]>(
    instance,
    'GET',
    `/messages?recipient=${encodeURIComponent(to)}`,
  )
  return result[0] ?? assert.fail(`no delivery to ${to}`)
}

test('an account sees its mail, with what was said about it', async () => {
  const id = await send([deferred('seen'), 'seen@example.com'], 'Seen')
  const { result: list } = await askAccount<DeliveryBody[]>(
    instance,
    'GET',
    `/messages?message_id=${encodeURIComponent(id)}`,
  )
  assert.deepEqual(list.map(({ to, state }) => `${to} ${state}`).toSorted(), [
    `${deferred('seen')} waiting`,
    'seen@example.com delivered',
  ])
  const path = `/messages/${encodeURIComponent(id)}`
  const { result: message } = await askAccount<MessageBody>(instance, 'GET', `${path}/deliveries`)
  assert.deepEqual([message.message_id, message.subject, message.deliveries.length], [id, 'Seen', 2])
  const { result: timeline } = await askAccount<TimelineBody>(instance, 'GET', `${path}/timeline`)
  assert.deepEqual(timeline.events.map(({ type }) => type).toSorted(), ['accepted', 'deferred', 'delivered'])
  assert.equal(timeline.events[0]?.type, 'accepted')
  const attempt = timeline.events.find(({ type }) => type === 'deferred')
  assert.equal(attempt?.smtp_status, 451)
  assert.equal(attempt.host, 'simulator.posthorn.test')
  assert.match(attempt.tls ?? '', /^TLSv1\.3/)
  const dialogue = attempt.dialogue ?? []
  assert.ok(dialogue.some((line) => line.startsWith('c: RCPT TO:')))
  assert.ok(!dialogue.some((line) => line.includes('the text')), 'never contents')
  assert.ok(attempt.duration_ms !== undefined && attempt.retry_at !== undefined)
})

test('the message itself is under its id, as the original has it', async () => {
  const id = await send('content@example.com', 'Content')
  for (const name of [id, id.slice(1, -1), id.slice(1, 33)]) {
    const url = `${instance.dev.api}/accounts/${instance.dev.account_id}/email/sending/messages/${encodeURIComponent(name)}`
    const response = await fetch(url, { headers: { authorization: `Bearer ${instance.dev.api_token}` } })
    assert.equal(response.status, 200, name)
    assert.equal(response.headers.get('content-type'), 'message/rfc822')
    assert.match(response.headers.get('content-security-policy') ?? '', /sandbox/)
    assert.match(await response.text(), /\r\nSubject: Content\r\n[\s\S]*the text/)
  }
  const wrong = encodeURIComponent(id.replace('yourdomain', 'otherdomain'))
  assert.equal((await askAccount(instance, 'GET', `/messages/${wrong}`)).status, 404)
  assert.equal((await askAccount(instance, 'GET', '/messages/nothing')).status, 404)
})

test('promise 6: another account’s mail does not exist, and its token opens no queue', async () => {
  const id = encodeURIComponent(await send(deferred('mine')))
  const delivery = await deliveryTo(deferred('mine'))
  const second = addSecondAccount(instance.directory, ['Email Sending:Edit'])
  const by = { accountId: second.accountId, token: second.token }
  assert.deepEqual((await askAccount<DeliveryBody[]>(instance, 'GET', '/messages', by)).result, [])
  for (const [method, path] of [
    ['GET', `/messages/${id}`],
    ['GET', `/messages/${id}/deliveries`],
    ['GET', `/messages/${id}/timeline`],
    ['POST', `/deliveries/${delivery.id}/retry`],
    ['POST', `/deliveries/${delivery.id}/cancel`],
  ] as const) {
    const theirs = await askAccount(instance, method, path, by)
    assert.equal(theirs.status, 404, path)
    const nobodys = path.replace(id, '0'.repeat(32)).replace(delivery.id, '0'.repeat(32))
    assert.deepEqual((await askAccount(instance, method, nobodys, by)).error, theirs.error)
    assert.equal((await askAccount(instance, method, path, { token: second.token })).status, 404)
  }
  assert.equal((await deliveryTo(deferred('mine'))).state, 'waiting')
  const reader = addSecondAccount(instance.directory, ['Email Sending:Read'])
  const reading = { accountId: reader.accountId, token: reader.token }
  assert.equal((await askAccount(instance, 'GET', '/messages', reading)).status, 200)
  const cancel = `/deliveries/${delivery.id}/cancel`
  assert.equal((await askAccount(instance, 'POST', cancel, reading)).status, 403)
})

test('a sender may try again, and take back', async () => {
  await send(deferred('again'))
  const { id } = await deliveryTo(deferred('again'))
  const retried = await askAccount<DeliveryBody>(instance, 'POST', `/deliveries/${id}/retry`)
  assert.equal(retried.status, 200)
  const twice = await until('a second attempt', async () => {
    const now = await deliveryTo(deferred('again'))
    return now.attempts === 2 && now.state === 'waiting' && now
  })
  assert.ok(twice)
  const impatient = await askAccount(instance, 'POST', `/deliveries/${id}/retry`)
  assert.deepEqual([impatient.status, impatient.error.code], [429, 10004])
  const cancelled = await askAccount<DeliveryBody>(instance, 'POST', `/deliveries/${id}/cancel`)
  assert.deepEqual([cancelled.status, cancelled.result.state], [200, 'dropped'])
  for (const action of ['cancel', 'retry']) {
    const late = await askAccount(instance, 'POST', `/deliveries/${id}/${action}`)
    // Taking back what was taken back is no fault; trying it is.
    assert.equal(late.status, action === 'cancel' ? 200 : 409)
  }
  await send('done@example.com')
  const done = await deliveryTo('done@example.com')
  const refused = await askAccount(instance, 'POST', `/deliveries/${done.id}/cancel`)
  assert.deepEqual([refused.status, refused.error.code], [409, 10208])
  assert.match(refused.error.detail, /delivered/)
})

test('the list of messages goes page by page, filtered', async () => {
  const subject = 'Pages'
  for (let i = 0; i < 5; i++) await send(`page${i}@pages.example`, subject)
  const seen: string[] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const path: string = `/messages?since=2020-01-01&per_page=2&cursor=${cursor}`
    const page = await askAccount<DeliveryBody[]>(instance, 'GET', path)
    assert.ok(page.result.length > 0)
    seen.push(...page.result.map(({ to }) => to))
    cursor = page.cursor
  }
  assert.equal(new Set(seen).size, seen.length)
  assert.equal(seen.filter((to) => to.endsWith('@pages.example')).length, 5)
  const count = async (query: string) =>
    (await askAccount<DeliveryBody[]>(instance, 'GET', `/messages?${query}`)).result.length
  assert.equal(await count('recipient=PAGE3@Pages.Example&sender=App@yourdomain.com'), 1)
  assert.equal(await count('recipient=page3@pages.example&state=waiting'), 0)
  assert.equal(await count('recipient=page3@pages.example&until=2020-01-01T00:00:00Z'), 0)
  for (const query of [
    'state=open',
    'since=yesterday',
    'recipient=x',
    'foo=1',
    'per_page=0',
    'cursor=%00',
    'state=held&state=held',
  ]) {
    const { status, error } = await askAccount(instance, 'GET', `/messages?${query}`)
    assert.deepEqual([status, error.code], [400, 10001], query)
    assert.ok(error.detail.length > 20, query)
  }
})

test('the operator’s token is one file, and nothing else opens its API', async () => {
  assert.equal(statSync(join(instance.directory, 'operator-token')).mode & 0o777, 0o600)
  const right = operatorToken(instance)
  const queue = (authorization: string) =>
    askOperator(instance, 'GET', '/queue', { headers: { authorization } })
  assert.equal((await queue(`Bearer ${right}`)).status, 200)
  for (const token of [instance.dev.api_token, `${right}x`, right.slice(1), 'x'.repeat(600)])
    assert.equal((await queue(`Bearer ${token}`)).status, 401)
  for (const header of ['', right, `Basic ${right}`]) assert.equal((await queue(header)).status, 401)
  const asAccount = await askAccount(instance, 'GET', '/messages', { token: right })
  assert.equal(asAccount.status, 401, 'and it is no account’s')
  for (const [method, path] of [
    ['POST', '/deliveries/cancel'],
    ['POST', '/pauses'],
    ['DELETE', '/pauses/domain/x.example'],
    ['GET', '/deliveries'],
  ] as const)
    assert.equal((await askOperator(instance, method, path, { headers: { authorization: '' } })).status, 401)
})

test('the operator’s API answers to its own Host and Origin only', async () => {
  const { hostname, port } = new URL(instance.dev.dashboard)
  const status = (method: string, headers: Record<string, string>) =>
    new Promise<number | undefined>((resolve, reject) => {
      const authorization = `Bearer ${operatorToken(instance)}`
      request({
        hostname,
        port,
        method,
        path: '/operator/v1/pauses',
        headers: { authorization, 'content-length': '0', ...headers },
      })
        .once('response', (response) => resolve(response.resume().statusCode))
        .once('error', reject)
        .end()
    })
  assert.equal(await status('GET', { host: 'rebound.example' }), 421)
  assert.equal(await status('POST', { origin: 'https://evil.example' }), 403)
  assert.equal(await status('POST', { 'sec-fetch-site': 'cross-site' }), 403)
  assert.equal(await status('GET', {}), 200)
})

test('the operator holds, releases, expires and cancels by selection', async () => {
  const domain = 'selected.example'
  await askOperator(instance, 'POST', '/pauses', { body: { kind: 'domain', name: domain } })
  for (const name of ['a', 'b', 'c']) await send(`${name}@${domain}`)
  const act = async (action: string, body: object) =>
    (await askOperator<ActResult>(instance, 'POST', `/deliveries/${action}`, { body })).result
  const foreseen = await act('hold', { domain, dry_run: true })
  assert.deepEqual(
    [foreseen.changed, foreseen.dry_run, foreseen.selected],
    [3, true, { waiting: 3, claimed: 0, held: 0 }],
  )
  const first = await act('hold', { domain, limit: 2 })
  assert.deepEqual([first.changed, first.more], [2, true])
  assert.equal((await act('hold', { domain: 'Selected.Example.' })).changed, 1)
  const { result: held } = await askOperator<QueuedDelivery[]>(
    instance,
    'GET',
    `/deliveries?domain=${domain}&state=held`,
  )
  assert.deepEqual(
    held.map(({ state, paused, account_id }) => [state, paused, account_id]),
    Array.from({ length: 3 }, () => ['held', true, instance.dev.account_id]),
  )
  const [one, two, three] = held.map(({ id }) => id)
  assert.ok(one && two && three)
  assert.equal((await act('expire', { ids: [one] })).changed, 1)
  assert.equal((await act('cancel', { ids: [two.toUpperCase()] })).changed, 1)
  const { result: queue } = await askOperator<QueueBody>(instance, 'GET', '/queue')
  assert.deepEqual(
    queue.domains.find((each) => each.domain === domain),
    { domain, waiting: 0, claimed: 0, held: 1 },
  )
  assert.ok(queue.paused.some(({ name }) => name === domain))
  assert.equal((await act('release', { destination: 'sandbox.posthorn.test', domain })).changed, 1)
  const ended = await askOperator<PauseBody>(instance, 'DELETE', `/pauses/domain/${domain}`)
  assert.deepEqual([ended.status, ended.result.name], [200, domain])
  const timeline = await until('the last one is delivered', async () => {
    const path = `/deliveries/${three}/timeline`
    const { result } = await askOperator<DeliveryTimeline>(instance, 'GET', path)
    return result.delivery.state === 'delivered' && result
  })
  assert.deepEqual(
    timeline.events.map(({ type }) => type),
    ['accepted', 'held', 'released', 'delivered'],
  )
  const states = await Promise.all(
    [one, two].map((id) => askOperator<DeliveryTimeline>(instance, 'GET', `/deliveries/${id}/timeline`)),
  )
  assert.deepEqual(
    states.map(({ result }) => [
      result.delivery.state,
      result.delivery.last_cause,
      result.events.at(-1)?.terminal,
    ]),
    [
      ['failed', 'expired', true],
      ['dropped', 'cancelled', true],
    ],
  )
})

test('a paused domain or host is attempted by nobody until it is resumed', async () => {
  const pause = (body: object) => askOperator<PauseBody>(instance, 'POST', '/pauses', { body })
  const domain = await pause({ kind: 'domain', name: 'Paused.Example', reason: 'asked', for: '2h' })
  assert.equal(domain.result.name, 'paused.example')
  assert.ok(Date.parse(domain.result.until ?? '') > Date.now())
  await send('x@paused.example')
  assert.deepEqual(
    [(await deliveryTo('x@paused.example')).state, (await deliveryTo('x@paused.example')).attempts],
    ['waiting', 0],
  )
  const { result: list } = await askOperator<PauseBody[]>(instance, 'GET', '/pauses')
  assert.ok(list.some(({ reason }) => reason === 'asked'))
  await askOperator(instance, 'DELETE', '/pauses/domain/PAUSED.example')
  await until('it is delivered', async () => (await deliveryTo('x@paused.example')).state === 'delivered')
  const again = await askOperator(instance, 'DELETE', '/pauses/domain/paused.example')
  assert.equal(again.status, 404)
  for (const body of [
    {},
    { kind: 'account', name: 'x.example' },
    { kind: 'domain', name: 'not a name' },
    { kind: 'domain', name: 'x.example', for: 'long' },
    { kind: 'domain', name: 'x.example', for: '1h', until: '2030-01-01' },
    { kind: 'domain', name: 'x.example', until: '2001-01-01' },
    { kind: 'domain', name: 'x.example', domain: 'x.example' },
  ])
    assert.equal((await pause(body)).status, 400, JSON.stringify(body))
})

test('what a selection gets wrong is named', async () => {
  for (const [body, pointer] of [
    [{}, ''],
    [{ all: false }, '/all'],
    [{ ids: [] }, '/ids'],
    [{ ids: ['x'] }, '/ids/0'],
    [{ account_id: 'x' }, '/account_id'],
    [{ domain: 'no domain' }, '/domain'],
    [{ destination: '..' }, '/destination'],
    [{ state: 'delivered' }, '/state'],
    [{ older_than: 'old' }, '/older_than'],
    [{ recipient_domain: 'x.example' }, '/recipient_domain'],
    [{ all: true, limit: 0 }, '/limit'],
    [{ domain: 'x'.repeat(100_000) }, undefined],
  ] as const) {
    const { status, error } = await askOperator(instance, 'POST', '/deliveries/hold', { body })
    assert.deepEqual([status, error.pointer], [400, pointer], JSON.stringify(body))
  }
  for (const query of ['state=delivered', 'foo=1', 'domain=%20', 'message_id=x', 'cursor=x', 'ids=x'])
    assert.equal((await askOperator(instance, 'GET', `/deliveries?${query}`)).status, 400, query)
  assert.equal((await askOperator(instance, 'GET', '/deliveries/x/timeline')).status, 404)
  const none = await askOperator<ActResult>(instance, 'POST', '/deliveries/hold', {
    body: { older_than: '7d', state: 'waiting' },
  })
  assert.equal(none.result.changed, 0)
})

test('retry now reaches a lane that rests because its host did not answer', async () => {
  // A port that was free a moment ago, and at which nobody answers.
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(typeof address === 'object' && address)
  server.close()
  const environment = { POSTHORN_RETRY_MS: '600000', POSTHORN_DEV_SINK: `127.0.0.1:${address.port}` }
  await using lonely = await startInstance(environment)
  await lonely.send({ to: 'x@lonely.example', from: 'app@yourdomain.com', subject: 's', text: 't' })
  const [delivery] = (await askAccount<DeliveryBody[]>(lonely, 'GET', '/messages')).result
  assert.ok(delivery)
  assert.equal(delivery.attempts, 1)
  const { result: queue } = await askOperator<QueueBody>(lonely, 'GET', '/queue')
  assert.deepEqual(
    queue.failing.map(({ domain, failures }) => [domain, failures]),
    [['lonely.example', 1]],
  )
  const retried = await askOperator<ActResult>(lonely, 'POST', '/deliveries/retry', {
    body: { domain: 'lonely.example' },
  })
  assert.equal(retried.result.changed, 1)
  await until('a second attempt', async () => {
    const path = `/deliveries/${delivery.id}/timeline`
    const { result } = await askOperator<DeliveryTimeline>(lonely, 'GET', path)
    return result.delivery.attempts === 2
  })
})
