import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Instance, post, startInstance } from '#test/instance.ts'
import { addSecondAccount, addUserToken, type SecondAccount } from '#test/second-account.ts'

let instance: Instance
let second: SecondAccount

before(async () => {
  instance = await startInstance()
  second = addSecondAccount(instance.directory, ['Email Sending:Edit'])
})
after(async () => instance[Symbol.asyncDispose]())

const mail = { to: 'x@example.com', from: 'app@yourdomain.com', subject: 's', text: 't' }
const raw = {
  from: 'app@yourdomain.com',
  recipients: ['x@example.com'],
  mime_message: 'From: app@yourdomain.com\r\n\r\nx',
}

for (const [route, body] of [
  ['send', mail],
  ['send_raw', raw],
] as const) {
  test(`promise 6: ${route} under another account's id answers as under one that does not exist`, async () => {
    const url = (id: string) => `${instance.dev.api}/accounts/${id}/email/sending/${route}`
    const headers = { authorization: `Bearer ${second.token}` }
    const theirs = await post(url(instance.dev.account_id), body, headers)
    const nobodys = await post(url('f'.repeat(32)), body, headers)
    assert.equal(theirs.status, 404)
    assert.deepEqual(theirs.body, nobodys.body)
  })

  test(`${route}: another account's domain is not to be sent from`, async () => {
    const { status, body: answer } = await post(
      `${instance.dev.api}/accounts/${second.accountId}/email/sending/${route}`,
      body,
      {
        authorization: `Bearer ${second.token}`,
      },
    )
    assert.equal(status, 403)
    assert.equal(answer.errors[0]?.code, 10204)
    assert.equal(answer.errors[0]?.error_chain?.[0]?.name, 'E_SENDER_NOT_VERIFIED')
  })
}

test("a user's token sends as the account of the path, where its user is a member", async () => {
  const stranger = addSecondAccount(instance.directory, [])
  const permissions = ['Email Sending:Edit']
  const token = addUserToken(instance.directory, [instance.dev.account_id, second.accountId], { permissions })
  const sendAs = (accountId: string, secret = token) =>
    post(`${instance.dev.api}/accounts/${accountId}/email/sending/send`, mail, {
      authorization: `Bearer ${secret}`,
    })

  const sent = await sendAs(instance.dev.account_id)
  assert.equal(sent.status, 200)
  assert.deepEqual(sent.body.result?.delivered, ['x@example.com'])
  const asSecond = await sendAs(second.accountId)
  assert.equal(asSecond.status, 403)
  assert.equal(asSecond.body.errors[0]?.error_chain?.[0]?.name, 'E_SENDER_NOT_VERIFIED')

  const nobodys = await sendAs('f'.repeat(32))
  assert.equal(nobodys.status, 404)
  assert.deepEqual((await sendAs(stranger.accountId)).body, nobodys.body)

  const revoked = addUserToken(instance.directory, [instance.dev.account_id], {
    permissions,
    status: 'revoked',
  })
  assert.equal((await sendAs(instance.dev.account_id, revoked)).status, 401)
})

test('a domain that nobody onboarded has a name of its own', async () => {
  const { status, body } = await instance.send({ ...mail, from: 'a@sub.yourdomain.com' })
  assert.equal(status, 403)
  assert.equal(body.errors[0]?.error_chain?.[0]?.name, 'E_SENDER_DOMAIN_NOT_AVAILABLE')
})

test('a token without the permission is told which one it lacks', async () => {
  const reader = addSecondAccount(instance.directory, ['Email Sending:Read'])
  const { status, body } = await post(
    `${instance.dev.api}/accounts/${reader.accountId}/email/sending/send`,
    mail,
    {
      authorization: `Bearer ${reader.token}`,
    },
  )
  assert.equal(status, 403)
  assert.equal(body.errors[0]?.code, 10102)
  assert.match(body.errors[0]?.error_chain?.[0]?.message ?? '', /Email Sending:Edit/)
})

test('no token, and a wrong one, of any length', async () => {
  const url = `${instance.dev.api}/accounts/${instance.dev.account_id}/email/sending/send`
  for (const authorization of [
    '',
    'Bearer',
    'Bearer x',
    `Bearer ${'x'.repeat(5000)}`,
    'Basic eDp5',
    `Bearer ${instance.dev.api_token}x`,
  ]) {
    const { status, body } = await post(url, mail, authorization === '' ? {} : { authorization })
    assert.equal(status, 401, authorization.slice(0, 20))
    assert.equal(body.errors[0]?.code, 10101)
  }
})

test('an Idempotency-Key of one account is not seen by another', async () => {
  const key = { 'idempotency-key': 'shared' }
  const first = await instance.send(mail, key)
  assert.equal(first.status, 200)
  const other = await post(`${instance.dev.api}/accounts/${second.accountId}/email/sending/send`, mail, {
    authorization: `Bearer ${second.token}`,
    ...key,
  })
  assert.equal(other.status, 403)
})
