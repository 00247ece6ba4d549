import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { TokenBody } from '#contract/tokens.ts'
import { PERMISSIONS } from '#model/permission.ts'
import { NO_TERMINAL, type Ran, runCli, runInTerminal } from '#test/cli.ts'
import { type Instance, startInstance } from '#test/instance.ts'
import { addSecondAccount, addUserToken } from '#test/second-account.ts'

/** `posthorn tokens` as a person and as a script use it, against a running instance. */
let instance: Instance

before(async () => {
  instance = await startInstance()
})
after(async () => instance[Symbol.asyncDispose]())

function tokens(...args: string[]): Promise<Ran> {
  return runCli({ POSTHORN_DATA: instance.directory }, 'tokens', ...args)
}

function tokensAs(token: string, ...args: string[]): Promise<Ran> {
  return runCli({ POSTHORN_API: instance.dev.api, POSTHORN_API_TOKEN: token }, 'tokens', ...args)
}

/** Piped, it is JSON without being asked. */
async function json<R>(...args: string[]): Promise<R> {
  return read<R>(tokens(...args))
}

async function read<R>(running: Promise<Ran>): Promise<R> {
  const { code, out, err } = await running
  assert.equal(code, 0, err)
  // The contract says what each route answers.
  return JSON.parse(out) as R
}

type Made = TokenBody & { readonly value: string }

async function statusOfSend(token: string): Promise<number> {
  const mail = { from: 'a@yourdomain.com', to: 'x@example.com', subject: 's', text: 't' }
  return (await instance.send(mail, { authorization: `Bearer ${token}` })).status
}

test('a token of one zone: made, used, rolled, revoked', async () => {
  const permission = ['--permission', 'email-sending:edit', '--permission', 'Zone DNS Read']
  const limits = ['--zone', 'yourdomain.com', '--ip', '127.0.0.0/8', '--ip', '::1', '--expires', '90d']
  const made = await json<Made>('create', 'ci', ...permission, ...limits)
  const { name, status, policies, condition, expires_on: expires = '' } = made
  assert.deepEqual([name, status], ['ci', 'active'])
  assert.deepEqual(
    policies.map(({ effect, permission_groups: groups, resources }) => [
      effect,
      groups.map((one) => one.name),
      resources,
    ]),
    [
      [
        'allow',
        ['Email Sending Write', 'Zone DNS Read'],
        { [`com.cloudflare.api.account.zone.${instance.dev.zone_id}`]: '*' },
      ],
    ],
  )
  assert.deepEqual(condition, { request_ip: { in: ['127.0.0.0/8', '::1'] } })
  const days = (Date.parse(expires) - Date.now()) / 86_400_000
  assert.ok(days > 89.9 && days <= 90)
  assert.equal(await statusOfSend(made.value), 200)

  const listed = await tokens('list', '--no-json')
  assert.match(listed.out, /^ID +NAME +STATUS +EXPIRES +WHERE +MAY\n/)
  assert.match(listed.out, /\n[0-9a-f]{32} +ci +active +in 90d +1 zone +Email Sending Write, Zone DNS Read\n/)
  assert.match(listed.out, / Development +active +never +account +Account Settings Write, .*, and 5 more\n/)
  assert.ok(!listed.out.includes(made.value))

  const unsure = await tokens('roll', 'ci')
  assert.deepEqual([unsure.code, unsure.out], [4, ''])
  assert.match(unsure.err, /Give "ci" a new secret\? The old one stops at once\. .*--yes/)
  const rolled = await tokens('roll', 'ci', '--yes', '--secret-only')
  const secret = rolled.out.trim()
  assert.match(secret, /^[\w-]{40}$/)
  assert.deepEqual([await statusOfSend(made.value), await statusOfSend(secret)], [401, 200])

  assert.equal((await tokens('revoke', made.id)).code, 4)
  assert.deepEqual(await json('revoke', made.id, '-y'), { id: made.id, name: 'ci', revoked: true })
  assert.equal(await statusOfSend(secret), 401)
  assert.equal((await tokens('revoke', 'ci', '-y')).code, 3)
})

test('two of a name are told apart by their ids, and the token in use is told of', async () => {
  const make = () => json<Made>('create', 'twin', '--permission', 'Analytics:Read')
  const [one, other] = [await make(), await make()]
  const which = await tokens('revoke', 'twin', '-y')
  assert.equal(which.code, 2)
  assert.ok(which.err.includes(one.id) && which.err.includes(other.id), which.err)
  await json('revoke', one.id, '-y')
  await json('revoke', 'twin', '-y')
  const own = await tokens('revoke', 'Development')
  assert.equal(own.code, 4)
  assert.match(own.err, /It is the token that this command uses\./)
})

test('a user’s own tokens, and an account where there are several', async () => {
  const second = addSecondAccount(instance.directory, PERMISSIONS)
  const accounts = [instance.dev.account_id, second.accountId]
  const user = addUserToken(instance.directory, accounts, { permissions: PERMISSIONS })
  const unclear = await tokensAs(user, 'list')
  assert.equal(unclear.code, 2)
  assert.match(
    unclear.err,
    /--account in which account:\n(?: {2}[0-9a-f]{32} {2}(?:Development|Second)\n){2}/,
  )
  const listed = await read<TokenBody[]>(tokensAs(user, 'list', '--account', 'second'))
  assert.deepEqual(
    listed.map(({ name }) => name),
    ['second'],
  )
  const permission = ['--permission', 'Email Sending:Edit', '--account', second.accountId]
  const made = await read<Made>(tokensAs(user, 'create', 'mine', '--user', ...permission))
  assert.deepEqual(Object.keys(made.policies[0]?.resources ?? {}), [
    `com.cloudflare.api.account.${second.accountId}`,
  ])
  const own = await read<TokenBody[]>(tokensAs(user, 'list', '--user'))
  assert.ok(own.some(({ name }) => name === 'mine'))
  const strange = await tokensAs(made.value, 'list')
  assert.equal(strange.code, 1)
  assert.match(
    strange.err,
    /lacks the permission "Account Settings:Read".*\n {2}code 9109\n {2}Use a token that may;/,
  )
})

test('what cannot be given is refused with its reason', async () => {
  for (const [args, code, says] of [
    [[], 2, /say by --permission.*posthorn tokens permissions/],
    [['--permission', 'nonsense'], 2, /no permission "nonsense"; there are:\n {2}Account Settings Read\n/],
    [
      ['--permission', 'Email Routing Addresses:Edit', '--zone', 'yourdomain.com'],
      ...([
        1,
        /cannot be given over these.*\n {2}code 1001, at \/policies\/0\/permission_groups\/0\/id\n/,
      ] as const),
    ],
    [['--permission', 'Analytics:Read', '--ip', 'x'], 1, /code 1001, at \/condition\/request_ip\/in\/0/],
    [['--permission', 'Analytics:Read', '--zone', 'foreign.example'], 3, /there is no zone foreign\.example/],
    [['--permission', 'Analytics:Read', '--expires', 'soon'], 2, /or 90d from now/],
  ] as const) {
    const ran = await tokens('create', 'no', ...args)
    assert.deepEqual([ran.code, ran.out], [code, ''], `${args.join(' ')}: ${ran.err}`)
    assert.match(ran.err, says)
  }
  const permissions = await tokens('permissions', '--no-json')
  assert.match(permissions.out, /\nEmail Sending Write +an account, a zone\n/)
})

test('at a terminal the secret is shown, once', { skip: NO_TERMINAL ?? false }, async () => {
  const { code, out } = await runInTerminal(
    { POSTHORN_DATA: instance.directory },
    { columns: 80, args: ['tokens', 'create', 'shown', '--permission', 'Analytics:Read'] },
  )
  assert.equal(code, 0)
  assert.match(
    out,
    /^Token +shown\nId +[0-9a-f]{32}\nMay +Analytics Read\nWhere +account\nExpires +never\nSecret +[\w-]{40}\n/,
  )
  assert.match(out, /\nThe secret is shown here and nowhere else: keep it now\.\n$/)
})
