import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, test } from 'node:test'
import { EXAMPLE_ACCOUNT } from '#contract/example-ids.ts'
import { PERMISSIONS } from '#model/permission.ts'
import { type ApiOperation, OPERATIONS, pathWith } from '#test/api-operations.ts'
import { checkedFetch } from '#test/checked-fetch.ts'
import { type Instance, startInstance } from '#test/instance.ts'
import { addAccountToken, addUserToken } from '#test/second-account.ts'

/** Every operation of the documents, asked with everything that is no good token, and with one that lacks nothing but
 *  the permission. */
let instance: Instance
/** Secrets of tokens that may do everything, but not here and now. */
let useless: Readonly<Record<string, string>>
/** By the permission that it lacks. */
const lacking = new Map<string, { readonly ofAccount: string; readonly ofUser: string }>()

before(async () => {
  instance = await startInstance()
  const { directory, dev } = instance
  useless = await uselessTokens()
  for (const permission of PERMISSIONS) {
    // Who may edit may read.
    const others = PERMISSIONS.filter(
      (name) => name !== permission && name.replace(':Edit', ':Read') !== permission,
    )
    lacking.set(permission, {
      ofAccount: addAccountToken(directory, dev.account_id, others),
      ofUser: addUserToken(directory, [dev.account_id], { permissions: others }),
    })
  }
})
after(async () => instance[Symbol.asyncDispose]())

async function uselessTokens(): Promise<Record<string, string>> {
  const later = new Date(Date.now() + 86_400_000).toISOString()
  const made = {
    expired: await newToken({ expires_on: later }),
    revoked: await newToken({}),
    disabled: await newToken({}),
    'not valid yet': await newToken({ not_before: later }),
    'for other addresses': await newToken({ condition: { request_ip: { in: ['192.0.2.0/24'] } } }),
    'not for this address': await newToken({
      condition: { request_ip: { not_in: ['127.0.0.0/8', '::1/128'] } },
    }),
  }
  const db = new DatabaseSync(join(instance.directory, 'posthorn.sqlite'), { timeout: 5000 })
  db.prepare('update token set expires_at = ? where id = ?').run(Date.now() - 1000, made.expired.id)
  db.close()
  await tokens('DELETE', `/${made.revoked.id}`)
  await tokens('PUT', `/${made.disabled.id}`, { ...made.disabled.wish, status: 'disabled' })
  const secrets = Object.entries(made).map(([name, { value }]) => [name, value] as const)
  return { ...Object.fromEntries(secrets), unknown: 'x'.repeat(40) }
}

async function newToken(limits: object) {
  const permission_groups = (await tokens('GET', '/permission_groups')).map(({ id }: { id: string }) => ({
    id,
  }))
  const resources = { [`com.cloudflare.api.account.${instance.dev.account_id}`]: '*' }
  const wish = { name: 'useless', policies: [{ effect: 'allow', permission_groups, resources }], ...limits }
  const { id, value } = await tokens('POST', '', wish)
  return { id, value, wish }
}

/** The result is as the document says: the fetch held it against it. */
async function tokens(method: string, path: string, body?: object) {
  const { api, account_id, api_token } = instance.dev
  const response = await checkedFetch(`${api}/accounts/${account_id}/tokens${path}`, {
    method,
    headers: { authorization: `Bearer ${api_token}` },
    ...(body && { body: JSON.stringify(body) }),
  })
  assert.equal(response.status, 200)
  return JSON.parse(await response.text()).result
}

/** Answers with the status and the first code. */
async function ask(operation: ApiOperation, headers: Readonly<Record<string, string>>) {
  const { account_id, zone_id, dashboard } = instance.dev
  const known: Readonly<Record<string, string>> = { account_id, zone_id }
  const { method, example } = operation
  const body = typeof example?.body === 'string' ? example.body : JSON.stringify(example?.body)
  const url = `${dashboard}${pathWith(operation, (parameter) => known[parameter] ?? 'f'.repeat(32))}`
  const response = await checkedFetch(url, {
    method,
    headers: { ...headers, ...(example && { 'content-type': example.type }) },
    ...(example && { body: body.replaceAll(EXAMPLE_ACCOUNT, account_id) }),
  })
  const { errors } = JSON.parse(await response.text())
  return [response.status, errors[0]?.code]
}

/** What says 10000 elsewhere: wrangler goes by these codes where it asks who a token is (clients.md §3.6). */
const INVALID: Readonly<Record<string, number>> = {
  'user.tokens.verify': 1000,
  'account.tokens.verify': 1000,
  'user.get': 9109,
  'accounts.list': 9109,
}

/** How an operation says no: with the numbers of the page about sending, or with the control plane's. */
function codesOf({ id, base, documented }: ApiOperation) {
  const speaksOfSending =
    base === '/operator/v1' || JSON.stringify(documented.responses).includes('SendingError')
  if (speaksOfSending) {
    const unauthorized = [401, 10101]
    return { missing: unauthorized, malformed: unauthorized, invalid: unauthorized, lacks: [403, 10102] }
  }
  const invalid = [401, INVALID[id] ?? 10000]
  return { missing: [401, 9106], malformed: [400, 6003], invalid, lacks: [403, 9109] }
}

const MISSING: readonly Readonly<Record<string, string>>[] = [
  {},
  { 'x-auth-key': 'x'.repeat(40) },
  { 'x-auth-email': 'user@example.com' },
]
const MALFORMED: readonly Readonly<Record<string, string>>[] = [
  ...['Bearer', 'Basic eDp5', 'Bearer a b', `Bearer ${'x'.repeat(513)}`].map((authorization) => ({
    authorization,
  })),
  { 'x-auth-email': 'nobody', 'x-auth-key': 'x'.repeat(40) },
  { 'x-auth-email': 'user@example.com', 'x-auth-key': 'a b' },
]

for (const operation of OPERATIONS) {
  const { id, base, documented } = operation
  const codes = codesOf(operation)
  test(`${id}: no credentials, malformed ones, and those that are not valid here and now`, async () => {
    for (const headers of MISSING) assert.deepEqual(await ask(operation, headers), codes.missing)
    for (const headers of MALFORMED)
      assert.deepEqual(await ask(operation, headers), codes.malformed, JSON.stringify(headers).slice(0, 80))
    for (const [name, secret] of Object.entries(useless))
      assert.deepEqual(await ask(operation, { authorization: `Bearer ${secret}` }), codes.invalid, name)
    const key = { 'x-auth-email': 'user@example.com', 'x-auth-key': 'x'.repeat(40) }
    assert.deepEqual(await ask(operation, key), codes.invalid, 'an unknown key')
  })

  const permission = documented['x-permission']
  if (permission !== null)
    test(`${id}: a token with every permission but “${permission}”`, async () => {
      const { ofAccount, ofUser } = lacking.get(permission) ?? assert.fail(permission)
      for (const secret of [ofAccount, ofUser])
        assert.deepEqual(await ask(operation, { authorization: `Bearer ${secret}` }), codes.lacks)
    })
  if (base === '/operator/v1')
    test(`${id}: an account’s token, whatever it may do`, async () => {
      const authorization = `Bearer ${instance.dev.api_token}`
      assert.deepEqual(await ask(operation, { authorization }), codes.invalid)
    })
}
