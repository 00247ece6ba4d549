import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { PERMISSIONS } from '#model/permission.ts'
import { type Instance, startInstance } from '#test/instance.ts'
import { sdkClient } from '#test/sdk-client.ts'
import { addSecondAccount, addUserToken, type SecondAccount } from '#test/second-account.ts'
import { openWrangler, type Wrangler } from '#test/wrangler.ts'

/** What the user of wrangler reads when something is wrong (clients.md §3.6). */
let instance: Instance
let wrangler: Wrangler
let second: SecondAccount

before(async () => {
  instance = await startInstance()
  second = addSecondAccount(instance.directory, PERMISSIONS)
  wrangler = await openWrangler(instance)
})
after(async () => {
  await wrangler[Symbol.asyncDispose]()
  await instance[Symbol.asyncDispose]()
})

const SEND = 'email sending send --from app@yourdomain.com --to x@example.com --subject s --text t'

test('a token that is not valid: one answer to the command, one to who it is', async () => {
  const options = { token: 'x'.repeat(40) }
  const notValid = '- The credentials are not valid, or not valid here and now.'
  const who = ['(/accounts) failed.', 'Invalid access token [code: 9109]', `${notValid} [code: 9109]`]
  assert.equal(
    await wrangler.refuses('email routing list', options),
    [
      '(/accounts/<id>/email/routing/zones) failed.',
      ...['Authentication error [code: 10000]', `${notValid} [code: 10000]`],
      ...who,
    ].join('\n'),
  )
  assert.equal(await wrangler.refuses('whoami', options), who.join('\n'))
  assert.equal(
    await wrangler.refuses(SEND, options),
    [
      '(/accounts/<id>/email/sending/send) failed.',
      'email.sending.error.authentication.unauthorized [code: 10101]',
      '- The API token is not valid, or not valid here and now. [code: 10101]',
    ].join('\n'),
  )
})

test('a token that is malformed', async () => {
  assert.equal(
    await wrangler.refuses('email routing list', { token: 'two words' }),
    [
      '(/accounts/<id>/email/routing/zones) failed.',
      'Invalid request headers [code: 6003]',
      '- Invalid format for Authorization header [code: 6111]',
    ].join('\n'),
  )
})

const NO_ROUTE = 'Could not route to this path, perhaps your object identifier is invalid? [code: 7003]'

test("another account, and another account's zone, are not there", async () => {
  const other = { environment: { CLOUDFLARE_ACCOUNT_ID: second.accountId } }
  assert.equal(
    await wrangler.refuses('email routing addresses list', other),
    `(/accounts/<id>/email/routing/addresses) failed.\n${NO_ROUTE}`,
  )
  const theirs = { token: second.token, environment: { CLOUDFLARE_ACCOUNT_ID: second.accountId } }
  assert.equal(
    await wrangler.refuses(`email routing settings yourdomain.com --zone-id ${instance.dev.zone_id}`, theirs),
    `(/zones/<id>/email/routing) failed.\n${NO_ROUTE}`,
  )
  assert.match(
    await wrangler.refuses('email routing settings yourdomain.com', theirs),
    /Could not find zone for `yourdomain\.com`\. Make sure the domain exists in your account\./,
  )
  assert.match(
    await wrangler.refuses(SEND, other),
    /^\(\/accounts\/<id>\/email\/sending\/send\) failed\.\nemail\.sending\.error\.not_found \[code: 10000\]\n- There is no such account for this token\./,
  )
})

test('a domain and ids that nobody has', async () => {
  assert.match(
    await wrangler.refuses('email sending enable news.nowhere.example'),
    /Could not find a zone for `news\.nowhere\.example`/,
  )
  assert.match(
    await wrangler.refuses('email sending dns get never.yourdomain.com'),
    /No sending subdomain found for `never\.yourdomain\.com`/,
  )
  const id = '0'.repeat(32)
  assert.equal(
    await wrangler.refuses(`email routing rules get yourdomain.com ${id}`),
    '(/zones/<id>/email/routing/rules/<id>) failed.\nRule not found [code: 2020]',
  )
  assert.equal(
    await wrangler.refuses(`email routing addresses delete ${id} -y`),
    `(/accounts/<id>/email/routing/addresses/<id>) failed.\n${NO_ROUTE}`,
  )
})

test('a token that lacks the permission is told which', async () => {
  const client = sdkClient(instance.dev)
  const account_id = instance.dev.account_id
  const [group] = (
    await client.accounts.tokens.permissionGroups.list({ account_id, name: 'Email Routing Rules Read' })
  ).result
  const { value = '' } = await client.accounts.tokens.create({
    ...{ account_id, name: 'reader' },
    policies: [
      {
        effect: 'allow',
        permission_groups: [{ id: group?.id ?? '' }],
        resources: { [`com.cloudflare.api.account.${account_id}`]: '*' },
      },
    ],
  })
  const reader = { token: value }
  assert.equal(
    await wrangler.prints('email routing rules list yourdomain.com', reader),
    'No routing rules found.',
  )
  const lacks = (path: string, permission: string) =>
    [
      `(${path}) failed.`,
      'Unauthorized to access requested resource [code: 9109]',
      `- The API token lacks the permission "${permission}". [code: 9109]`,
    ].join('\n')
  assert.equal(
    await wrangler.refuses('email routing enable yourdomain.com', reader),
    lacks('/zones/<id>/email/routing/enable', 'Email Routing Rules:Edit'),
  )
  assert.equal(
    await wrangler.refuses('email sending list yourdomain.com', reader),
    lacks('/zones/<id>/email/sending/subdomains', 'Email Sending:Read'),
  )
  assert.equal(
    await wrangler.refuses(SEND, reader),
    [
      '(/accounts/<id>/email/sending/send) failed.',
      'email.sending.error.authentication.forbidden [code: 10102]',
      '- The API token lacks the permission "Email Sending:Edit". [code: 10102]',
    ].join('\n'),
  )
})

test('what cannot be is refused with a sentence', async () => {
  const create = 'email routing rules create yourdomain.com --match-type literal --match-field to'
  for (const [command, code, sentence] of [
    [
      `${create} --match-value x@elsewhere.example --action-type drop`,
      2062,
      /'elsewhere\.example' is neither/,
    ],
    [
      `${create} --match-value x@yourdomain.com --action-type forward --action-value no@dest.example`,
      1001,
      /'no@dest\.example' is no destination address of this account/,
    ],
    ['email routing addresses create nobody', 1001, /The address has no '@'/],
    ['email sending enable cf-bounce.yourdomain.com', 2063, /where bounces of another domain come back to/],
    [SEND.replace('yourdomain.com', 'elsewhere.example'), 10204, /not onboarded for sending/],
    [SEND.replace('x@example.com', 'nobody'), 10001, /The address has no '@'/],
  ] as const) {
    const refusal = await wrangler.refuses(command)
    assert.match(refusal, sentence)
    assert.ok(refusal.includes(`[code: ${code}]`), refusal)
  }
})

test("a user's token, and an address with its API key, need no account id", async () => {
  const { dev, directory } = instance
  const token = addUserToken(directory, [dev.account_id], { permissions: PERMISSIONS })
  const user = { token, environment: { CLOUDFLARE_ACCOUNT_ID: '' } }
  const printed = await wrangler.prints('whoami', user)
  assert.match(printed, /logged in with an User API Token, associated with the email <id>@example\.com\.\n/)
  assert.match(printed, /│ Development │ <id> │/)
  assert.match(await wrangler.prints('email routing list', user), /│ yourdomain\.com │ <id> │ yes │/)

  const client = sdkClient({ ...dev, api_token: token })
  // The test states the shape that the API documents.
  const key = await client.put<{ result: { api_key: string } }>('/user/api_key')
  const keyed = {
    token: '',
    environment: {
      CLOUDFLARE_EMAIL: (await client.user.get()).email ?? '',
      CLOUDFLARE_API_KEY: key.result.api_key,
      CLOUDFLARE_ACCOUNT_ID: '',
    },
  }
  assert.match(
    await wrangler.prints('whoami', keyed),
    /logged in with an Global API Key, associated with the email/,
  )
  const listed = await wrangler.prints('email sending list', keyed)
  assert.match(listed, /│ yourdomain\.com │ yourdomain\.com │ yes │/)
})

test('nothing but the instance was dialled; the check for a newer version would have been seen', async () => {
  assert.equal(wrangler.strayConnections(), 0)
  rmSync(join(wrangler.folder, 'update-check'), { recursive: true })
  await wrangler.prints('email routing list', { environment: { WRANGLER_HIDE_BANNER: 'false' } })
  assert.ok(wrangler.strayConnections() > 0)
})
