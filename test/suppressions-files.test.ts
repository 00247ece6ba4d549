import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Instance, startInstance } from '#test/instance.ts'
import { addSecondAccount } from '#test/second-account.ts'
import { type Asked, type Called, call as callInstance } from '#test/sending-call.ts'

let instance: Instance

before(async () => {
  instance = await startInstance()
})
after(async () => instance[Symbol.asyncDispose]())

const call = (method: string, path: string, asked: Asked = {}): Promise<Called> =>
  callInstance(instance, { method, path, ...asked })

test('a file is imported and exported', async () => {
  const two = addSecondAccount(instance.directory, ['Email Sending:Edit'])
  const as = { accountId: two.accountId, token: two.token }
  const csv = 'email,note\n=1@x.test,"=cmd()"\nnobody,\nb@x.test,"two\nlines"\n'
  const imported = await call('POST', 'suppressions/import', {
    body: csv,
    headers: { 'content-type': 'text/csv' },
    ...as,
  })
  assert.equal(imported.status, 200)
  assert.deepEqual(imported.result, {
    total: 3,
    processed: 2,
    deduplicated: 0,
    errors: 0,
    invalid: 1,
    skipped: 0,
    faults: [{ line: 3, status: 'invalid', email: 'nobody', error: imported.result.faults[0]?.error ?? '' }],
    faults_left_out: 0,
  })
  const json = JSON.stringify(['c@x.test', { email: 'd@x.test', scope: 'news.test' }])
  const expires = '2099-01-01T00:00:00Z'
  const query = `suppressions/import?format=json&expires_at=${expires}`
  assert.equal((await call('POST', query, { body: json, ...as })).result.processed, 2)

  const exported = await call('GET', 'suppressions/export', as)
  assert.equal(exported.headers.get('content-disposition'), 'attachment; filename="suppressions.csv"')
  const [header, ...lines] = exported.text.split('\r\n')
  assert.equal(header, 'email,expires_at,scope,note,reason,created_at,read_only,id')
  assert.match(lines[0] ?? '', /^d@x\.test,2099-01-01T00:00:00\.000Z,news\.test,,manual,/)
  assert.ok(lines.some((line) => line.startsWith("'=1@x.test,,account,'=cmd(),manual,")))
  assert.match(exported.text, /"two\nlines"/)
  const filtered = await call('GET', 'suppressions/export?format=json&search=c%40', as)
  assert.deepEqual(
    JSON.parse(filtered.text).map(({ email }: { email: string }) => email),
    ['c@x.test'],
  )
  assert.deepEqual(
    JSON.parse((await call('GET', 'suppressions/export?format=json&reason=policy', as)).text),
    [],
  )

  const third = addSecondAccount(instance.directory, ['Email Sending:Edit'])
  const back = await call('POST', 'suppressions/import?format=csv', {
    body: exported.text,
    accountId: third.accountId,
    token: third.token,
  })
  assert.equal(back.result.processed, 4, 'an export can be imported')
})

test('400 to a file that is none', async () => {
  const refused = async (path: string, body: string, headers: Record<string, string> = {}) => {
    const { status, error } = await call('POST', `suppressions/import${path}`, { body, headers })
    assert.deepEqual([status, error.code], [400, 10001], error.detail)
  }
  await refused('', 'a@x.test', { 'content-type': 'application/x-unknown' })
  await refused('?format=xlsx', 'a@x.test')
  await refused('?format=csv', '')
  await refused('?format=csv&format=txt', 'a@x.test')
  await refused('?format=csv&expires_at=yesterday', 'a@x.test')
  await refused('?format=txt', 'a@x.test\n'.repeat(100_001))
  const large = await call('POST', 'suppressions/import?format=txt', { body: 'a'.repeat(6 * 1_048_576) })
  assert.deepEqual([large.status, large.error.code], [400, 10200])
  const bytes = await fetch(
    `${instance.dev.api}/accounts/${instance.dev.account_id}/email/sending/suppressions/import?format=txt`,
    {
      method: 'POST',
      headers: { authorization: `Bearer ${instance.dev.api_token}` },
      body: new Uint8Array([0xff, 0xfe, 0x61]),
    },
  )
  assert.equal(bytes.status, 400)
})
