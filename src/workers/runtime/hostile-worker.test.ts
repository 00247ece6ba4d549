import assert from 'node:assert/strict'
import { readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import type { WorkerBinding } from '#model/worker.ts'
import { arrived, hostOf, openTestRuntime } from '#test/runtime-world.ts'

/** Workers whose author means harm, or whose code does it. */

const EMAIL: WorkerBinding = { type: 'send_email', name: 'EMAIL' }
/** What `[[], [], …]` has of `[]`, which in the Worker is one of each. */
const BOMB = `Array(2000).fill(Array(1000).fill([]))`

test('what a handler says of its end arrives however long it is, and whatever was thrown', async () => {
  await using world = await openTestRuntime({ emailMs: 5000 })
  const ends: Record<string, readonly [string, RegExp]> = {
    "message.setReject('x'.repeat(100_000))": ['rejected', /^x{400,}$/],
    "message.setReject('\\u0001'.repeat(100_000))": ['rejected', /./s],
    "throw new Error('ö'.repeat(2_000_000))": ['exception', /^ö{400,}$/],
    "const e = new Error('a'); e.stack = '\\u0001'.repeat(50_000); throw e": ['exception', /^a$/],
    'throw Object.create(null)': ['exception', /cannot be shown/],
    "throw Object.assign(new Error('a'), { message: 10n })": ['exception', /^10$/],
    "throw Object.defineProperty(new Error('a'), 'stack', { get() { throw 1 } })": ['exception', /^a$/],
    "throw Object.assign(new Error('a'), { name: { toString() { throw 1 } } })": ['exception', /^a$/],
    'throw undefined': ['exception', /^undefined$/],
  }
  for (const [code, [kind, says]] of Object.entries(ends)) {
    const outcome = await world.email(`export default { async email(message) { ${code} } }`)
    assert.equal(outcome.kind, kind, code)
    const said = 'reason' in outcome ? outcome.reason : 'message' in outcome ? outcome.message : ''
    assert.match(said, says, code)
  }
})

test('a message of millions of values is refused before anything is built from it', async () => {
  await using world = await openTestRuntime()
  const outcome = await world.email(
    `export default { async email(message, env) {
       const send = (more) => env.EMAIL.send({ from: 'a@example.com', to: 'b@example.com', subject: 's', ...more })
       const code = async (more) => { try { await send(more); return 'sent' } catch (error) { return error.code } }
       let deep = []
       for (let n = 0; n < 5000; n++) deep = [deep]
       message.setReject([await code({ more: ${BOMB} }), await code({ deep }), await code({})].join(' '))
     } }`,
    { bindings: [EMAIL] },
  )
  assert.equal('reason' in outcome && outcome.reason, 'E_VALIDATION_ERROR E_VALIDATION_ERROR sent')
})

test('a value of millions of values is not read as JSON among others', async () => {
  await using world = await openTestRuntime()
  const made = await world.kv.createNamespace(world.accountId, 'ns', () => [])
  assert.ok(typeof made === 'object')
  const bindings: readonly WorkerBinding[] = [{ type: 'kv_namespace', name: 'KV', namespaceId: made.id }]
  const outcome = await world.email(
    `export default { async email(message, { KV }) {
       await KV.put('bomb', JSON.stringify(${BOMB}))
       await KV.put('good', '{"a":1}')
       const read = async (keys) => { try { return [...await KV.get(keys, 'json')] } catch (error) { return error.message } }
       message.setReject(JSON.stringify([await read(['good']), await read(['good', 'bomb'])]))
     } }`,
    { bindings },
  )
  assert.match(
    'reason' in outcome ? outcome.reason : JSON.stringify(outcome),
    /^\[\[\["good",\{"a":1\}\]\],"KV GET_BULK failed: 413/,
  )
})

test('a Worker whose answer nobody reads is idle once who asked is gone', async () => {
  await using world = await openTestRuntime({ idleMs: 50 })
  const version = world.version(`export default { fetch: () => new Response('unread') }`)
  const gone = new AbortController()
  const request = { method: 'GET', url: 'http://worker.example/', headers: [], signal: gone.signal }
  const outcome = await world.runtime.fetch(version, request)
  assert.equal(outcome.kind, 'answered')
  gone.abort()
  const folder = join(world.directory, 'workers')
  const end = performance.now() + 5000
  while ((await readdir(folder)).length > 0 && performance.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  assert.deepEqual(await readdir(folder), [])
  // It is not ended for good.
  assert.equal((await world.runtime.email(version, arrived(), hostOf({}))).kind, 'exception')
})

test('what keeps a Worker from starting for a moment does not keep it for ever', async () => {
  await using world = await openTestRuntime()
  const version = world.version(`export default { email() {} }`)
  const folder = join(world.directory, 'workers')
  await rm(folder, { recursive: true })
  await writeFile(folder, 'in the way')
  assert.equal((await world.runtime.email(version, arrived(), hostOf({}))).kind, 'unavailable')
  assert.match(JSON.stringify(await world.runtime.tryOut(version)), /could not be started/)
  await rm(folder)
  assert.equal((await world.runtime.email(version, arrived(), hostOf({}))).kind, 'handled')
  assert.match(world.logged.join(''), /ENOTDIR/)
})

test('no name of a binding stands in the way of ours, and ours is not to be seen', async () => {
  await using world = await openTestRuntime()
  const outcome = await world.email(
    `export default { email(message, env) { message.setReject(JSON.stringify(env)) } }`,
    { bindings: [{ type: 'plain_text', name: 'POSTHORN_HOST', text: 'mine' }] },
  )
  assert.equal('reason' in outcome && outcome.reason, '{"POSTHORN_HOST":"mine"}')
})

test('a Worker that breaks its answers off writes nothing into the log of the host', async () => {
  await using world = await openTestRuntime()
  world.version(
    `export default { fetch: () => new Response(new ReadableStream({
       start(all) { all.enqueue(new Uint8Array(10)) },
       async pull(all) { await scheduler.wait(10); all.error(new Error('broken')) },
     })) }`,
    { scriptName: 'breaks' },
  )
  const outcome = await world.email(
    `export default { async email(message, { B }) {
       const answer = await B.fetch('http://b/')
       message.setReject(await answer.text().then(() => 'whole', () => 'half'))
     } }`,
    { bindings: [{ type: 'service', name: 'B', service: 'breaks' }] },
  )
  assert.equal('reason' in outcome && outcome.reason, 'half')
  assert.deepEqual(world.logged, [])
})
