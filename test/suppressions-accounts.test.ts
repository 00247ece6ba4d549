import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type Cloudflare from 'cloudflare'
import { type Instance, startInstance } from '#test/instance.ts'
import { sdkClient } from '#test/sdk-client.ts'
import { addSecondAccount } from '#test/second-account.ts'
import { type Asked, type Called, call as callInstance } from '#test/sending-call.ts'

let instance: Instance
let client: Cloudflare

before(async () => {
  instance = await startInstance()
  client = sdkClient(instance.dev)
})
after(async () => instance[Symbol.asyncDispose]())

const account = () => ({ account_id: instance.dev.account_id })
const list = () => client.emailSending.suppressions
const call = (method: string, path: string, asked: Asked = {}): Promise<Called> =>
  callInstance(instance, { method, path, ...asked })

const ROUTES: readonly (readonly [method: string, path: string, body?: unknown])[] = [
  ['GET', 'suppressions'],
  ['POST', 'suppressions', { email: 'theirs@example.com' }],
  ['POST', 'suppressions/bulk', { items: [{ email: 'theirs@example.com' }] }],
  ['POST', 'suppressions/import?format=txt', 'theirs@example.com'],
  ['GET', 'suppressions/export'],
  ['GET', 'suppressions/ID'],
  ['PATCH', 'suppressions/ID', { note: 'theirs' }],
  ['DELETE', 'suppressions/ID'],
  ['GET', 'deliverability?recipient=mine%40example.com&from=app%40yourdomain.com'],
]
for (const [method, path, body] of ROUTES) {
  test(`promise 6: ${method} ${path.split('?')[0]}, between two accounts`, async () => {
    const mine = await list().create({ ...account(), email: 'mine@example.com', note: 'mine' })
    const second = addSecondAccount(instance.directory, ['Email Sending:Edit'])
    const ask = (accountId: string) =>
      call(method, path.replace('ID', mine.id), {
        accountId,
        token: second.token,
        ...(body !== undefined && { body }),
      })
    const foreign = await ask(instance.dev.account_id)
    assert.equal(foreign.status, 404)
    assert.equal(foreign.text, (await ask('f'.repeat(32))).text, 'as an account that does not exist')
    // In its own account it meets nothing of ours.
    const own = await ask(second.accountId)
    assert.equal(own.status, path.includes('ID') ? 404 : 200)
    assert.doesNotMatch(own.text.replace(/"recipient":"[^"]*"/, ''), /mine@example\.com/)
    assert.equal((await list().get(mine.id, account())).note, 'mine')
    assert.equal((await list().list({ ...account(), email: 'theirs@example.com' })).result.length, 0)

    const reader = addSecondAccount(instance.directory, ['Email Sending:Read'])
    const allowed = await call(method, path.replace('ID', mine.id), {
      ...{ accountId: reader.accountId, token: reader.token },
      ...(body !== undefined && { body }),
    })
    assert.deepEqual([allowed.status, allowed.error.code], [403, 10102], 'the page asks for Edit')
    const nobody = await call(method, path, { token: 'x', ...(body !== undefined && { body }) })
    assert.equal(nobody.status, 401)
  })
}

test('would it be sent, and if not, why', async () => {
  const ask = async (recipient: string, from = 'app@yourdomain.com') => {
    const query = new URLSearchParams({ recipient, from })
    const { status, result } = await call('GET', `deliverability?${query.toString()}`)
    assert.equal(status, 200)
    // The shape that the contract declares.
    const { would_send, refusal, checks } = result
    const failed = checks.filter(({ passed }) => passed === false)
    return {
      would_send,
      refusal,
      checks,
      failed: failed.map(({ check }) => check),
      detail: failed[0]?.detail,
    }
  }
  const fine = await ask('fine@example.com')
  assert.deepEqual([fine.would_send, fine.refusal, fine.failed], [true, null, []])
  assert.deepEqual(
    fine.checks.map(({ check }) => check),
    ['recipient', 'sender', 'destination', 'suppression', 'quota'],
  )
  assert.equal(fine.checks[4]?.quota?.limit, null)

  const expires_at = '2099-01-01T00:00:00.000Z'
  const { id } = await list().create({ ...account(), email: 'why@example.com', expires_at, note: 'asked to' })
  const suppressed = await ask('WHY@example.com')
  assert.deepEqual([suppressed.would_send, suppressed.failed], [false, ['suppression']])
  assert.deepEqual(suppressed.refusal, { status: 400, code: 10202, name: 'E_RECIPIENT_SUPPRESSED' })
  assert.match(suppressed.detail ?? '', /manual.*until 2099-01-01/)
  const entry = suppressed.checks[3]?.suppression
  assert.deepEqual([entry?.id, entry?.note, entry?.expires_at], [id, 'asked to', expires_at])
  const sent = await instance.send({
    to: 'why@example.com',
    from: 'app@yourdomain.com',
    subject: 's',
    text: 't',
  })
  assert.equal(sent.status, suppressed.refusal?.status, 'as sending answers')

  assert.deepEqual((await ask('suppressed@simulator.posthorn.test')).failed, ['suppression'])
  assert.deepEqual((await ask('nobody')).failed, ['recipient'])
  const stranger = await ask('fine@example.com', 'a@nowhere.example')
  assert.deepEqual([stranger.failed, stranger.refusal?.name], [['sender'], 'E_SENDER_DOMAIN_NOT_AVAILABLE'])
  assert.equal(stranger.checks[3]?.passed, null)
  assert.deepEqual((await ask('nobody', 'nobody')).failed, ['recipient', 'sender'])
  for (const query of ['', '?recipient=a@x.test', '?from=a@x.test', '?recipient=a&recipient=b&from=c']) {
    assert.equal((await call('GET', `deliverability${query}`)).status, 400)
  }
  assert.equal((await instance.inbox('to:fine@example.com', 0)).length, 0, 'nothing was sent')
})
