import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { ActivityBody } from '#contract/activity.ts'
import type { TimelineBody } from '#contract/messages.ts'
import { checkedFetch } from '#test/checked-fetch.ts'
import { deployWorker } from '#test/deploy-worker.ts'
import { type Instance, startInstance } from '#test/instance.ts'
import { until } from '#test/queue-world.ts'
import { rule, SENDER, toMx } from '#test/routing-instance.ts'
import { addSecondAccount } from '#test/second-account.ts'

/** What happened to mail, as its account reads it: the log, and from a line of it to the timeline. */
let instance: Instance

before(async () => {
  instance = await startInstance()
})
after(async () => instance[Symbol.asyncDispose]())

interface As {
  readonly accountId: string
  readonly token: string
}

async function ask(path: string, as?: As) {
  const { api, account_id, api_token } = instance.dev
  const { accountId, token } = as ?? { accountId: account_id, token: api_token }
  const response = await checkedFetch(`${api}/accounts/${accountId}/email/${path}`, {
    headers: { authorization: `Bearer ${token}` },
  })
  return { status: response.status, ...JSON.parse(await response.text()) }
}

async function log(query: Readonly<Record<string, string>>): Promise<readonly ActivityBody[]> {
  const { status, result, errors } = await ask(`activity?${new URLSearchParams(query).toString()}`)
  assert.equal(status, 200, JSON.stringify(errors))
  return result
}

/** The line that comes about a second after its event. */
const line = (query: Readonly<Record<string, string>>) => until(async () => (await log(query))[0])

async function timelineOf(messageId: string | null): Promise<TimelineBody> {
  const path = `sending/messages/${encodeURIComponent(messageId ?? '')}/timeline`
  const { status, result, errors } = await ask(path)
  assert.equal(status, 200, JSON.stringify(errors))
  return result
}

test('mail that was sent: from the line of its failure to what the host said', async () => {
  const to = 'bounce+log@simulator.posthorn.test'
  await instance.send({ from: 'app@yourdomain.com', to, subject: '100% off', text: 'the text' })
  const failed = await line({ recipient: to, status: 'deliveryFailed', subject: '100% OFF', last: '30m' })
  assert.deepEqual(
    [failed.cause, failed.direction, failed.domain, failed.zone_id, failed.is_last_event],
    ['recipient-unknown', 'sending', 'yourdomain.com', instance.dev.zone_id, true],
  )
  assert.match(failed.error ?? '', /^550 5\.1\.1 /)
  const { message_id: messageId, events } = await timelineOf(failed.message_id)
  assert.equal(messageId, failed.message_id)
  const attempt = events.find(({ id }) => id === failed.event_id)
  assert.deepEqual([attempt?.type, attempt?.smtp_status, attempt?.attempt], ['bounced', 550, 1])
  assert.match(attempt?.tls ?? '', /^TLSv1\.3/)
  assert.ok(attempt?.dialogue?.some((said) => said.startsWith('c: RCPT TO:')))

  const zone = await checkedFetch(
    `${instance.dev.api}/zones/${instance.dev.zone_id}/email/activity?recipient=${encodeURIComponent(to)}`,
    { headers: { authorization: `Bearer ${instance.dev.api_token}` } },
  )
  assert.deepEqual(JSON.parse(await zone.text()).result, await log({ recipient: to }))
})

test('mail that came in: what a Worker threw, where it was and what the sender had proven', async () => {
  const code = `export default { async email(message) { throw new TypeError('Not this one') } }`
  await deployWorker(instance, 'thrower', { modules: { 'index.js': code } })
  const action = { type: 'worker', value: ['thrower'] }
  const ruleId = await rule(instance, 'Thrown@yourdomain.com', action)
  const content = `From: ${SENDER}\nTo: thrown@yourdomain.com\nSubject: Came in\nMessage-ID: <1@pass.posthorn.test>\n\nHello\n`
  assert.match(await toMx(instance, { to: 'thrown@yourdomain.com', content }), /^451 /)
  const failed = await line({ rule: ruleId, status: 'error' })
  assert.deepEqual(
    [failed.from, failed.to, failed.subject, failed.action, failed.cause, failed.spf, failed.event_type],
    [SENDER, 'thrown@yourdomain.com', 'Came in', 'worker', 'exception', 'pass', 'incoming'],
  )
  const { message_id: messageId, events } = await timelineOf(failed.message_id)
  assert.equal(messageId, failed.message_id)
  const [only] = events
  assert.equal(events.length, 1)
  assert.deepEqual([only?.routing?.spf, only?.routing?.worker?.outcome], ['pass', 'exception'])
  const error = only?.routing?.worker?.error
  assert.deepEqual([error?.name, error?.message], ['TypeError', 'Not this one'])
  assert.match(error?.stack ?? '', /index\.js/)
  // Its sender knows it by another id.
  const header = '<1@pass.posthorn.test>'
  assert.deepEqual([failed.header_message_id, only?.header_message_id], [header, header])
  for (const query of [{ message_id: header }, { message_id: '1@pass.posthorn.test' }, { search: header }])
    assert.deepEqual(await log(query), [failed])

  // Nothing but its events is left of it, and they are its account's alone.
  const second = addSecondAccount(instance.directory, ['Email Sending:Read', 'Analytics:Read'])
  const [theirs, nobodys] = await Promise.all(
    [failed.message_id, 'f'.repeat(32)].map((id) => ask(`sending/messages/${id}/timeline`, second)),
  )
  assert.equal(theirs.status, 404)
  assert.deepEqual(theirs, nobodys)
  assert.equal((await ask(`sending/messages/${failed.message_id}@yourdomain.com/timeline`)).status, 404)
  assert.deepEqual((await ask('activity', second)).result, [])
})
