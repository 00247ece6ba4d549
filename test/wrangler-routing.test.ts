import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { deployWorker } from '#test/deploy-worker.ts'
import { type Instance, startInstance } from '#test/instance.ts'
import { openWrangler, type Wrangler } from '#test/wrangler.ts'

/** `wrangler email routing …`, every command and flag (clients.md §2): what its user sees, and what came of it. */
let instance: Instance
let wrangler: Wrangler

before(async () => {
  instance = await startInstance({ POSTHORN_DEV_ZONES: 'yourdomain.com, other.example' })
  wrangler = await openWrangler(instance)
})
after(async () => {
  await wrangler[Symbol.asyncDispose]()
  await instance[Symbol.asyncDispose]()
})

/** What the API says, by which the effect of a command is seen. */
async function read<T>(path: string): Promise<T> {
  const { dev } = instance
  const authorization = `Bearer ${dev.api_token}`
  const response = await fetch(`${dev.api}${path}`, { headers: { authorization } })
  // The test states the shape that the API documents.
  return ((await response.json()) as { result: T }).result
}

const settings = () =>
  read<{ enabled: boolean; status: string }>(`/zones/${instance.dev.zone_id}/email/routing`)

test('whoami: which account the token is for', async () => {
  assert.equal(
    await wrangler.prints('whoami'),
    [
      'Getting User settings...',
      '👋 You are logged in with an Account API Token, associated with the account Development.',
      'ℹ️  The API Token is read from the CLOUDFLARE_API_TOKEN environment variable.',
      '│ Account Name │ Account ID │',
      '│ Development │ <id> │',
      '🔓 To see token permissions visit https://dash.cloudflare.com/<id>/api-tokens',
    ].join('\n'),
  )
})

test('list and settings', async () => {
  assert.equal(
    await wrangler.prints('email routing list'),
    [
      '│ zone │ zone id │ enabled │',
      '│ yourdomain.com │ <id> │ yes │',
      '│ other.example │ <id> │ yes │',
    ].join('\n'),
  )
  const shown = [
    'Email Routing for yourdomain.com:',
    '  Enabled:  true',
    '  Status:   ready',
    '  Created:  <time>',
    '  Modified: <time>',
    '  Tag:      <id>',
  ].join('\n')
  assert.equal(await wrangler.prints('email routing settings yourdomain.com'), shown)
  const named = `email routing settings yourdomain.com --zone-id ${instance.dev.zone_id}`
  assert.equal(await wrangler.prints(named), shown)
})

test('disable, which asks first, and enable', async () => {
  assert.match(await wrangler.prints('email routing disable yourdomain.com'), /Not disabling\.$/)
  assert.equal((await settings()).enabled, true)
  assert.equal(
    await wrangler.prints('email routing disable yourdomain.com -y'),
    'Email Routing disabled for yourdomain.com (status: unconfigured)',
  )
  assert.deepEqual([(await settings()).enabled, (await settings()).status], [false, 'unconfigured'])
  assert.equal(
    await wrangler.prints(`email routing enable yourdomain.com --zone-id ${instance.dev.zone_id}`),
    'Email Routing enabled for yourdomain.com (status: ready)',
  )
  assert.deepEqual([(await settings()).enabled, (await settings()).status], [true, 'ready'])
})

test('dns get and dns unlock, which asks first', async () => {
  const records = [13, 24, 86].map(
    (priority, index) =>
      `MX record:\n  Name:     yourdomain.com\n  Content:  route${index + 1}.mx.posthorn.test\n  Priority: ${priority}\n  TTL:      1\n`,
  )
  assert.equal(
    await wrangler.prints('email routing dns get yourdomain.com'),
    [
      ...records,
      'TXT record:\n  Name:     yourdomain.com\n  Content:  v=spf1 include:_spf.mx.posthorn.test ~all\n  TTL:      1\n',
      'TXT record:\n  Name:     cf2024-1._domainkey.yourdomain.com\n  Content:  v=DKIM1; h=sha256; k=rsa; p=<key>\n  TTL:      1',
    ].join('\n'),
  )
  assert.match(await wrangler.prints('email routing dns unlock yourdomain.com'), /Not unlocking\.$/)
  assert.equal((await settings()).status, 'ready')
  assert.equal(
    await wrangler.prints('email routing dns unlock yourdomain.com --force'),
    'MX records unlocked for yourdomain.com (enabled: true)',
  )
  assert.equal((await settings()).status, 'unlocked')
})

test('addresses: create, list, get, delete', async () => {
  assert.equal(await wrangler.prints('email routing addresses list'), 'No destination addresses found.')
  const created = [
    'Created destination address: new@dest.example',
    '  ID: <id>',
    '  A verification email has been sent. The address must be verified before it can be used.',
  ].join('\n')
  assert.equal(await wrangler.prints('email routing addresses create new@dest.example'), created)
  assert.equal(await wrangler.prints('email routing addresses create new@dest.example'), created, 'again')
  const path = `/accounts/${instance.dev.account_id}/email/routing/addresses`
  const [address, ...others] = await read<{ id: string }[]>(path)
  assert.deepEqual(others, [])
  const shown = (verified: string) =>
    [
      'Destination address: new@dest.example',
      '  ID:       <id>',
      `  Verified: ${verified}`,
      '  Created:  <time>',
      '  Modified: <time>',
    ].join('\n')
  assert.equal(await wrangler.prints(`email routing addresses get ${address?.id}`), shown('pending'))
  await verify('new@dest.example')
  assert.equal(await wrangler.prints(`email routing addresses get ${address?.id}`), shown('<time>'))
  assert.equal(
    await wrangler.prints('email routing addresses list'),
    '│ id │ email │ verified │ created │\n│ <id> │ new@dest.example │ <time> │ <time> │',
  )
  assert.match(await wrangler.prints(`email routing addresses delete ${address?.id}`), /Not deleting\.$/)
  assert.equal(
    await wrangler.prints(`email routing addresses delete ${address?.id} -y`),
    'Deleted destination address: <id>',
  )
  assert.deepEqual(await read(path), [])
})

/** By the link in the mail that came. */
async function verify(email: string): Promise<void> {
  const [mail] = await instance.inbox(`to:${email}`)
  const link = /^ {2}(http:\S+)\r$/m.exec(await instance.raw(mail?.ID ?? ''))?.[1] ?? ''
  assert.equal((await fetch(link, { method: 'POST' })).status, 200)
}

const LITERAL = '--match-type literal --match-field to --match-value'

interface Rule {
  readonly id: string
  readonly name: string
  readonly enabled: boolean
  readonly priority: number
  readonly matchers: unknown
  readonly actions: unknown
}

test('rules: create, list, get, update, delete', async () => {
  const { zone_id } = instance.dev
  const path = `/zones/${zone_id}/email/routing/rules`
  assert.equal(await wrangler.prints('email routing rules list yourdomain.com'), 'No routing rules found.')
  await wrangler.prints('email routing addresses create me@dest.example')
  const create = 'email routing rules create yourdomain.com'
  const created = (name: string, enabled: boolean) =>
    `Created routing rule: <id>\n  Name:    ${name}\n  Enabled: ${enabled}`
  const forward = `${create} ${LITERAL} f@yourdomain.com --action-type forward --action-value me@dest.example`
  assert.equal(await wrangler.prints(`${forward} --name f --priority 3`), created('f', false))
  await verify('me@dest.example')
  const drop = `${create} ${LITERAL} d@yourdomain.com --action-type drop --enabled false --zone-id ${zone_id}`
  assert.equal(await wrangler.prints(drop), created('(none)', false))
  await deployWorker(instance, 'email-worker')
  const worker = `${create} ${LITERAL} w@yourdomain.com --action-type worker --action-value email-worker`
  assert.equal(await wrangler.prints(worker), created('(none)', true))

  const block = (enabled: boolean, name: string, to: string, action: string, priority: number) =>
    [
      'Rule: <id>',
      `  Name:     ${name}`,
      `  Enabled:  ${enabled}`,
      `  Matchers: to:${to}`,
      `  Actions:  ${action}`,
      `  Priority: ${priority}`,
    ].join('\n')
  assert.equal(
    await wrangler.prints('email routing rules list yourdomain.com'),
    [
      block(true, 'f', 'f@yourdomain.com', 'forward:me@dest.example', 3),
      block(false, '(none)', 'd@yourdomain.com', 'drop', 0),
      block(true, '(none)', 'w@yourdomain.com', 'worker:email-worker', 0),
    ].join('\n\n'),
  )
  const rule = (await read<Rule[]>(path)).find(({ name }) => name === 'f')
  assert.equal(
    await wrangler.prints(`email routing rules get yourdomain.com ${rule?.id}`),
    [
      'Rule: <id>',
      '  Name:     f',
      '  Enabled:  true',
      '  Priority: 3',
      '  Matchers:',
      '    - literal to = f@yourdomain.com',
      '  Actions:',
      '    - forward: me@dest.example',
    ].join('\n'),
  )
  const update = `email routing rules update yourdomain.com ${rule?.id} ${LITERAL} g@yourdomain.com`
  assert.equal(
    await wrangler.prints(`${update} --action-type drop --no-enabled --name g --priority 7`),
    'Updated routing rule: <id>\n  Name:    g\n  Enabled: false',
  )
  const now = await read<Rule>(`${path}/${rule?.id}`)
  assert.deepEqual([now.name, now.enabled, now.priority, now.actions], ['g', false, 7, [{ type: 'drop' }]])
  assert.deepEqual(now.matchers, [{ type: 'literal', field: 'to', value: 'g@yourdomain.com' }])
  const remove = `email routing rules delete yourdomain.com ${rule?.id}`
  assert.match(await wrangler.prints(remove), /Not deleting\.$/)
  assert.equal(await wrangler.prints(`${remove} -y`), 'Deleted routing rule: <id>')
  const left = (await read<Rule[]>(path)).map(({ id }) => id)
  assert.deepEqual([left.length, left.includes(rule?.id ?? '')], [2, false])
})

test('rules: the catch-all, by its name and by its id', async () => {
  const catchAll = (enabled: boolean, action: string) =>
    `Catch-all rule:\n  Enabled: ${enabled}\n  Actions:\n    - ${action}`
  const get = 'email routing rules get yourdomain.com'
  assert.equal(await wrangler.prints(`${get} catch-all`), catchAll(false, 'drop'))
  const update = 'email routing rules update yourdomain.com catch-all'
  assert.equal(
    await wrangler.prints(
      `${update} --action-type forward --action-value me@dest.example --enabled --name all`,
    ),
    'Updated catch-all rule:\n  Enabled: true\n  Actions:\n    - forward: me@dest.example',
  )
  const set = await read<Rule>(`/zones/${instance.dev.zone_id}/email/routing/rules/catch_all`)
  assert.deepEqual([set.name, set.enabled], ['all', true])
  assert.equal(await wrangler.prints(`${get} ${set.id}`), catchAll(true, 'forward: me@dest.example'))
  assert.equal(
    await wrangler.prints(`${update} --action-type drop --enabled false --zone-id ${instance.dev.zone_id}`),
    'Updated catch-all rule:\n  Enabled: false\n  Actions:\n    - drop',
  )
})

test('nothing but the instance was dialled', () => {
  assert.equal(wrangler.strayConnections(), 0)
})
