import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { PERMISSIONS } from '#model/permission.ts'
import type { WorkerRun } from '#model/routing.ts'
import { deployWorker, type WorkerUpload } from '#test/deploy-worker.ts'
import { type Instance, startInstance } from '#test/instance.ts'
import { kvOf } from '#test/kv-of.ts'
import {
  api,
  eventsOf,
  forwardRule,
  rule,
  type Served,
  toMx,
  verifiedAddress,
} from '#test/routing-instance.ts'
import { addSecondAccount } from '#test/second-account.ts'

/** Workers that do what they must not, in an instance that has others to care for: what their senders are answered,
 *  what their owner reads, and that mail of other Workers, of the same account and of another, and mail that no Worker
 *  handles go on meanwhile. */
let instance: Instance
/** Another customer of it. */
let second: Served

const opened = new AsyncDisposableStack()
after(() => opened.disposeAsync())

const OK = '250 2.0.0 Ok'
const FAILED = '451 4.3.0 What handles mail for this address has failed, try again later'
const INBOX = 'team@dest.example'
const FORWARDS = `export default { async email(message) { await message.forward('${INBOX}') } }`

before(async () => {
  instance = opened.use(
    await startInstance({ POSTHORN_WORKERS_CPU_MS: '700', POSTHORN_WORKERS_MEMORY_MB: '64' }),
  )
  await forwardRule(instance, 'plain@yourdomain.com', INBOX)
  await workerFor(instance, 'good@yourdomain.com', FORWARDS)
  const { accountId, token } = addSecondAccount(instance.directory, PERMISSIONS)
  const dev = { ...instance.dev, account_id: accountId, api_token: token }
  const name = 'second.example'
  const { id } = await api<{ id: string }>({ dev }, 'POST', '/zones', { name, account: { id: accountId } })
  await api({ dev }, 'POST', `/zones/${id}/email/routing/enable`)
  second = { dev: { ...dev, zone_id: id } }
  await verifiedAddress(second, INBOX)
  await workerFor(second, 'good@second.example', FORWARDS)
})

/** A Worker, named as the address that it handles. */
async function workerFor(
  owner: Served,
  address: string,
  code: string,
  metadata: WorkerUpload['metadata'] = {},
) {
  const [name = ''] = address.split('@')
  await deployWorker(owner, name, { metadata, modules: { 'index.js': code } })
  await rule(owner, address, { type: 'worker', value: [name] })
}

async function send(to: string, body = 'Hello.\r\n'): Promise<{ reply: string; name: string }> {
  const name = randomBytes(8).toString('hex')
  const content = Buffer.from(`From: a@pass.posthorn.test\r\nSubject: ${name}\r\n\r\n${body}`)
  return { reply: await toMx(instance, { to, content }), name }
}

const OTHERS = ['plain@yourdomain.com', 'good@yourdomain.com', 'good@second.example']

/** Mail to all others from before `work` begins until after it is over, and all of it arrives. */
async function besideOthers<Result>(work: () => Promise<Result>): Promise<Result> {
  const over = new AbortController()
  const sent: string[] = []
  const keepSending = async (to: string) => {
    do {
      const { reply, name } = await send(to)
      assert.equal(reply, OK, to)
      sent.push(name)
      await sleep(20)
    } while (!over.signal.aborted)
  }
  const others = Promise.all(OTHERS.map(keepSending))
  const result = await work().finally(() => over.abort())
  await others
  assert.ok(sent.length >= OTHERS.length)
  for (const name of sent) assert.equal((await instance.inbox(`subject:${name}`)).length, 1)
  return result
}

/** How the handler of the last message ended. */
function lastRun(recipient: string): WorkerRun & { readonly type: string } {
  const last = eventsOf(instance, recipient).findLast(({ detail }) => detail.routed?.worker)
  const run = last?.detail.routed?.worker
  assert.ok(last && run, recipient)
  return { ...run, type: last.type }
}

const RUNAWAYS = [
  ['loops', 'for (;;);', 'EXCEEDED_CPU'],
  ['loops-later', 'await scheduler.wait(50); for (;;) await null', 'EXCEEDED_CPU'],
  ['fills-heap', 'const all = []; for (;;) all.push(new Array(1000).fill(Math.random()))', 'EXCEEDED_MEMORY'],
  [
    'fills-buffers',
    'const all = []; for (;;) { all.push(new Uint8Array(2e7).fill(1)); await scheduler.wait(1) }',
    'EXCEEDED_MEMORY',
  ],
] as const

for (const [name, code, why] of RUNAWAYS) {
  test(`a Worker that ${name.replace('-', ' ')} is ended, and others go on`, async () => {
    const address = `${name}@yourdomain.com`
    await workerFor(
      instance,
      address,
      `export default { async email(message) {
         if (message.headers.get('Subject') === 'well') return
         ${code}
       } }`,
    )
    const { reply } = await besideOthers(() => send(address))
    assert.equal(reply, FAILED)
    const { type, outcome, error, forwards } = lastRun(address)
    assert.deepEqual([type, error?.name, forwards], ['failed', why, []])
    assert.equal(outcome, why.toLowerCase().replace('_', '-'))
    const well = await toMx(instance, {
      to: address,
      content: 'From: a@pass.posthorn.test\r\nSubject: well\r\n\r\n',
    })
    assert.equal(well, OK, 'it has another process')
  })
}

test('what a Worker throws is in the event, with its stack', async () => {
  const address = 'throws@yourdomain.com'
  const code = `const inner = () => { throw new RangeError('too far') }
    export default { async email(message) { inner() } }`
  await workerFor(instance, address, code)
  assert.equal((await besideOthers(() => send(address))).reply, FAILED)
  const { type, outcome, error } = lastRun(address)
  assert.deepEqual(
    [type, outcome, error?.name, error?.message],
    ['failed', 'exception', 'RangeError', 'too far'],
  )
  assert.match(error?.stack ?? '', /at inner \(index\.js:1:\d+\)/)
})

const SIZES = { '5 KB': 5000, '25 MiB': 25 * 1_048_576 - 4096 } as const

for (const [size, octets] of Object.entries(SIZES)) {
  test(`a Worker need not read raw: ${size}`, async () => {
    const unread = {
      'unread-silent': ['', OK],
      'unread-waits': ['await scheduler.wait(300)', OK],
      'unread-rejects': [`message.setReject('No')`, '550 5.7.1 No'],
      'unread-throws': ['throw new Error()', FAILED],
      'unread-locks': ['const reader = message.raw.getReader(); await reader.read()', OK],
      'unread-forwards': [`await message.forward('${INBOX}')`, OK],
    } as const
    const body = `${randomBytes(48).toString('base64')}\r\n`.repeat(Math.floor(octets / 66) - 2)
    for (const [name, [code]] of Object.entries(unread)) {
      await workerFor(
        instance,
        `${name}-${octets}@yourdomain.com`,
        `export default { async email(message) { ${code} } }`,
      )
    }
    const names = await besideOthers(async () => {
      const sent = []
      for (const [name, [, answer]] of Object.entries(unread)) {
        const message = await send(`${name}-${octets}@yourdomain.com`, body)
        assert.equal(message.reply, answer, name)
        sent.push(message.name)
      }
      return sent
    })
    const [copy] = await instance.inbox(`subject:${names.at(-1)}`)
    assert.ok(copy && (await instance.raw(copy.ID)).endsWith(`\r\n\r\n${body}`), 'it was forwarded whole')
  })
}

test('a Worker that forwards once it has returned is refused, and what it asked for before is done', async () => {
  const namespace = await api<{ id: string }>(
    ...([instance, 'POST', `/accounts/${instance.dev.account_id}/storage/kv/namespaces`] as const),
    { title: 'said' },
  )
  const metadata = { bindings: [{ type: 'kv_namespace', name: 'SAID', namespace_id: namespace.id }] }
  const late = `export default { email(message, env, ctx) {
    ctx.waitUntil((async () => {
      await scheduler.wait(300)
      const said = await message.forward('${INBOX}').then(() => 'forwarded', ({ message }) => message)
      await env.SAID.put('late', said)
    })())
  } }`
  const early = `export default { email(message, env, ctx) { ctx.waitUntil(message.forward('${INBOX}')) } }`
  await workerFor(instance, 'late@yourdomain.com', late, metadata)
  await workerFor(instance, 'early@yourdomain.com', early)
  const [atLate, atEarly] = await besideOthers(() =>
    Promise.all([send('late@yourdomain.com'), send('early@yourdomain.com')]),
  )
  assert.deepEqual([atLate.reply, atEarly.reply], [OK, OK])
  const kept = kvOf(instance, namespace.id)
  while ((await kept.keys()).length === 0) await sleep(50)
  assert.equal(await kept.value('late'), 'The message is settled: its handler has returned.')
  assert.equal((await instance.inbox(`subject:${atEarly.name}`)).length, 1)
  assert.equal((await instance.inbox(`subject:${atLate.name}`, 0)).length, 0)
  const runs = ['late@yourdomain.com', 'early@yourdomain.com'].map(lastRun)
  assert.deepEqual(
    runs.map(({ outcome, forwards }) => [outcome, forwards.length]),
    [
      ['handled', 0],
      ['handled', 1],
    ],
  )
})

const CURIOUS = readFileSync(join(import.meta.dirname, 'support/curious-worker.js'), 'utf8')

/** What a Worker might call this machine, and networks of its neighbours. */
function closedHosts(): readonly string[] {
  const own = Object.values(networkInterfaces()).flatMap((all = []) => all.map(({ address }) => address))
  return [
    ...['localhost', '127.0.0.1', '127.1.2.3', '0.0.0.0', '2130706433', '0x7f.1', '127.1'],
    ...['::1', '::', '::ffff:127.0.0.1', '::ffff:7f00:1', '64:ff9b::7f00:1', '2002:7f00:1::'],
    ...['169.254.169.254', '168.63.129.16', '100.100.100.200', 'fe80::1', 'fd00:ec2::254'],
    ...['10.0.0.1', '172.16.0.1', '172.17.0.1', '192.168.1.1', '198.18.0.1', '224.0.0.1', '255.255.255.255'],
    // Those of a machine on the internet are the internet's to reach.
    ...own.filter((address) => /^(10|127|192\.168|172\.(1[6-9]|2\d|3[01]))\.|^(::1$|f[cde])/.test(address)),
  ]
}

test('a Worker reaches no closed network, no socket and no file of the host', async (t) => {
  let connections = 0
  const server = createServer((socket) => {
    connections++
    socket.destroy()
  })
  t.after(() => void server.close())
  server.listen(0)
  await once(server, 'listening')
  const address = server.address()
  assert.ok(address && typeof address === 'object')
  const { dev, directory } = instance
  const ports = [address.port, dev.mx.port, Number(new URL(dev.api).port)]
  // All that run are others: of this account, and of the second.
  for (const to of OTHERS) assert.equal((await send(to)).reply, OK)
  const workers = join(directory, 'workers')
  const sockets = []
  for (const name of await readdir(workers)) {
    for (const file of await readdir(join(workers, name))) {
      if (file.endsWith('.sock')) sockets.push(join(workers, name, file))
    }
  }
  assert.ok(sockets.length >= 8)
  const files = [
    ...['/etc/passwd', '/proc/self/environ', '/proc/1/cmdline', 'config.capnp', '../../posthorn.sqlite'],
    join(directory, 'posthorn.sqlite'),
  ]
  const targets = { hosts: closedHosts(), ports, sockets, files, directory }
  await workerFor(instance, 'curious@yourdomain.com', CURIOUS, {
    ...{ compatibility_date: '2026-10-01', compatibility_flags: ['nodejs_compat'] },
    bindings: [{ type: 'json', name: 'TARGETS', json: targets }],
  })
  const { reply } = await besideOthers(() => send('curious@yourdomain.com'))
  assert.match(reply, /^550 5\.7\.1 nothing of \d+$/)
  assert.equal(connections, 0)
  assert.ok(!(await readdir(directory)).includes('written'))
})

test('a Worker that asks for a closed address hears why it has no answer', async () => {
  const code = `export default { async email(message) {
    await fetch('http://169.254.169.254/latest').catch((error) => message.setReject(error.message))
  } }`
  await workerFor(instance, 'asking@yourdomain.com', code)
  assert.match(
    (await send('asking@yourdomain.com')).reply,
    /'169\.254\.169\.254' cannot be reached\. Workers reach public/,
  )
})
