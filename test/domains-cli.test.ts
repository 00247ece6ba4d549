import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, test } from 'node:test'
import { NO_TERMINAL, type Ran, runCli, runInTerminal } from '#test/cli.ts'
import { type Instance, startInstance } from '#test/instance.ts'

/** `posthorn zones` and `posthorn domains` as a person and as a script use them, against a running instance. */
let instance: Instance

before(async () => {
  instance = await startInstance()
})
after(async () => instance[Symbol.asyncDispose]())

function posthorn(...args: string[]): Promise<Ran> {
  return runCli({ POSTHORN_DATA: instance.directory }, ...args)
}

/** Piped, it is JSON without being asked. `code` is the exit code that is expected. */
async function json<R>(code: number, ...args: string[]): Promise<R> {
  const ran = await posthorn(...args)
  assert.equal(ran.code, code, `${args.join(' ')}: ${ran.err}${ran.out}`)
  // The tests state the shapes that the commands print.
  return JSON.parse(ran.out) as R
}

interface Service {
  readonly status: string
  readonly records: readonly { readonly type: string; readonly name: string; readonly state: string }[]
  readonly errors: readonly { readonly code: string }[]
}

interface Told {
  readonly domain: string
  readonly zone: string
  readonly applied?: boolean
  readonly ready?: boolean
  readonly sending?: Service
  readonly routing?: Service
  readonly to_publish?: readonly { readonly type: string; readonly name: string }[]
}

async function call(method: string, path: string, body?: object): Promise<unknown> {
  const response = await fetch(`${instance.dev.api}${path}`, {
    method,
    headers: { authorization: `Bearer ${instance.dev.api_token}` },
    ...(body && { body: JSON.stringify(body) }),
  })
  assert.equal(response.status, 200, path)
  return Reflect.get(Object(await response.json()), 'result')
}

test('from no zone to mail and back again', async () => {
  const zone = await json<{ id: string; status: string }>(0, 'zones', 'create', 'shop.example')
  assert.equal(zone.status, 'active')
  const name = 'news.shop.example'
  const foreseen = await json<Told>(0, 'domains', 'onboard', name, '--print')
  assert.deepEqual(
    [foreseen.applied, foreseen.zone, foreseen.sending?.records.length],
    [false, 'shop.example', 6],
  )
  const asked = await posthorn('domains', 'onboard', name)
  assert.deepEqual([asked.code, asked.out], [4, ''])
  assert.match(asked.err, /\nadd {2}MX +cf-bounce\.news +13 route1/)
  assert.match(asked.err, /Set news\.shop\.example up for sending\? .*say --apply\./)

  const done = await json<Told>(0, 'domains', 'onboard', name, '--apply', '--sending', '--routing')
  assert.deepEqual([done.applied, done.sending?.status, done.routing?.status], [true, 'ready', 'ready'])
  assert.deepEqual(done.to_publish, [])
  const mail = { from: `a@${name}`, to: 'x@example.com', subject: 's', text: 't' }
  assert.equal((await instance.send(mail)).status, 200)
  const listed = await json<{ name: string; sending: string; routing: string }[]>(0, 'domains', 'list')
  const states = (one: string) =>
    listed.filter((each) => each.name === one).map((each) => [each.sending, each.routing])
  assert.deepEqual(states(name), [['ready', 'ready']])
  assert.deepEqual(states('yourdomain.com'), [['ready', 'ready']])
  assert.deepEqual(states('shop.example'), [['unconfigured', 'unconfigured']])
  const checked = await json<Told>(0, 'domains', 'check', 'NEWS.shop.example.')
  assert.deepEqual([checked.ready, checked.domain], [true, name])

  const keys = await json<{ sending: { selector: string; state: string }[]; routing?: unknown }>(
    ...([0, 'domains', 'rotate-key', name, '--sending'] as const),
  )
  assert.deepEqual(
    keys.sending.map(({ selector, state }) => `${selector} ${state}`),
    ['cf-bounce retiring', 'cf-bounce-2 active'],
  )
  assert.equal(keys.routing, undefined)

  const unsure = await posthorn('domains', 'remove', name)
  assert.deepEqual([unsure.code, unsure.out], [4, ''])
  assert.match(unsure.err, /Mail from it and to it is refused.*--yes/)
  const removed = await json<{ removed: string[] }>(0, 'domains', 'remove', name, '--routing', '-y')
  assert.deepEqual(removed.removed, ['routing'])
  assert.equal((await instance.send(mail)).status, 200, 'sending stays')
  await json(0, 'domains', 'remove', name, '--yes')
  assert.equal((await instance.send(mail)).status, 403)

  const zones = await json<{ name: string }[]>(0, 'zones', 'list')
  assert.ok(zones.some((one) => one.name === 'shop.example'))
  assert.equal((await posthorn('zones', 'delete', 'shop.example')).code, 4)
  assert.deepEqual(await json(0, 'zones', 'delete', 'shop.example', '--yes'), {
    ...{ id: zone.id, name: 'shop.example', deleted: true },
  })
  assert.equal((await posthorn('zones', 'delete', 'shop.example', '--yes')).code, 3)
})

test('a zone by hand: its records in three forms, and what is missing until they are there', async () => {
  await json(0, 'zones', 'create', 'hand.example', '--manual')
  const name = 'news.hand.example'
  const done = await json<Told>(0, 'domains', 'onboard', name, '--apply')
  assert.equal(done.to_publish?.length, 6)
  const checked = await json<Told>(1, 'domains', 'check', name)
  assert.equal(checked.ready, false)
  assert.ok(checked.sending?.records.every(({ state }) => state === 'missing'))
  const said = await posthorn('domains', 'check', name, '--no-json')
  assert.match(
    said.out,
    /\nSending: misconfigured\nSTATE +TYPE +NAME +VALUE\nmissing +MX +cf-bounce\.news +13 route1/,
  )
  assert.match(said.out, /"posthorn domains records news\.hand\.example" shows it\.\n$/)

  const bind = (await posthorn('domains', 'records', name, '--bind')).out
  assert.match(bind, /^cf-bounce\.news\.hand\.example\. 300 IN MX 13 route1\.mx\.posthorn\.test\.$/m)
  assert.match(
    bind,
    /^cf-bounce\._domainkey\.news\.hand\.example\. 300 IN TXT \( "v=DKIM1;[^"]{247}"\n {4}"[^"]+" \)$/m,
  )
  const paste = (await posthorn('domains', 'records', name, '--paste')).out
  assert.match(paste, /\n\nType {6}TXT\nName {6}_dmarc\.news\nValue {5}v=DMARC1; p=reject;\n\n/)
  assert.match(
    paste,
    /^Type {6}MX\nName {6}cf-bounce\.news\nValue {5}route1\.mx\.posthorn\.test\nPriority {2}13\n/,
  )

  const rotated = await posthorn('domains', 'rotate-key', name, '--no-json')
  assert.match(rotated.out, /\ncf-bounce-2 +publishing /)
  assert.match(
    rotated.out,
    /Publish this; cf-bounce-2 signs once.*\n\nType +TXT\nName +cf-bounce-2\._domainkey\.news\n/,
  )
  const removed = await json<{ left_in_dns: { name: string }[] }>(0, 'domains', 'remove', name, '-y')
  const left = removed.left_in_dns.map((record) => record.name)
  assert.ok(left.includes('cf-bounce-2._domainkey.news.hand.example'))
  assert.ok(!left.includes('_dmarc.news.hand.example'), 'a policy is its owner’s')
})

test('a zone whose names for mail are delegated here: what is left to its DNS provider', async () => {
  await json(0, 'zones', 'create', 'part.example', '--partial')
  const done = await json<Told>(0, 'domains', 'onboard', 'part.example', '--apply', '--sending', '--routing')
  const left = (done.to_publish ?? []).map(({ type, name }) => `${type} ${name}`)
  assert.deepEqual(
    [...new Set(left)],
    [
      'MX part.example',
      'TXT part.example',
      'NS _dmarc.part.example',
      'NS cf-bounce._domainkey.part.example',
      'NS cf-bounce.part.example',
      'NS cf2024-1._domainkey.part.example',
    ],
  )
  const zone = await posthorn('zones', 'check', 'part.example', '--no-json')
  assert.match(
    zone.out,
    /\n {2}cf-bounce\.part\.example\n(?: {2}.*\n)+each to\n {2}\S+\.ns1\.posthorn\.test\n/,
  )
})

test('what would be changed, and what stands in the way, is shown before anything is written', async () => {
  const { id } = await json<{ id: string }>(0, 'zones', 'create', 'busy.example')
  const add = (record: object) => call('POST', `/zones/${id}/dns_records`, { name: '@', ...record })
  await add({ type: 'TXT', content: 'v=spf1 include:_spf.example.net -all' })
  const merged = await posthorn('domains', 'onboard', 'busy.example', '--routing', '--print', '--no-json')
  assert.equal(merged.code, 0)
  assert.match(
    merged.out,
    /\nchange +TXT +@ +v=spf1 include:_spf\.mx\.posthorn\.test include:_spf\.example\.net -all\n/,
  )
  assert.match(merged.out, /\nSPF was +v=spf1 include:_spf\.example\.net -all\n/)
  assert.match(merged.out, /\nSPF: 2 of the 10 DNS lookups/)

  await add({ type: 'MX', content: 'mx.example.net', priority: 10 })
  const blocked = await posthorn('domains', 'onboard', 'busy.example', '--routing', '--print', '--no-json')
  assert.equal(blocked.code, 1)
  assert.match(
    blocked.out,
    /\n! Part of the mail goes to another server: remove MX busy\.example mx\.example\.net\.\n/,
  )
  const asked = await posthorn('domains', 'onboard', 'busy.example', '--routing')
  assert.deepEqual([asked.code, asked.out], [1, ''])
  const applied = await posthorn('domains', 'onboard', 'busy.example', '--apply', '--sending', '--routing')
  assert.equal(applied.code, 1)
  assert.match(applied.err, /^posthorn: Conflicting DNS records: Remove.*MX busy\.example mx\.example\.net/)
  assert.match(applied.err, /\n {2}code 2067\n/)
  assert.match(applied.err, /\n {2}It is set up for sending, and not for routing\.\n$/)
})

test('--wait looks until all is ready', async () => {
  const { zone_id: id } = instance.dev
  const found = await call('GET', `/zones/${id}/dns_records?name=_dmarc.yourdomain.com`)
  const record = String(Reflect.get(Object(Reflect.get(Object(found), 0)), 'id'))
  await call('DELETE', `/zones/${id}/dns_records/${record}`)
  const wrong = await posthorn('domains', 'check', 'yourdomain.com', '--sending', '--no-json')
  assert.equal(wrong.code, 1)
  assert.match(wrong.out, /\nmissing +TXT +_dmarc +v=DMARC1; p=reject;\n/)
  assert.match(wrong.out, /"posthorn domains onboard yourdomain\.com --apply" writes it again/)
  const waiting = json<Told>(0, 'domains', 'check', 'yourdomain.com', '--wait', '1m')
  await json(0, 'domains', 'onboard', 'yourdomain.com', '--apply')
  assert.equal((await waiting).ready, true)
})

test('a pending zone says what proves it, and a domain in it waits', async () => {
  await json(0, 'zones', 'create', 'pending.example')
  using db = new DatabaseSync(join(instance.directory, 'posthorn.sqlite'), { timeout: 5000 })
  const set = `update zone set status = 'pending', activated_at = null, check_detail = 'Not proven yet.' where name = ?`
  db.prepare(set).run('pending.example')
  const checked = await posthorn('zones', 'check', 'pending.example', '--no-json')
  assert.equal(checked.code, 1)
  assert.match(checked.out, /^pending\.example is pending: .*\n\nNot proven yet\.\n/)
  assert.match(
    checked.out,
    /\nName +_posthorn-challenge\.pending\.example\nValue +posthorn-verification=[0-9a-f]{32}\n/,
  )
  assert.match(checked.out, /\n {2}\S+\.ns1\.posthorn\.test\n/)
  const early = await posthorn('domains', 'onboard', 'pending.example')
  assert.equal(early.code, 1)
  assert.match(early.err, /code 2070\n {2}"posthorn zones check" says/)
  assert.match((await posthorn('domains', 'list', '--no-json')).out, /\npending\.example +zone pending /)
  await json(0, 'zones', 'delete', 'pending.example', '-y')
})

test('what is wrong is said with the server’s words, the field and a code for scripts', async () => {
  for (const [args, code, says] of [
    [['zones', 'create', 'bad_name'], 1, /letters, digits, hyphens.*\n {2}code 1001, at \/name\n$/],
    [
      ['zones', 'create', 'yourdomain.com'],
      1,
      /already exists\n {2}code 1061, at \/name\n {2}"posthorn zones list"/,
    ],
    [['zones', 'delete', 'contains:a', '-y'], 3, /there is no zone contains:a/],
    [['domains', 'check', 'nothing.example'], 3, /no zone.*nothing\.example.*\n {2}"posthorn zones create"/],
    [
      ['domains', 'check', 'x.yourdomain.com'],
      3,
      /is not set up.*\n {2}"posthorn domains onboard x\.yourdomain\.com"/,
    ],
    [['domains', 'onboard', 'cf-bounce.yourdomain.com', '--print'], 1, /code 2063, at \/name/],
    [['domains', 'check', 'yourdomain.com', '--wait', 'long'], 2, /such as 90s/],
    [['domains', 'nonsense'], 2, /unknown command/],
    [['zones', 'list', '--account', 'Nobody'], 3, /no account "Nobody"/],
    [['zones', 'list', '--data', '/nowhere'], 69, /no instance found.*POSTHORN_API/],
    [['zones', 'list', '--url', 'localhost'], 2, /no address of a server/],
    [['zones', 'list', '--token-file', '/nowhere/token'], 69, /cannot be read \(ENOENT\)/],
  ] as const) {
    const ran = await posthorn(...args)
    assert.equal(ran.code, code, `${args.join(' ')}: ${ran.err}`)
    assert.match(ran.err, says)
    assert.equal(ran.out, '')
  }
})

test('another server and another token, by variables and options', async () => {
  const { dashboard, api, api_token: token } = instance.dev
  for (const base of [dashboard, `${api}/`])
    assert.equal((await runCli({ POSTHORN_API: base, POSTHORN_API_TOKEN: token }, 'zones', 'list')).code, 0)
  const none = await runCli({ POSTHORN_API: dashboard, POSTHORN_DATA: instance.directory }, 'zones', 'list')
  assert.equal(none.code, 69, 'the token of an instance goes to that instance alone')
  assert.match(none.err, /no API token for http.*POSTHORN_API_TOKEN/)
  const wrong = await runCli({ POSTHORN_API: api, POSTHORN_API_TOKEN: 'x'.repeat(40) }, 'domains', 'list')
  assert.equal(wrong.code, 69)
  assert.match(
    wrong.err,
    /^posthorn: Authentication error: .*\n {2}code 10000\n {2}Look at POSTHORN_API_TOKEN/,
  )
  const here = { POSTHORN_API: 'http://127.0.0.1:1', POSTHORN_API_TOKEN: 'x' }
  assert.match((await runCli(here, 'zones', 'list')).err, /no answer from http:\/\/127\.0\.0\.1:1/)
  assert.equal((await runCli(here, 'zones', 'list', '--data', instance.directory)).code, 0)
})

test('at a terminal: tables that fit it, and a question', { skip: NO_TERMINAL ?? false }, async () => {
  const environment = { POSTHORN_DATA: instance.directory }
  for (const columns of [80, 140]) {
    const args = ['domains', 'check', 'yourdomain.com']
    const { code, out } = await runInTerminal(environment, { columns, args })
    assert.equal(code, 0, out)
    const lines = out.trimEnd().split('\n')
    assert.equal(Math.max(...lines.map((line) => line.length)), columns)
    assert.match(out, /\nready {2}TXT {3}cf-bounce\S*_domainkey +v=DKIM1; [^\n]*…\n/)
  }
  const name = 'asked.yourdomain.com'
  const onboard = { columns: 80, args: ['domains', 'onboard', name] }
  const no = await runInTerminal(environment, { ...onboard, typed: 'n\n' })
  assert.equal(no.code, 4)
  assert.match(no.out, /\[y\/N\] .*\nposthorn: Nothing was changed\.\n/s)
  const yes = await runInTerminal(environment, { ...onboard, typed: 'y\n' })
  assert.equal(yes.code, 0)
  assert.match(yes.out, /\nSending: ready\n/)
})

test('a dev.json leads to this machine alone: no token goes where a stranger’s file says', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-stray-'))
  try {
    const token = { POSTHORN_DATA: folder, POSTHORN_API_TOKEN: 'of-another-server' }
    for (const [api, dashboard] of [
      ['http://api.example/client/v4', 'http://localhost:1'],
      ['http://localhost:1/client/v4', 'http://127.0.0.1.example'],
    ]) {
      writeFileSync(join(folder, 'dev.json'), JSON.stringify({ ...instance.dev, api, dashboard }))
      for (const args of [
        ['zones', 'list'],
        ['queue', 'stats'],
      ]) {
        const ran = await runCli(token, ...args)
        assert.equal(ran.code, 69, args.join(' '))
        assert.match(
          ran.err,
          /leads to http:\/\/\S+example\S*, and a development instance is on this machine/,
        )
      }
    }
    writeFileSync(join(folder, 'dev.json'), '{')
    const broken = await runCli(token, 'zones', 'list')
    assert.equal(broken.code, 69)
    assert.match(broken.err, /^posthorn: \S+dev\.json is not of this version/)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
