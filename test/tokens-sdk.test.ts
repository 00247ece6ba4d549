import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import Cloudflare from 'cloudflare'
import { createTransport } from 'nodemailer'
import { openAccount, openControlPlane } from '#test/control-plane.ts'
import { type Instance, startInstance } from '#test/instance.ts'
import { sdkClient } from '#test/sdk-client.ts'
import { openTestStore } from '#test/stores.ts'

let instance: Instance
let client: Cloudflare

before(async () => {
  instance = await startInstance({ POSTHORN_DEV_ZONES: 'yourdomain.com, other.example' })
  client = sdkClient(instance.dev)
})
after(async () => instance[Symbol.asyncDispose]())

const account = () => ({ account_id: instance.dev.account_id })
const speaking = (apiToken: string) => sdkClient({ ...instance.dev, api_token: apiToken })

async function groupId(name: string): Promise<string> {
  for await (const group of client.accounts.tokens.permissionGroups.list({ ...account(), name }))
    if (group.id !== undefined) return group.id
  throw new Error(`no permission group ${name}`)
}

async function policyFor(name: string, resource: string) {
  const permission_groups = [{ id: await groupId(name) }]
  return {
    effect: 'allow' as const,
    permission_groups,
    resources: { [`com.cloudflare.api.${resource}`]: '*' },
  }
}

test('the official SDK makes, reads, changes, rolls and revokes a token that sends mail', async () => {
  const { tokens } = client.accounts
  const policies = [await policyFor('Email Sending Write', `account.${instance.dev.account_id}`)]
  const made = await tokens.create({ ...account(), name: 'mailer', policies })
  const id = made.id ?? ''
  const mail = {
    ...account(),
    from: 'app@yourdomain.com',
    to: 'sdk@example.com',
    subject: 'token',
    text: 'x',
  }
  assert.deepEqual((await speaking(made.value ?? '').emailSending.send(mail)).delivered, ['sdk@example.com'])

  assert.equal((await tokens.get(id, account())).name, 'mailer')
  assert.equal((await speaking(made.value ?? '').accounts.tokens.verify(account())).status, 'active')
  const rolled = await tokens.value.update(id, account())
  await assert.rejects(speaking(made.value ?? '').emailSending.send(mail), Cloudflare.AuthenticationError)
  await speaking(rolled).emailSending.send(mail)

  const condition = { request_ip: { not_in: ['127.0.0.0/8', '::1/128'] } }
  const updated = await tokens.update(id, { ...account(), name: 'elsewhere', policies, condition })
  assert.deepEqual(updated.condition, condition)
  await assert.rejects(speaking(rolled).emailSending.send(mail), Cloudflare.AuthenticationError)

  const names = new Set<string | undefined>()
  for await (const token of tokens.list(account())) names.add(token.name)
  assert.deepEqual(names, new Set(['Development', 'elsewhere']))
  assert.deepEqual(await tokens.delete(id, account()), { id })
  await assert.rejects(tokens.get(id, account()), Cloudflare.NotFoundError)
})

test('a token for one zone sends from its domains and reads nothing of the account', async () => {
  const policies = [
    await policyFor('Email Sending Write', `account.zone.${instance.dev.zone_id}`),
    {
      ...(await policyFor('Email Sending Write', `account.${instance.dev.account_id}`)),
      effect: 'deny' as const,
    },
  ]
  const [allowed] = policies
  assert.ok(allowed)
  const mail = {
    ...account(),
    from: 'app@yourdomain.com',
    to: 'zone@example.com',
    subject: 'zone',
    text: 'x',
  }
  const made = await client.accounts.tokens.create({ ...account(), name: 'zone', policies: [allowed] })
  const limited = speaking(made.value ?? '')
  assert.deepEqual((await limited.emailSending.send(mail)).delivered, ['zone@example.com'])
  await assert.rejects(
    limited.emailSending.suppressions.list(account()).asResponse(),
    Cloudflare.PermissionDeniedError,
  )
  const none = await client.accounts.tokens.create({ ...account(), name: 'none', policies })
  await assert.rejects(
    speaking(none.value ?? '').emailSending.send(mail),
    (error: unknown) => error instanceof Cloudflare.APIError,
  )
})

test('over SMTP a token counts for its zones and its addresses as well', async () => {
  const { submission, ca } = instance.dev
  const policies = [await policyFor('Email Sending Write', `account.zone.${instance.dev.zone_id}`)]
  const send = (pass: string, from: string) => {
    const auth = { user: 'api_token', pass }
    const tls = { ca: readFileSync(ca) }
    const transport = createTransport({ ...submission, secure: true, auth, tls })
    return transport.sendMail({ from, to: 'smtp@example.com', subject: 'limits', text: 'x' })
  }
  const zoned = await client.accounts.tokens.create({ ...account(), name: 'zone', policies })
  await send(zoned.value ?? '', 'app@yourdomain.com')
  await assert.rejects(send(zoned.value ?? '', 'app@other.example'), { responseCode: 550 })
  const mail = { ...account(), from: 'app@other.example', to: 'zone@example.com', subject: 's', text: 'x' }
  await assert.rejects(
    speaking(zoned.value ?? '').emailSending.send(mail),
    (error: unknown) => error instanceof Cloudflare.PermissionDeniedError && error.errors[0]?.code === 10204,
  )
  const inside = { request_ip: { in: ['127.0.0.0/8', '::1'] } }
  const near = await client.accounts.tokens.create({
    ...account(),
    name: 'near',
    policies,
    condition: inside,
  })
  await send(near.value ?? '', 'app@yourdomain.com')
  const outside = { request_ip: { in: ['192.0.2.0/24'] } }
  const far = await client.accounts.tokens.create({ ...account(), name: 'far', policies, condition: outside })
  await assert.rejects(send(far.value ?? '', 'app@yourdomain.com'), { responseCode: 535 })
})

test('the official SDK reads accounts and the audit log, and tells errors apart', async () => {
  const accounts = []
  for await (const one of client.accounts.list()) accounts.push(one)
  assert.deepEqual(
    accounts.map(({ id }) => id),
    [instance.dev.account_id],
  )
  assert.equal((await client.accounts.get(account())).name, 'Development')
  const renamed = { ...account(), id: instance.dev.account_id, name: 'Renamed', type: 'standard' } as const
  assert.equal((await client.accounts.update(renamed)).name, 'Renamed')
  const actions = new Set<string | undefined>()
  for await (const line of client.auditLogs.list({ ...account(), per_page: 2 }))
    actions.add(line.action?.type)
  for (const action of ['token.create', 'token.roll', 'token.revoke', 'account.update'])
    assert.ok(actions.has(action), action)
  const found = await client.auditLogs.list({ ...account(), action: { type: 'account.update' } })
  assert.equal(found.result.length, 1)

  await assert.rejects(client.user.get(), Cloudflare.PermissionDeniedError)
  await assert.rejects(client.accounts.get({ account_id: '0'.repeat(32) }), Cloudflare.NotFoundError)
  await assert.rejects(speaking('x'.repeat(40)).accounts.get(account()), Cloudflare.AuthenticationError)
  await assert.rejects(
    client.accounts.tokens.create({ ...account(), name: 'x', policies: [] }),
    Cloudflare.BadRequestError,
  )
})

test("the official SDK works with a user's token, and with its address and API key", async () => {
  await using open = await openTestStore('sqlite')
  await using api = await openControlPlane(open.store)
  const one = await openAccount(api, 'one')
  const user = sdkClient({ api: api.base, api_token: one.ofUser.secret })
  assert.equal((await user.user.get()).email, one.email)
  assert.equal((await user.user.tokens.verify()).id, one.ofUser.id)
  const memberships = []
  for await (const membership of user.memberships.list()) memberships.push(membership.account?.id)
  assert.deepEqual(memberships, [one.account])
  const groups = []
  for await (const group of user.user.tokens.permissionGroups.list()) groups.push(group)
  const policies = [
    {
      effect: 'allow' as const,
      permission_groups: groups
        .filter(({ name }) => name === 'Zone DNS Write')
        .map(({ id = '' }) => ({ id })),
      resources: {
        [`com.cloudflare.api.account.${one.account}`]: { 'com.cloudflare.api.account.zone.*': '*' },
      },
    },
  ]
  const made = await user.user.tokens.create({ name: 'zones', policies })
  assert.deepEqual(made.policies?.[0]?.resources, policies[0]?.resources)
  const id = made.id ?? ''
  assert.equal((await user.user.tokens.update(id, { name: 'again', policies })).name, 'again')
  assert.match(await user.user.tokens.value.update(id), /^[\w-]{40}$/)
  assert.equal((await user.user.tokens.list()).result.length, 2)
  assert.deepEqual(await user.user.tokens.delete(id), { id })

  const apiKey = await api.accounts.newApiKey(one.user, ['Account Settings:Read'])
  const keyed = sdkClient({ api: api.base, api_token: '' }, { apiEmail: one.email, apiKey, apiToken: null })
  assert.equal((await keyed.user.get()).email, one.email)
})
