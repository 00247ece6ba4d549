import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import Cloudflare from 'cloudflare'
import { createTransport } from 'nodemailer'
import type { AccountQuota } from '#contract/operator-quota.ts'
import { type Instance, startInstance } from '#test/instance.ts'
import { askAccount, askOperator } from '#test/operator.ts'
import { sdkClient } from '#test/sdk-client.ts'
import { call } from '#test/sending-call.ts'

/** What an account may send in a day, over every door. What is counted how in depth is the registry's test. */
const START = 6
let instance: Instance
let client: Cloudflare

before(async () => {
  instance = await startInstance({ POSTHORN_DAILY_QUOTA_START: String(START) })
  // As often as it tries by itself, for `x-should-retry` to tell it not to.
  client = sdkClient(instance.dev, { maxRetries: 2 })
})
after(async () => instance[Symbol.asyncDispose]())

const account = () => ({ account_id: instance.dev.account_id })
const mail = (to: string | string[]) => ({ from: 'app@yourdomain.com', to, subject: 'quota', text: 'x' })
const quotaPath = (id = instance.dev.account_id) => `/accounts/${id}/quota`

interface Limits {
  readonly quota: { readonly unit: string; readonly value: number } | null
  readonly usage: { readonly sent: number; readonly over_quota: boolean; readonly resets_at: string }
}
const limits = async () => (await askAccount<Limits>(instance, 'GET', '/limits')).result

function submit(to: string | string[]) {
  const { submission, ca, api_token: pass } = instance.dev
  const tls = { ca: readFileSync(ca) }
  return createTransport({ ...submission, secure: true, auth: { user: 'api_token', pass }, tls }).sendMail(
    mail(to),
  )
}

test('what is delivered or bounces counts; what is suppressed, refused or goes to a verified address does not', async () => {
  const { addresses } = client.emailRouting
  const made = await addresses.create({ ...account(), email: 'me@dest.example' })
  await addresses.edit(made.id ?? '', { ...account(), status: 'verified' })
  const { sent } = (await limits()).usage
  assert.equal(sent, 0, 'a verification mail counts towards nothing')

  await client.emailSending.send({ ...account(), ...mail(['a@example.com', 'me@dest.example']) })
  assert.deepEqual((await limits()).usage.sent, 1)
  const bounced = await instance.send(mail('bounce+quota@simulator.posthorn.test'))
  assert.deepEqual(bounced.body.result?.permanent_bounces, ['bounce+quota@simulator.posthorn.test'])
  assert.equal((await limits()).usage.sent, 2, 'a hard bounce counts')

  assert.equal((await instance.send(mail('bounce+quota@simulator.posthorn.test'))).status, 400)
  assert.equal((await instance.send({ ...mail('b@example.com'), from: 'a@elsewhere.example' })).status, 403)
  await submit(['bounce+quota@simulator.posthorn.test', 'c@example.com'])
  assert.equal((await limits()).usage.sent, 3)
  await instance.send(mail('me@dest.example'))
  assert.deepEqual((await limits()).quota, { unit: 'day', value: START })
  assert.equal((await limits()).usage.sent, 3)
})

test('what is too much is refused as a whole: REST, the SDK, SMTP; what still fits goes', async () => {
  const many = ['1', '2', '3', '4'].map((name) => `${name}@example.com`)
  const refused = await instance.send(mail(many))
  const [error] = refused.body.errors
  assert.deepEqual(
    [refused.status, error?.code, error?.message, error?.error_chain?.[0]?.name],
    [429, 10004, 'email.sending.error.throttled', 'E_DAILY_LIMIT_EXCEEDED'],
  )
  assert.match(error?.error_chain?.[0]?.message ?? '', /6 recipients a day and has sent to 3.*4 that count/)
  assert.equal(refused.headers.get('x-should-retry'), 'false')
  const untilMidnight = Number(refused.headers.get('retry-after'))
  assert.ok(untilMidnight > 0 && untilMidnight <= 86_400, `retry-after: ${untilMidnight}`)
  await assert.rejects(client.emailSending.send({ ...account(), ...mail(many) }), Cloudflare.RateLimitError)
  await assert.rejects(submit(many), (failure: unknown) => {
    assert.ok(failure instanceof Error && 'response' in failure)
    assert.match(String(failure.response), /^452 4\.7\.1 .*6 recipients a day/)
    return true
  })
  await instance.send(mail(many.slice(1)))
  const { usage } = await limits()
  assert.deepEqual([usage.sent, usage.over_quota], [6, true])
  assert.match(usage.resets_at, /T00:00:00\.000Z$/)
  const question = 'deliverability?from=app@yourdomain.com&recipient='
  const asked = (await call(instance, { method: 'GET', path: `${question}z@example.com` })).result
  assert.deepEqual(asked.refusal, { status: 429, code: 10004, name: 'E_DAILY_LIMIT_EXCEEDED' })
  assert.deepEqual(asked.checks[4]?.quota, { used: 6, limit: 6 })
  const verified = (await call(instance, { method: 'GET', path: `${question}me@dest.example` })).result
  assert.equal(verified.would_send, true, 'verified destinations count towards nothing')
  assert.equal((await instance.send(mail('me@dest.example'))).status, 200)
  assert.equal((await instance.send(mail('one@example.com'))).status, 429)
})

test('the operator raises it at once, and leaves it to itself again; each in the audit log', async () => {
  const set = (body: object) => askOperator<AccountQuota>(instance, 'PUT', quotaPath(), { body })
  const { result } = await askOperator<AccountQuota>(instance, 'GET', quotaPath())
  const { usage, reason, ...rest } = result
  assert.equal(reason.code, 'new')
  assert.deepEqual(rest, {
    ...{ account_id: instance.dev.account_id, mode: 'automatic', automatic: START },
    quota: { unit: 'day', value: START },
  })
  assert.equal(usage.over_quota, true)
  const raised = await set({ mode: 'fixed', value: 8 })
  assert.deepEqual([raised.result.quota?.value, raised.result.usage.over_quota], [8, false])
  assert.equal((await instance.send(mail(['d@example.com', 'e@example.com']))).status, 200)
  assert.equal((await instance.send(mail('f@example.com'))).status, 429)
  assert.equal((await set({ mode: 'unlimited' })).result.quota, null)
  assert.equal((await instance.send(mail('f@example.com'))).status, 200)
  assert.equal((await limits()).quota, null)
  assert.equal((await set({ mode: 'automatic' })).result.quota?.value, START)

  const log = await client.auditLogs.list({ ...account(), action: { type: 'account.quota' } })
  assert.deepEqual(
    log.result.map(({ actor, ...line }) => [actor?.type, 'oldValueJson' in line && line.oldValueJson]),
    [
      ['system', { mode: 'unlimited' }],
      ['system', { mode: 'fixed', value: 8 }],
      ['system', { mode: 'automatic' }],
    ],
  )
})

test('the operator’s quota routes say what is wrong, and to whom', async () => {
  const put = (body: unknown, path = quotaPath()) => askOperator(instance, 'PUT', path, { body })
  for (const [body, pointer] of [
    [{ mode: 'fixed' }, '/value'],
    [{ mode: 'unlimited', value: 5 }, '/value'],
    [{ mode: 'fixed', value: -1 }, '/value'],
    [{ mode: 'fixed', value: 1.5 }, '/value'],
    [{ mode: 'more' }, '/mode'],
    [{}, '/mode'],
    [{ mode: 'automatic', quota: 3 }, '/quota'],
  ] as const) {
    const { status, error } = await put(body)
    assert.deepEqual([status, error.pointer], [400, pointer], JSON.stringify(body))
  }
  for (const id of ['f'.repeat(32), 'x', `${instance.dev.account_id}0`])
    assert.equal((await put({ mode: 'automatic' }, quotaPath(id))).status, 404)
  const headers = { authorization: `Bearer ${instance.dev.api_token}` }
  assert.equal((await askOperator(instance, 'GET', quotaPath(), { headers })).status, 401)
})
