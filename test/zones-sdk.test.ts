import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import Cloudflare from 'cloudflare'
import { type Instance, startInstance } from '#test/instance.ts'
import { sdkClient } from '#test/sdk-client.ts'
import { addSecondAccount, addUserToken } from '#test/second-account.ts'

/** Zones and their records, as the official SDK sees them. */
let instance: Instance
let client: Cloudflare

before(async () => {
  instance = await startInstance()
  client = clientWith(instance.dev.api_token)
})
after(async () => instance[Symbol.asyncDispose]())

function clientWith(apiToken: string): Cloudflare {
  return sdkClient({ ...instance.dev, api_token: apiToken })
}

const account = () => ({ id: instance.dev.account_id })
const zone = () => ({ zone_id: instance.dev.zone_id })

async function names(list: AsyncIterable<{ readonly name: string }>): Promise<string[]> {
  const found: string[] = []
  for await (const { name } of list) found.push(name)
  return found
}

/** The status and the first error of a refused call. */
async function refusal(call: PromiseLike<unknown>): Promise<[number, number, string]> {
  try {
    await call
  } catch (error) {
    assert.ok(error instanceof Cloudflare.APIError)
    const [first] = error.errors
    return [Number(error.status), Number(first?.code), JSON.stringify(error.error)]
  }
  return assert.fail('it was not refused')
}

test('a zone is made, found by name and account, and removed', async () => {
  const made = await client.zones.create({ account: account(), name: 'Shop.Example', type: 'full' })
  assert.match(made.id, /^[0-9a-f]{32}$/)
  assert.deepEqual(
    [made.name, made.status, made.type, made.paused, made.account.id],
    ['shop.example', 'active', 'full', false, instance.dev.account_id],
  )
  assert.equal(made.name_servers.length, 2)
  assert.match(made.created_on, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
  assert.deepEqual(await client.zones.get({ zone_id: made.id.toUpperCase() }), made)

  const found = await client.zones.list({ name: 'shop.example', account: account() })
  assert.deepEqual(
    [found.result.map(({ id }) => id), found.result_info],
    [[made.id], { page: 1, per_page: 20, count: 1, total_count: 1, total_pages: 1 }],
  )
  assert.deepEqual((await found.getNextPage()).result, [])
  assert.deepEqual((await client.zones.list({ name: 'news.shop.example' })).result, [])
  assert.deepEqual((await client.zones.list({ account: { id: '0'.repeat(32) } })).result, [])

  assert.deepEqual(await client.zones.activationCheck.trigger({ zone_id: made.id }), { id: made.id })
  const [status, code] = await refusal(client.zones.create({ account: account(), name: 'shop.example' }))
  assert.deepEqual([status, code], [400, 1061])
  assert.deepEqual(await client.zones.delete({ zone_id: made.id }), { id: made.id })
  assert.deepEqual((await refusal(client.zones.get({ zone_id: made.id }))).slice(0, 2), [404, 7003])
  assert.deepEqual((await refusal(client.zones.delete({ zone_id: made.id }))).slice(0, 2), [404, 7003])
})

test('lists of zones go on page by page, filtered and in order', async () => {
  const made = await Promise.all(
    ['c', 'a', 'b'].map((name) => client.zones.create({ account: account(), name: `${name}.list.example` })),
  )
  const list = (query: Cloudflare.Zones.ZoneListParams) => names(client.zones.list({ per_page: 5, ...query }))
  const ours = ['a', 'b', 'c'].map((name) => `${name}.list.example`)
  assert.deepEqual(await list({ name: 'ends_with:.list.example' }), ours)
  assert.deepEqual(
    await list({ name: 'contains:.LIST.', direction: 'desc', order: 'name' }),
    ours.toReversed(),
  )
  assert.deepEqual(await list({ status: 'pending' }), [])
  assert.deepEqual(await list({ type: ['partial', 'secondary'] }), [])
  assert.deepEqual(await list({ match: 'any', name: 'a.list.example', status: 'moved' }), ['a.list.example'])
  assert.equal((await client.zones.list({ page: 9 })).result.length, 0)
  for (const { id } of made) await client.zones.delete({ zone_id: id })
})

test('a zone that cannot be is refused with its reason', async () => {
  const cases: readonly [object, number, number, RegExp][] = [
    [{ name: 'not a name' }, 400, 1001, /letters, digits/],
    [{ name: 'example' }, 400, 1001, /top-level domain/],
    [{ name: 'mail.posthorn.test' }, 400, 1097, /service itself/],
    [{ name: 'x.example', type: 'secondary' }, 400, 1001, /"full" or "partial"/],
    [{ name: 'x.example', type: 'full', dns: 'manual' }, 400, 1001, /"partial"/],
    [{ name: `${'a.'.repeat(10)}example` }, 400, 1001, /10 labels/],
    [{ name: 'x.example', account: { id: '0'.repeat(32) } }, 404, 7003, /./],
    [{}, 400, 1001, /name/],
  ]
  for (const [body, status, code, said] of cases) {
    const refused = await refusal(client.post('/zones', { body: { account: account(), ...body } }))
    assert.deepEqual(refused.slice(0, 2), [status, code], JSON.stringify(body))
    assert.match(refused[2].replaceAll('\\"', '"'), said)
  }
})

test('a zone that stays elsewhere tells what to publish there', async () => {
  const made = await client.zones.create({ account: account(), name: 'elsewhere.example', type: 'partial' })
  assert.equal(made.type, 'partial')
  assert.equal(made.verification_key, `posthorn-verification=${made.id}`)
  const of = { zone_id: made.id }
  const [status, code] = await refusal(
    client.dns.records.create({ ...of, type: 'A', name: '@', content: '192.0.2.1', ttl: 1 }),
  )
  assert.deepEqual([status, code], [400, 1004])
  assert.deepEqual((await client.dns.records.list(of)).result, [])
  await client.zones.delete(of)
})

test('records of every type are made, read, changed and removed', async () => {
  const { records } = client.dns
  const hex = 'ab'.repeat(32)
  const made = await Promise.all([
    records.create({ ...zone(), type: 'A', name: 'www', content: '192.0.2.1', ttl: 1 }),
    records.create({
      ...zone(),
      type: 'AAAA',
      name: 'www',
      content: '2001:DB8::1',
      ttl: 120,
      proxied: false,
    }),
    records.create({ ...zone(), type: 'CNAME', name: 'alias', content: 'www.yourdomain.com', ttl: 1 }),
    records.create({ ...zone(), type: 'MX', name: 'mail', content: 'mx.example.net', priority: 10, ttl: 1 }),
    records.create({
      ...zone(),
      type: 'TXT',
      name: '@',
      content: '"site=1"',
      ttl: 1,
      comment: 'for the search',
    }),
    records.create({ ...zone(), type: 'NS', name: 'sub', content: 'ns.example.net', ttl: 1 }),
    records.create({
      ...{ ...zone(), type: 'SRV', name: '_submissions._tcp', ttl: 1 },
      data: { priority: 0, weight: 1, port: 465, target: 'smtp.example.net' },
    }),
    records.create({
      ...{ ...zone(), type: 'CAA', name: '@', ttl: 1 },
      data: { flags: 0, tag: 'issue', value: 'letsencrypt.org' },
    }),
    records.create({ ...zone(), type: 'PTR', name: 'ptr', content: 'host.example.net', ttl: 1 }),
    records.create({
      ...{ ...zone(), type: 'TLSA', name: '_25._tcp.mail', ttl: 1 },
      data: { usage: 3, selector: 1, matching_type: 1, certificate: hex },
    }),
    records.create({
      ...{ ...zone(), type: 'SSHFP', name: 'www', ttl: 1 },
      data: { algorithm: 4, type: 2, fingerprint: hex },
    }),
  ])
  assert.deepEqual(
    made.map(({ type, name, content }) => `${type} ${name} ${content}`),
    [
      'A www.yourdomain.com 192.0.2.1',
      'AAAA www.yourdomain.com 2001:db8::1',
      'CNAME alias.yourdomain.com www.yourdomain.com',
      'MX mail.yourdomain.com mx.example.net',
      'TXT yourdomain.com site=1',
      'NS sub.yourdomain.com ns.example.net',
      'SRV _submissions._tcp.yourdomain.com 0 1 465 smtp.example.net',
      'CAA yourdomain.com 0 issue "letsencrypt.org"',
      'PTR ptr.yourdomain.com host.example.net',
      `TLSA _25._tcp.mail.yourdomain.com 3 1 1 ${hex}`,
      `SSHFP www.yourdomain.com 4 2 ${hex}`,
    ],
  )
  for (const record of made) {
    assert.deepEqual(await records.get(record.id, zone()), record)
  }

  const [a] = made
  assert.ok(a)
  const edited = await records.edit(a.id, {
    ...zone(),
    type: 'A',
    name: 'www',
    ttl: 300,
    content: '192.0.2.2',
  })
  assert.deepEqual([edited.id, edited.content, edited.ttl], [a.id, '192.0.2.2', 300])
  const patched = await client.patch(`/zones/${instance.dev.zone_id}/dns_records/${a.id}`, {
    body: { comment: 'c' },
  })
  assert.equal(Reflect.get(Object(Reflect.get(Object(patched), 'result')), 'content'), '192.0.2.2')
  const updated = await records.update(a.id, { ...zone(), type: 'TXT', name: 'text', content: 'x', ttl: 1 })
  assert.deepEqual([updated.name, updated.type, updated.comment], ['text.yourdomain.com', 'TXT', null])

  for (const { id } of made) assert.deepEqual(await records.delete(id, zone()), { id })
  assert.deepEqual((await refusal(records.get(a.id, zone()))).slice(0, 2), [404, 81_044])
  assert.deepEqual((await refusal(records.delete(a.id, zone()))).slice(0, 2), [404, 81_044])
})

test('lists of records are filtered and ordered', async () => {
  const { records } = client.dns
  const list = (query: object) => names(records.list({ ...zone(), ...query }))
  const made = await Promise.all(
    ['one', 'two', 'three'].map((name) =>
      records.create({
        ...zone(),
        type: 'TXT',
        name: `${name}.list`,
        content: `says ${name}`,
        ttl: 1,
        tags: [`n:${name}`],
      }),
    ),
  )
  const [one, two, three] = ['one', 'two', 'three'].map((name) => `${name}.list.yourdomain.com`)
  assert.deepEqual(await list({ name: 'one.list.yourdomain.com' }), [one])
  assert.deepEqual(await list({ name: { exact: 'ONE.list.yourdomain.com' } }), [one])
  assert.deepEqual(await list({ name: { contains: '.list.' }, per_page: 5 }), [one, three, two])
  assert.deepEqual(await list({ name: { startswith: 't', endswith: 'list.yourdomain.com' } }), [three, two])
  assert.deepEqual(await list({ content: { contains: 'says' }, order: 'content', direction: 'desc' }), [
    two,
    three,
    one,
  ])
  assert.deepEqual(await list({ search: 'SAYS ONE' }), [one])
  assert.deepEqual(await list({ tag: 'n:two' }), [two])
  assert.deepEqual(await list({ match: 'any', name: { exact: one }, content: { exact: 'says two' } }), [
    one,
    two,
  ])
  assert.deepEqual(await list({ type: 'NS' }), [])
  assert.equal((await list({ type: 'MX', per_page: 5 })).length, 6, 'onboarding’s own')
  for (const { id } of made) await records.delete(id, zone())
})

test('what onboarding has locked is refused to every hand', async () => {
  const { records } = client.dns
  const locked: string[] = []
  for await (const record of records.list(zone())) {
    if (Reflect.get(record.meta, 'read_only') !== true) continue
    locked.push(`${record.type} ${record.name}`)
    for (const call of [
      () => records.delete(record.id, zone()),
      () => records.edit(record.id, { ...zone(), type: 'TXT', name: '@', ttl: 60 }),
      () => records.update(record.id, { ...zone(), type: 'TXT', name: '@', content: 'x', ttl: 1 }),
    ])
      assert.deepEqual((await refusal(call())).slice(0, 2), [403, 890_190])
  }
  assert.ok(
    locked.includes('MX yourdomain.com') && locked.includes('TXT cf-bounce.yourdomain.com'),
    locked.join(),
  )
  const foreign = {
    ...zone(),
    type: 'MX',
    name: '@',
    content: 'mx.example.net',
    priority: 1,
    ttl: 1,
  } as const
  assert.deepEqual((await refusal(records.create(foreign))).slice(0, 2), [400, 81_053])
})

test('a record that cannot be is refused with its field', async () => {
  const cases: readonly [object, number, string][] = [
    [{ type: 'A', content: 'x' }, 1004, '/content'],
    [{ type: 'A', content: '192.0.2.1', ttl: 5 }, 1004, '/ttl'],
    [{ type: 'A', content: '192.0.2.1', proxied: true }, 1004, '/proxied'],
    [{ type: 'A', content: '192.0.2.1', name: 'a..b' }, 1004, '/name'],
    [{ type: 'SVCB', content: 'x' }, 1004, '/type'],
    [{ type: 'MX', content: 'mx.example.net' }, 1004, '/priority'],
    [{ content: 'x' }, 1001, '/type'],
    [{ type: 'A', content: 5 }, 1001, '/content'],
  ]
  for (const [fields, code, pointer] of cases) {
    const body = { name: 'bad', ...fields }
    const refused = await refusal(client.post(`/zones/${instance.dev.zone_id}/dns_records`, { body }))
    assert.deepEqual(refused.slice(0, 2), [400, code], JSON.stringify(fields))
    assert.ok(refused[2].includes(`"pointer":"${pointer}"`), refused[2])
  }
})

test('another account sees nothing of it, and a token without the permission changes nothing', async () => {
  const other = addSecondAccount(instance.directory, ['Zone DNS:Edit'])
  const stranger = clientWith(other.token)
  assert.deepEqual((await stranger.zones.list()).result, [])
  assert.deepEqual((await stranger.zones.list({ account: account() })).result, [])
  const [record] = (await client.dns.records.list(zone())).result
  assert.ok(record)
  for (const call of [
    () => stranger.zones.get(zone()),
    () => stranger.zones.delete(zone()),
    () => stranger.zones.activationCheck.trigger(zone()),
    () => stranger.dns.records.list(zone()),
    () => stranger.dns.records.get(record.id, zone()),
    () => stranger.dns.records.delete(record.id, zone()),
    () => stranger.dns.records.create({ ...zone(), type: 'A', name: 'x', content: '192.0.2.1', ttl: 1 }),
    () => stranger.zones.create({ account: account(), name: 'mine.example' }),
  ])
    assert.deepEqual((await refusal(call())).slice(0, 2), [404, 7003])
  assert.deepEqual(
    (await refusal(stranger.zones.create({ account: {}, name: 'yourdomain.com' }))).slice(0, 2),
    [400, 1061],
  )

  const reader = clientWith(
    addUserToken(instance.directory, [account().id, other.accountId], { permissions: ['Zone DNS:Read'] }),
  )
  assert.deepEqual(await names(reader.zones.list()), ['yourdomain.com'])
  assert.ok((await reader.dns.records.list(zone())).result.length > 5)
  for (const call of [
    () => reader.dns.records.delete(record.id, zone()),
    () => reader.zones.create({ account: account(), name: 'mine.example' }),
    () => reader.zones.delete(zone()),
  ])
    assert.deepEqual((await refusal(call())).slice(0, 2), [403, 9109])

  const both = clientWith(
    addUserToken(instance.directory, [account().id, other.accountId], { permissions: ['Zone DNS:Edit'] }),
  )
  assert.equal((await refusal(both.zones.create({ account: {}, name: 'mine.example' })))[0], 400)
  const made = await both.zones.create({ account: { id: other.accountId }, name: 'mine.example' })
  assert.deepEqual(await names(stranger.zones.list()), ['mine.example'])
  assert.deepEqual((await refusal(client.zones.get({ zone_id: made.id }))).slice(0, 2), [404, 7003])
})

test('a zone changes its road to DNS and back, and keeps its records', async () => {
  const made = await client.zones.create({ account: account(), name: 'road.example' })
  const of = { zone_id: made.id }
  const { records } = client.dns
  await records.create({ ...of, type: 'TXT', name: 'x', content: 'mine', ttl: 1 })
  await client.emailSending.subdomains.create({ ...of, name: 'road.example' })
  const contents = async () => {
    const all: string[] = []
    for await (const record of records.list(of)) all.push(`${record.type} ${record.name}`)
    return all.toSorted()
  }
  const before = await contents()
  assert.ok(before.length > 3)
  const edit = async (body: object) => {
    const edited: object = await client.patch(`/zones/${made.id}`, { body })
    return Reflect.get(edited, 'result') as { type: string; dns: string; id: string; paused: boolean }
  }
  const partial = await client.zones.edit({ ...of, type: 'partial' })
  assert.deepEqual([partial.id, partial.type, partial.paused], [made.id, 'partial', false])
  assert.equal((await edit({ dns: 'manual' })).dns, 'manual')
  assert.equal((await edit({ dns: 'manual', paused: false })).dns, 'manual')
  assert.equal((await edit({ type: 'full' })).dns, 'hosted')
  assert.deepEqual(await contents(), before)
  for (const [body, pointer] of [
    [{ type: 'full', dns: 'manual' }, '/dns'],
    [{ dns: 'manual' }, '/dns'],
    [{ type: 'secondary' }, '/type'],
    [{ paused: true }, '/paused'],
    [{ vanity_name_servers: ['ns1.example.com'] }, '/vanity_name_servers'],
  ] as const) {
    const [status, , text] = await refusal(client.patch(`/zones/${made.id}`, { body }))
    assert.equal(status, 400, JSON.stringify(body))
    assert.ok(text.includes(`"pointer":"${pointer}"`), text)
  }
  const log = await client.auditLogs.list({ account_id: account().id, action: { type: 'zone.update' } })
  const after = log.result.map(({ newValue = '' }) => {
    const { type, dns } = JSON.parse(newValue)
    return `${type} ${dns}`
  })
  assert.deepEqual(after, ['full hosted', 'partial manual', 'partial hosted'])
  await client.zones.delete(of)
  assert.equal((await refusal(client.zones.edit({ ...of, type: 'partial' })))[0], 404)
})

test('each change of a zone and its records is in the audit log', async () => {
  const made = await client.zones.create({ account: account(), name: 'audited.example' })
  const of = { zone_id: made.id }
  const { records } = client.dns
  const record = await records.create({ ...of, type: 'TXT', name: 'x', content: 'one', ttl: 1 })
  await records.edit(record.id, { ...of, type: 'TXT', name: 'x', ttl: 1, content: 'two' })
  await records.delete(record.id, of)
  await refusal(records.delete(record.id, of))
  await client.zones.delete(of)
  const log = client.auditLogs.list({
    account_id: account().id,
    zone: { name: 'audited.example' },
    direction: 'asc',
  })
  const lines: string[] = []
  for await (const line of log) {
    const content = (json = '') => String(Reflect.get(Object(JSON.parse(json || '{}')), 'content') ?? '')
    lines.push(`${line.action?.type} ${content(line.oldValue)}>${content(line.newValue)}`)
    assert.ok([made.id, record.id].includes(line.resource?.id ?? ''))
  }
  assert.deepEqual(lines, [
    'zone.create >',
    'dns_record.create >one',
    'dns_record.update one>two',
    'dns_record.delete two>',
    'zone.delete >',
  ])
})
