import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { arrived, type Forwarded, hostOf, openTestRuntime, type RuntimeWorld } from '#test/runtime-world.ts'
import { endLeftovers } from './end-leftovers.ts'

const FORWARDS = `export default { async email(message) { await message.forward('team@example.net') } }`

/** Processes that run, as their pid files say. */
async function pids(world: Pick<RuntimeWorld, 'directory'>): Promise<readonly number[]> {
  const folder = join(world.directory, 'workers')
  const names = await readdir(folder)
  const all = names.map((name) => readFile(join(folder, name, 'pid'), 'utf8').then(Number, () => 0))
  return (await Promise.all(all)).filter((pid) => pid > 0)
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 10))
}

test('a Worker that loops is ended, and mail of others goes on', async () => {
  await using world = await openTestRuntime({ cpuMs: 700 })
  const loops = world.email(`export default { email() { for (;;); } }`, { scriptName: 'loops' })
  const kinds = []
  for (let time = 0; time < 3; time++) kinds.push((await world.email(FORWARDS, { scriptName: 'good' })).kind)
  assert.deepEqual(kinds, ['handled', 'handled', 'handled'])
  const outcome = await loops
  assert.equal(outcome.kind, 'exceeded-cpu')
  assert.equal((await outcome.traced)?.outcome, 'exceededCpu')
  assert.equal((await world.email(FORWARDS, { scriptName: 'loops' })).kind, 'handled')
})

test('a Worker that is busy in pieces is not taken for one that loops', async () => {
  await using world = await openTestRuntime({ cpuMs: 700 })
  const outcome = await world.email(
    `export default { async email() {
       for (let time = 0; time < 60; time++) {
         let sum = 0
         for (let n = 0; n < 5e7; n++) sum += n
         await scheduler.wait(1)
       }
     } }`,
  )
  assert.equal(outcome.kind, 'handled')
})

test('a Worker that fills its heap is ended', async () => {
  await using world = await openTestRuntime({ heapMb: 64 })
  const outcome = await world.email(
    `export default { email() { const all = []; for (;;) all.push(new Array(1000).fill(Math.random())) } }`,
  )
  assert.equal(outcome.kind, 'exceeded-memory')
})

test('a Worker that fills ArrayBuffers is ended', async () => {
  await using world = await openTestRuntime({ residentBytes: 256 * 1_048_576 })
  const outcome = await world.email(
    `export default { async email() {
       const all = []
       for (;;) { all.push(new Uint8Array(2e7).fill(1)); await scheduler.wait(5) }
     } }`,
  )
  assert.equal(outcome.kind, 'exceeded-memory')
})

test('a Worker that never ends is late', async () => {
  await using world = await openTestRuntime({ emailMs: 200 })
  const outcome = await world.email(
    `export default { async email(message) { await scheduler.wait(60_000) } }`,
  )
  assert.equal(outcome.kind, 'timeout')
})

test('when a process is killed, what it had in its hands fails, and the next message has another', async () => {
  await using world = await openTestRuntime()
  const forward: Forwarded[] = []
  const version = world.version(FORWARDS)
  const slow = hostOf({ forward, delayMs: 5000 })
  const message = arrived()
  const held = [world.runtime.email(version, message, slow), world.runtime.email(version, message, slow)]
  await until(async () => (await pids(world)).length === 1)
  // It has begun once another message was through.
  await world.runtime.email(version, message, hostOf({}))
  for (const pid of await pids(world)) process.kill(pid, 'SIGKILL')
  assert.deepEqual(
    (await Promise.all(held)).map(({ kind }) => kind),
    ['crashed', 'crashed'],
  )
  assert.equal((await world.runtime.email(version, message, hostOf({}))).kind, 'handled')
})

test('a Worker that crashes again and again rests', async () => {
  await using world = await openTestRuntime()
  const version = world.version(FORWARDS)
  const kinds = []
  for (let time = 0; time < 3; time++) {
    const outcome = await world.runtime.email(version, arrived(), hostOf({}))
    kinds.push(outcome.kind)
    for (const pid of await pids(world)) {
      process.kill(pid, 'SIGKILL')
      await until(() => !isAlive(pid))
    }
    await until(async () => (await pids(world)).length === 0)
  }
  assert.deepEqual(kinds, ['handled', 'handled', 'unavailable'])
})

test('a Worker that does not start is unavailable, and says why', async () => {
  await using world = await openTestRuntime()
  const outcome = await world.email(`throw new RangeError('never')`)
  assert.deepEqual(
    [outcome.kind, 'message' in outcome && /RangeError: never/.test(outcome.message)],
    ['unavailable', true],
  )
  assert.equal(await outcome.traced, undefined)
})

test('a new version takes over without losing a message', async () => {
  await using world = await openTestRuntime({ replacedMs: 0 })
  const says = (word: string) =>
    world.version(
      `export default { async email(message) { await scheduler.wait(300); message.setReject('${word}') } }`,
    )
  const [one, two] = [says('one'), says('two')]
  const run = (version: typeof one) => world.runtime.email(version, arrived(), hostOf({}))
  const before = [run(one), run(one)]
  await until(async () => (await pids(world)).length === 1)
  const after = [run(two), run(two)]
  const reasons = (await Promise.all([...before, ...after])).map((o) => ('reason' in o ? o.reason : o.kind))
  assert.deepEqual(reasons, ['one', 'one', 'two', 'two'])
  await until(async () => (await pids(world)).length === 1)
  const again = await run(one)
  assert.equal('reason' in again && again.reason, 'one')
})

test('what is idle is stopped, and starts again', async () => {
  await using world = await openTestRuntime({ idleMs: 0 })
  const version = world.version(FORWARDS)
  assert.equal((await world.runtime.email(version, arrived(), hostOf({}))).kind, 'handled')
  await until(async () => (await pids(world)).length === 0)
  assert.equal((await world.runtime.email(version, arrived(), hostOf({}))).kind, 'handled')
})

test('there are no more processes than allowed: an idle one makes room, a busy one does not', async () => {
  await using world = await openTestRuntime({ mostProcesses: 1 })
  assert.equal((await world.email(FORWARDS, { scriptName: 'one' })).kind, 'handled')
  const busy = world.email(FORWARDS, { scriptName: 'two', delayMs: 600 })
  await until(() => world.traces.length === 1)
  assert.equal((await world.email(FORWARDS, { scriptName: 'three' })).kind, 'unavailable')
  assert.equal((await busy).kind, 'handled')
})

test('an account whose Workers are all busy leaves room for others', async () => {
  await using world = await openTestRuntime({ mostProcesses: 4 })
  const slow = hostOf({ delayMs: 1500 })
  const asked = ['one', 'two', 'three', 'four'].map((scriptName) =>
    world.runtime.email(world.version(FORWARDS, { scriptName }), arrived(), slow),
  )
  const other = world.version(FORWARDS, { accountId: world.otherAccountId })
  assert.equal((await world.runtime.email(other, arrived(), hostOf({}))).kind, 'handled')
  const kinds = (await Promise.all(asked)).map(({ kind }) => kind)
  assert.deepEqual(kinds, ['handled', 'handled', 'handled', 'unavailable'])
  assert.equal((await world.email(FORWARDS, { scriptName: 'four' })).kind, 'handled')
})

test('a Worker has no way to the sockets of another, nor to loopback', async () => {
  await using world = await openTestRuntime()
  let connections = 0
  const server = createServer(() => connections++).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(address && typeof address === 'object')
  await world.email(FORWARDS, { scriptName: 'other' })
  const [other = ''] = await readdir(join(world.directory, 'workers'))
  const socket = join(world.directory, 'workers', other, 'host.sock')
  const outcome = await world.email(
    `import { connect } from 'cloudflare:sockets'
     import * as net from 'node:net'
     const tried = async (run) => { try { await run(); return 'yes' } catch { return 'no' } }
     export default { async email(message) {
       const socket = ${JSON.stringify(socket)}
       message.setReject([
         await tried(() => fetch('unix:' + socket)),
         await tried(() => fetch('http://unix:' + socket + ':/')),
         await tried(() => connect('unix:' + socket).opened),
         await tried(() => connect({ hostname: '127.0.0.1', port: ${address.port} }).opened),
         await tried(() => fetch('http://localhost:${address.port}/')),
         await tried(() => fetch('http://[::ffff:127.0.0.1]:${address.port}/')),
         await tried(() => new Promise((ok, no) => net.connect(socket).on('connect', ok).on('error', no))),
       ].join())
     } }`,
    { scriptName: 'curious' },
  )
  assert.equal('reason' in outcome && outcome.reason, 'no,no,no,no,no,no,no')
  assert.equal(connections, 0)
  server.close()
})

test('secrets and code are not left on the disk', async () => {
  await using world = await openTestRuntime()
  const bindings = [{ type: 'secret_text', name: 'S', text: 'very-secret' } as const]
  await world.email(FORWARDS, { bindings })
  const [name = ''] = await readdir(join(world.directory, 'workers'))
  const files = (await readdir(join(world.directory, 'workers', name))).sort()
  assert.deepEqual(files, ['dispatch.sock', 'entry.sock', 'fetch.sock', 'host.sock', 'pid'])
  assert.deepEqual(world.logged, [])
})

test('processes of a killed host are gone once another has started', async () => {
  const code = `
    const { arrived, hostOf, openTestRuntime } = await import('./test/support/runtime-world.ts')
    const world = await openTestRuntime()
    const version = world.version(${JSON.stringify(FORWARDS)})
    await world.runtime.email(version, arrived(), hostOf({}))
    console.log(world.directory)
    world.runtime.email(version, arrived(), hostOf({ delayMs: 60_000 }))`
  const host = spawn(process.execPath, ['--input-type=module', '-e', code], {
    cwd: join(import.meta.dirname, '../../..'),
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line]: unknown[] = await once(host.stdout, 'data')
  const directory = String(line).trim()
  const [pid = 0] = await pids({ directory })
  assert.ok(isAlive(pid))
  host.kill('SIGKILL')
  await once(host, 'exit')
  await endLeftovers(join(directory, 'workers'))
  await until(() => !isAlive(pid))
  assert.deepEqual(await readdir(join(directory, 'workers')), [])
  await rm(directory, { recursive: true })
})

test('what a killed host left is ended, and nothing else', async () => {
  await using world = await openTestRuntime()
  const folder = join(world.directory, 'left')
  const [ours, foreign] = [join(folder, 'ours'), join(folder, 'foreign')]
  const begun = []
  for (const [place, cwd] of [
    [ours, ours],
    [foreign, world.directory],
  ] as const) {
    await mkdir(place, { recursive: true })
    const child = spawn('/bin/sleep', ['60'], { cwd, stdio: 'ignore' })
    await writeFile(join(place, 'pid'), String(child.pid))
    begun.push(child)
  }
  const [mine, other] = begun
  assert.ok(mine && other)
  const ended = once(mine, 'exit')
  await endLeftovers(folder)
  assert.deepEqual((await ended)[1], 'SIGKILL')
  assert.ok(other.pid !== undefined && isAlive(other.pid))
  other.kill('SIGKILL')
  assert.deepEqual(await readdir(folder), [])
})
