import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import Fastify from 'fastify'
import { z } from 'zod'
import { serviceNames } from '#model/service.ts'
import type { Smarthost, SmarthostTrial } from '#model/smarthost.ts'
import { openLog } from '#observe/log.ts'
import { openAccounts, type Permission } from '#registry/accounts/accounts.ts'
import { openDomains } from '#registry/domains/domains.ts'
import { LOOPBACK_ADDRESSES } from '#registry/domains/service-zone.ts'
import { openSmarthosts } from '#registry/domains/smarthosts.ts'
import { trySmarthost } from '#smtp/try-smarthost.ts'
import { playServer } from '#test/smtp-dialogue.ts'
import { type OpenStore, onBothEngines, openTestStore } from '#test/stores.ts'
import { openVault } from '#vault/vault.ts'
import { smarthostRoutes } from './smarthost.ts'

const service = serviceNames('posthorn.test')
const RELAY = { host: 'relay.example.com', tls: 'implicit', username: 'us', password: 'the-password' }
const NOW = 1_800_000_000_000
const TIMES = { created_at: new Date(NOW).toISOString(), modified_at: new Date(NOW).toISOString() }
const SHOWN = {
  scope: { type: 'account' },
  host: 'relay.example.com',
  port: 465,
  tls: 'implicit',
  username: 'us',
  ...TIMES,
}
const READY: SmarthostTrial = {
  outcome: 'ready',
  detail: 'It greeted us over TLSv1.3 and would take mail',
  address: '192.0.2.1',
  tls: 'TLSv1.3 TLS_AES_256_GCM_SHA384',
  dialogue: ['s: 220 relay', 'c: QUIT'],
  durationMs: 12,
}

const answer = z.object({
  success: z.boolean(),
  result: z.unknown(),
  errors: z.array(
    z.object({
      code: z.number(),
      message: z.string(),
      error_chain: z.array(z.object({ message: z.string() })).optional(),
      source: z.object({ pointer: z.string() }).optional(),
    }),
  ),
})

/** The routes over real parts, with two accounts of which the first has yourdomain.com. */
async function door(
  open: OpenStore,
  attempt: (smarthost: Smarthost) => Promise<SmarthostTrial> = async () => READY,
) {
  const { store } = open
  const clock = () => NOW
  const vault = openVault(randomBytes(32))
  const accounts = openAccounts({ store, clock })
  const domains = openDomains({ store, vault, service, clock, addresses: LOOPBACK_ADDRESSES })
  const smarthosts = openSmarthosts({
    store,
    vault,
    service,
    clock,
    installation: { host: 'operator.example', port: 25, tls: 'none' },
  })
  const customer = async (name: string, permissions: readonly Permission[]) => {
    const { id } = await accounts.createAccount(name)
    const { secret } = await accounts.createToken(id, { name, permissions })
    return { id, secret }
  }
  const one = await customer('One', ['Email Sending:Edit'])
  const two = await customer('Two', ['Email Sending:Edit'])
  const zone = await domains.createZone(one.id, 'yourdomain.com', { active: true })
  assert.ok(zone.kind === 'created')
  const wish = { accountId: one.id, zoneId: zone.zone.id, name: 'yourdomain.com', active: true }
  await domains.onboardSending(wish)

  const app = Fastify()
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  smarthostRoutes(app, { accounts, log: openLog('silent'), smarthosts, trySmarthost: attempt })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })

  const ask = async (
    method: string,
    { id, secret }: { readonly id: string; readonly secret: string },
    { rest = '', body }: { readonly rest?: string; readonly body?: unknown } = {},
  ) => {
    const response = await fetch(`${url}/accounts/${id}/email/sending/smarthost${rest}`, {
      method,
      headers: { authorization: `Bearer ${secret}` },
      // Bytes, which go without a Content-Type.
      ...(body !== undefined && { body: Buffer.from(JSON.stringify(body)) }),
    })
    const text = await response.text()
    assert.ok(!text.includes('the-password'), text)
    const parsed = answer.parse(JSON.parse(text))
    const [error] = parsed.errors
    const detail = error?.error_chain?.[0]?.message ?? ''
    return { status: response.status, result: parsed.result, code: error?.code, error, detail }
  }
  return {
    one,
    two,
    ask,
    accounts,
    smarthosts,
    async [Symbol.asyncDispose]() {
      await app.close()
    },
  }
}

onBothEngines(
  'an account sets its smarthost, sees it without the password, and removes it',
  async (_t, open) => {
    await using http = await door(open)
    const { one, ask, smarthosts } = http
    const none = await ask('GET', one)
    assert.deepEqual([none.status, none.code], [404, 10000])
    assert.equal((await ask('DELETE', one)).status, 404)

    const put = await ask('PUT', one, { body: RELAY })
    assert.deepEqual([put.status, put.result], [200, SHOWN])
    assert.deepEqual((await ask('GET', one)).result, SHOWN)
    const used = await smarthosts.smarthostFor(one.id, null)
    assert.deepEqual(used?.login, { username: 'us', password: 'the-password' })
    assert.equal(used.trusted, false)

    const open25 = { host: 'relay.example.com', port: 25, tls: 'none', username: null, password: null }
    const second = await ask('PUT', one, { body: open25 })
    assert.deepEqual(second.result, { ...SHOWN, port: 25, tls: 'none', username: null })
    assert.equal((await smarthosts.smarthostFor(one.id, null))?.login, undefined)

    const removed = await ask('DELETE', one)
    assert.deepEqual([removed.status, removed.result], [200, { scope: { type: 'account' } }])
    assert.equal((await smarthosts.smarthostFor(one.id, null))?.host, 'operator.example')
    assert.equal((await ask('GET', one)).status, 404, 'the operator’s own is not to be seen')
  },
)

onBothEngines('promise 6: what one account has, another neither sees nor changes', async (_t, open) => {
  await using http = await door(open)
  const { one, two, ask, smarthosts } = http
  await ask('PUT', one, { body: RELAY })
  const domain = '?domain=yourdomain.com'
  await ask('PUT', one, { rest: domain, body: { ...RELAY, host: 'domain.example.com' } })
  const asOther = { id: one.id, secret: two.secret }
  const nobody = { id: 'f'.repeat(32), secret: two.secret }
  for (const [method, rest] of [
    ['GET', ''],
    ['PUT', ''],
    ['DELETE', ''],
    ['POST', '/test'],
  ] as const) {
    for (const query of ['', domain]) {
      const request = { rest: `${rest}${query}`, ...(method === 'PUT' && { body: RELAY }) }
      const theirs = await ask(method, asOther, request)
      assert.equal(theirs.status, 404)
      assert.deepEqual(theirs, await ask(method, nobody, request))
    }
    const foreign = { rest: `${rest}${domain}`, ...(method === 'PUT' && { body: RELAY }) }
    const unknown = { ...foreign, rest: `${rest}?domain=unknown.example` }
    assert.equal((await ask(method, two, foreign)).status, 404)
    assert.deepEqual(await ask(method, two, foreign), await ask(method, two, unknown))
  }
  assert.equal((await ask('GET', two)).status, 404)
  assert.equal((await smarthosts.smarthostFor(two.id, null))?.host, 'operator.example')
  assert.deepEqual((await ask('GET', one)).result, SHOWN)
  const scope = { type: 'sending_domain', value: 'yourdomain.com' }
  const ofDomain = await ask('GET', one, { rest: '?domain=YourDomain.com' })
  assert.deepEqual(ofDomain.result, { ...SHOWN, scope, host: 'domain.example.com' })
})

test('who may not edit may look, and no more; who may neither is told what is missing', async () => {
  await using open = await openTestStore('sqlite')
  await using http = await door(open)
  const { one, ask, accounts } = http
  await ask('PUT', one, { body: RELAY })
  const reading = await accounts.createToken(one.id, { name: 'reader', permissions: ['Email Sending:Read'] })
  const reader = { id: one.id, secret: reading.secret }
  assert.equal((await ask('GET', reader)).status, 200)
  for (const [method, rest] of [
    ['PUT', ''],
    ['DELETE', ''],
    ['POST', '/test'],
  ] as const) {
    const refused = await ask(method, reader, { rest })
    assert.deepEqual([refused.status, refused.code], [403, 10102])
    assert.match(refused.detail, /Email Sending:Edit/)
  }
  assert.equal((await ask('GET', { id: one.id, secret: 'never-seen' })).status, 401)
  assert.equal((await ask('GET', one)).status, 200)
})

test('what is wrong with a setting is named, and nothing changes', async () => {
  await using open = await openTestStore('sqlite')
  await using http = await door(open)
  const { one, ask } = http
  await ask('PUT', one, { body: RELAY })
  const wrong: [unknown, string][] = [
    [{ ...RELAY, host: '127.0.0.1' }, '/host'],
    [{ ...RELAY, host: 'smtp.mx.posthorn.test' }, '/host'],
    [{ ...RELAY, host: 5 }, '/host'],
    [{ ...RELAY, port: 22 }, '/port'],
    [{ ...RELAY, port: '465' }, '/port'],
    [{ ...RELAY, tls: 'none' }, '/tls'],
    [{ ...RELAY, tls: 'maybe' }, '/tls'],
    [{ ...RELAY, username: 'a\nb' }, '/username'],
    [{ ...RELAY, password: '' }, '/password'],
    [{ ...RELAY, password: undefined }, '/password'],
    [{ ...RELAY, username: null }, '/username'],
    [{ ...RELAY, secret: 'x' }, '/secret'],
    [{ tls: 'implicit' }, '/host'],
    [[], ''],
  ]
  for (const [body, pointer] of wrong) {
    const refused = await ask('PUT', one, { body })
    assert.deepEqual([refused.status, refused.code], [400, 10001], JSON.stringify(body))
    assert.equal(refused.error?.source?.pointer, pointer, JSON.stringify(refused))
  }
  assert.equal((await ask('PUT', one)).status, 400)
  for (const rest of ['?domain=a&domain=b', '?domian=yourdomain.com', '?zone_id=1'])
    assert.deepEqual([(await ask('DELETE', one, { rest })).status, rest], [400, rest])
  for (const rest of ['?domain=', '?domain=a%00b', '?domain=%27', `?domain=${'x'.repeat(3000)}`])
    assert.equal((await ask('DELETE', one, { rest })).status, 404)
  assert.deepEqual((await ask('GET', one)).result, SHOWN)
})

test('a test says what happened, with the dialogue', async () => {
  await using open = await openTestStore('sqlite')
  const tried: Smarthost[] = []
  await using http = await door(open, async (smarthost) => {
    tried.push(smarthost)
    return READY
  })
  const { one, ask } = http
  const rest = '/test'
  assert.equal((await ask('POST', one, { rest })).status, 404, 'the operator’s own is not to be tried')
  await ask('PUT', one, { body: RELAY })
  const { status, result } = await ask('POST', one, { rest })
  assert.equal(status, 200)
  assert.deepEqual(result, {
    works: true,
    outcome: 'ready',
    detail: READY.detail,
    address: '192.0.2.1',
    tls: READY.tls,
    duration_ms: 12,
    dialogue: READY.dialogue,
  })
  assert.deepEqual(tried[0]?.login, { username: 'us', password: 'the-password' })
  assert.equal(tried.length, 1)
})

test('one test at a time for each account', async () => {
  await using open = await openTestStore('sqlite')
  const begun = Promise.withResolvers<void>()
  const over = Promise.withResolvers<SmarthostTrial>()
  await using http = await door(open, () => {
    begun.resolve()
    return over.promise
  })
  const { one, two, ask } = http
  for (const account of [one, two]) await ask('PUT', account, { body: RELAY })
  const rest = '/test'
  const first = ask('POST', one, { rest })
  await begun.promise
  const second = await ask('POST', one, { rest })
  assert.deepEqual([second.status, second.code], [429, 10004])
  const others = ask('POST', two, { rest })
  over.resolve(READY)
  assert.deepEqual([(await first).status, (await others).status], [200, 200])
  assert.equal((await ask('POST', one, { rest })).status, 200)
})

test('a customer’s test never reaches our own network, whatever DNS says', async () => {
  await using open = await openTestStore('sqlite')
  await using inside = await playServer('c: (close)')
  const resolver = {
    addresses: async () => ({ kind: 'found', records: [{ address: '127.0.0.1', family: 4 }] }) as const,
  }
  await using http = await door(open, (smarthost) =>
    trySmarthost(smarthost, {
      resolver,
      ehloName: 'posthorn.test',
      verify: {},
      mayDial: () => true,
      now: Date.now,
    }),
  )
  const { one, ask } = http
  await ask('PUT', one, { body: { ...RELAY, port: inside.port } })
  const { status, result } = await ask('POST', one, { rest: '/test' })
  assert.equal(status, 200)
  const told = z
    .object({ works: z.boolean(), outcome: z.string(), dialogue: z.array(z.string()) })
    .parse(result)
  assert.deepEqual(told, { works: false, outcome: 'no-address', dialogue: [] })
})
