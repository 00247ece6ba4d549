import assert from 'node:assert/strict'
import { test } from 'node:test'
import { arrived, type Forwarded, HEADER, openTestRuntime } from '#test/runtime-world.ts'

test('email() is given the message, and forwards it', async () => {
  await using world = await openTestRuntime()
  const seen: Forwarded[] = []
  const outcome = await world.email(
    `export default { async email(message, env, ctx) {
       const { from, to, rawSize, canBeForwarded, authentication } = message
       console.log('got', { from, to, rawSize, canBeForwarded, authentication }, message.headers.get('Subject'))
       const { messageId } = await message.forward('team@example.net', new Headers({ 'X-Seen': 'yes', Subject: 'no' }))
       console.log(messageId, await new Response(message.raw).text(), typeof ctx.waitUntil, Object.keys(env))
     } }`,
    { forward: seen },
  )
  assert.equal(outcome.kind, 'handled')
  assert.deepEqual(seen, [{ rcptTo: 'team@example.net', headers: [['x-seen', 'yes']] }])
  const trace = await outcome.traced
  assert.deepEqual(
    trace?.logs.map(({ message }) => message),
    [
      [
        'got',
        {
          from: 'a@example.org',
          to: 'Sales@example.com',
          rawSize: arrived().rawSize,
          canBeForwarded: true,
          authentication: { spf: 'pass', dkim: 'none' },
        },
        'Größe =?utf-8?q?x?=',
      ],
      ['<1@example.com>', `${HEADER}\r\nbody\r\n`, 'function', []],
    ],
  )
  assert.deepEqual(trace?.event, {
    mailFrom: 'a@example.org',
    rcptTo: 'Sales@example.com',
    rawSize: arrived().rawSize,
  })
  assert.deepEqual([trace?.outcome, world.traces.length], ['ok', 1])
})

test('what the message says of itself stays, and what a forward says of itself is not for the Worker to say', async () => {
  await using world = await openTestRuntime()
  const seen: Forwarded[] = []
  const outcome = await world.email(
    `export default { async email(message) {
       const facts = ['from', 'to', 'headers', 'raw', 'rawSize', 'canBeForwarded', 'authentication']
       const changed = facts.filter((fact) => { try { message[fact] = 'x'; return true } catch (error) { return !(error instanceof TypeError) } })
       const headers = { 'X-Forwarded-For': 'a', 'x-forwarded-to': 'b', 'X-Posthorn-Forwarded': 'c', 'X-Forwarded-Host': 'd' }
       await message.forward('team@example.net', new Headers(headers))
       message.setReject(changed.join(' ') + message.from)
     } }`,
    { forward: seen },
  )
  assert.equal('reason' in outcome && outcome.reason, 'a@example.org')
  assert.deepEqual(seen, [{ rcptTo: 'team@example.net', headers: [['x-forwarded-host', 'd']] }])
})

test('setReject() counts, whatever comes after it', async () => {
  await using world = await openTestRuntime()
  const awaited = await world.email(
    `export default { async email(message) { message.setReject('No spam') } }`,
  )
  assert.deepEqual([awaited.kind, 'reason' in awaited && awaited.reason], ['rejected', 'No spam'])
  const unawaited = await world.email(
    `export default { email(message) { message.setReject('No spam'); Promise.resolve().then(() => {}) } }`,
  )
  assert.equal(unawaited.kind, 'rejected')
})

test('a refused forward throws in the Worker, with the code', async () => {
  await using world = await openTestRuntime()
  const outcome = await world.email(
    `export default { async email(message) {
       try { await message.forward('nobody@example.net') }
       catch (error) { message.setReject([error instanceof Error, error.code, error.message, Object.keys(error)].join('|')) }
     } }`,
    { refuse: { code: 'E_RECIPIENT_NOT_ALLOWED', message: 'destination address is not verified' } },
  )
  assert.equal(
    'reason' in outcome && outcome.reason,
    'true|E_RECIPIENT_NOT_ALLOWED|destination address is not verified|code',
  )
})

test('what a handler throws is an exception, with the stack', async () => {
  await using world = await openTestRuntime()
  const outcome = await world.email(`export default { async email(message) { null.x } }`)
  assert.ok(outcome.kind === 'exception')
  assert.equal(outcome.name, 'TypeError')
  assert.match(outcome.stack ?? '', /at Object\.email \(index\.js:1:\d+\)/)
  assert.equal((await outcome.traced)?.exceptions[0]?.message, outcome.message)
  const none = await world.email(`export default { fetch() { return new Response() } }`)
  assert.deepEqual(
    [none.kind, 'message' in none && none.message],
    ['exception', 'Handler does not export an email() function.'],
  )
})

test('a forward that nobody awaits is made, and its failure is no silence', async () => {
  await using world = await openTestRuntime()
  const seen: Forwarded[] = []
  const code = `export default { email(message) { message.forward('team@example.net') } }`
  assert.equal((await world.email(code, { forward: seen, delayMs: 30 })).kind, 'handled')
  assert.equal(seen.length, 1)
  const refused = await world.email(code, { refuse: { code: 'E_X', message: 'no' } })
  assert.deepEqual([refused.kind, 'message' in refused && refused.message], ['exception', 'no'])
})

test('what follows on a forward that nobody awaits is waited for too, and its failure is no silence', async () => {
  await using world = await openTestRuntime()
  for (const next of [
    'then(() => message.forward("b@example.net"))',
    'then(async () => { await null; await second() })',
  ]) {
    const seen: Forwarded[] = []
    const code = `export default { email(message) {
      const second = async () => { await null; return message.forward('b@example.net') }
      message.forward('a@example.net').${next}
    } }`
    assert.equal((await world.email(code, { forward: seen, delayMs: 20 })).kind, 'handled')
    assert.deepEqual(
      seen.map(({ rcptTo }) => rcptTo),
      ['a@example.net', 'b@example.net'],
      next,
    )
  }
  const failing = `export default { email(message) {
    message.forward('a@example.net').then(() => {}, () => message.forward('b@example.net'))
  } }`
  const refused = await world.email(failing, { refuse: { code: 'E_X', message: 'no' } })
  assert.deepEqual([refused.kind, 'message' in refused && refused.message], ['exception', 'no'])
})

test('nothing is forwarded once the handler has returned', async () => {
  await using world = await openTestRuntime()
  const seen: Forwarded[] = []
  const outcome = await world.email(
    `export default { async email(message, env, ctx) {
       ctx.waitUntil(scheduler.wait(50).then(() => message.forward('late@example.net')).catch((e) => console.log(e.code, e.message)))
     } }`,
    { forward: seen },
  )
  assert.equal(outcome.kind, 'handled')
  const trace = await outcome.traced
  const said = 'The message is settled: its handler has returned.'
  assert.deepEqual(trace?.logs[0]?.message, ['E_INTERNAL_SERVER_ERROR', said])
  assert.deepEqual(seen, [])
})

test('raw can be read in waitUntil(), once the handler has returned too', async () => {
  await using world = await openTestRuntime()
  const body = Buffer.alloc(5 * 1_048_576, 'line of text\r\n')
  for (const first of ['', 'await scheduler.wait(100);']) {
    const code = `export default { email(message, env, ctx) {
      const read = async () => {
        ${first}
        console.log((await new Response(message.raw).arrayBuffer()).byteLength === message.rawSize)
      }
      ctx.waitUntil(Promise.resolve().then(() => ctx.waitUntil(read())))
    } }`
    const outcome = await world.email(code, {}, arrived(body))
    const trace = await outcome.traced
    assert.deepEqual([outcome.kind, trace?.logs[0]?.message, trace?.exceptions], ['handled', [true], []])
  }
})

test('raw may stay unread, be read in part, and is read once', async () => {
  await using world = await openTestRuntime()
  const megabytes = Buffer.alloc(25 * 1_048_576, 'line of text\r\n')
  const unread = `export default { async email(message) { message.setReject('unread') } }`
  for (let time = 0; time < 3; time++) {
    assert.equal((await world.email(unread, {}, arrived(megabytes))).kind, 'rejected')
  }
  const part = await world.email(
    `export default { async email(message) {
       const reader = message.raw.getReader()
       const { value } = await reader.read()
       message.setReject(String(value.length > 0))
     } }`,
    {},
    arrived(megabytes),
  )
  assert.equal('reason' in part && part.reason, 'true')
  const whole = await world.email(
    `export default { async email(message) {
       const octets = (await new Response(message.raw).arrayBuffer()).byteLength
       let again = ''
       try { await new Response(message.raw).text() } catch (error) { again = error.name }
       message.setReject([octets === message.rawSize, again].join())
     } }`,
    {},
    arrived(megabytes),
  )
  assert.equal('reason' in whole && whole.reason, 'true,TypeError')
})

test('a header of 300 KiB arrives, without what is no field', async () => {
  await using world = await openTestRuntime()
  const fields = Array.from({ length: 3000 }, (_, n) => `X-Field-${n}: ${'v'.repeat(80)}\r\n`).join('')
  const header = Buffer.from(`${fields}Bad name: x\r\nNul: a\0b\r\nSubject: a\r\n  folded\r\n`)
  const outcome = await world.email(
    `export default { async email(message) {
       message.setReject([[...message.headers].length, message.headers.get('subject')].join())
     } }`,
    {},
    { ...arrived(), header },
  )
  assert.equal('reason' in outcome && outcome.reason, '3001,a  folded')
})

test('a class has email() as an object has', async () => {
  await using world = await openTestRuntime()
  const seen: Forwarded[] = []
  const outcome = await world.email(
    `import { WorkerEntrypoint } from 'cloudflare:workers'
     export default class extends WorkerEntrypoint {
       async email(message) { this.ctx.waitUntil(message.forward(this.env.TO)); return message.setReject('as ' + this.env.TO) }
     }`,
    { forward: seen, bindings: [{ type: 'secret_text', name: 'TO', text: 'kept@example.net' }] },
  )
  assert.equal('reason' in outcome && outcome.reason, 'as kept@example.net')
  assert.equal(seen.length, 1)
})

test('a Worker finds no way to the host but its bindings', async () => {
  await using world = await openTestRuntime()
  const seen: Forwarded[] = []
  const outcome = await world.email(
    `import { env as imported } from 'cloudflare:workers'
     import * as fs from 'node:fs'
     const tried = []
     const attempt = async (name, run) => { try { tried.push(name + ':' + await run()) } catch { tried.push(name + ':no') } }
     export default { async email(message, env, ctx) {
       await attempt('env', () => Object.keys(env).length + Object.keys(imported).length)
       await attempt('internal', () => import('posthorn-internal:host-actions').then(() => 'yes'))
       await attempt('file', () => fs.readFileSync('/etc/passwd') && 'yes')
       const { hostActions } = await import('./posthorn-inside/hide-host.js')
       await attempt('token', () => hostActions.forward('0'.repeat(32), 'x@example.net').then(() => 'yes'))
       for (const url of ['http://127.0.0.1:8025/', 'http://localhost/', 'http://[::1]/', 'http://169.254.169.254/'])
         await attempt(new URL(url).hostname, () => fetch(url).then(() => 'yes'))
       message.setReject(tried.join(' '))
     } }`,
    { forward: seen },
  )
  assert.equal(
    'reason' in outcome && outcome.reason,
    'env:0 internal:no file:no token:no 127.0.0.1:no localhost:no [::1]:no 169.254.169.254:no',
  )
  assert.deepEqual(seen, [])
})
