import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { WorkerBinding } from '#model/worker.ts'
import { arrived, hostOf, openTestRuntime, type RuntimeWorld } from '#test/runtime-world.ts'
import type { FetchOutcome, OutgoingMessage } from './host-services.ts'

const EMAIL: WorkerBinding = { type: 'send_email', name: 'EMAIL', destinationAddress: 'ops@example.com' }

async function textOf(outcome: FetchOutcome): Promise<string> {
  assert.ok(outcome.kind === 'answered', JSON.stringify(outcome))
  const chunks = []
  for await (const chunk of outcome.response.body) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

/** What `run` returns in `fetch()`, as JSON. */
async function evaluate(
  world: RuntimeWorld,
  { run, before = '', bindings }: { run: string; before?: string; bindings: readonly WorkerBinding[] },
): Promise<unknown> {
  const code = `${before}
    const thrown = async (run) => { try { return await run() } catch (e) { return [e.name, e.code ?? null, e.message] } }
    export default { async fetch(request, env, ctx) { return Response.json(await (async () => { ${run} })()) } }`
  const version = world.version(code, { bindings })
  const request = { method: 'GET', url: 'http://worker.example/', headers: [] }
  return JSON.parse(await textOf(await world.runtime.fetch(version, request)))
}

test('reply() takes an EmailMessage and a builder', async () => {
  await using world = await openTestRuntime()
  const reply: OutgoingMessage[] = []
  const outcome = await world.email(
    `import { EmailMessage } from 'cloudflare:email'
     export default { async email(message) {
       const first = await message.reply(new EmailMessage(message.to, message.from, 'Subject: x\\r\\n\\r\\nÜ'))
       const stream = new Response('streamed').body
       await message.reply(new EmailMessage(message.to, message.from, stream))
       await message.reply({ from: message.to, to: message.from, subject: 'Re', text: 'x' })
       message.setReject(first.messageId)
     } }`,
    { reply },
  )
  assert.equal('reason' in outcome && outcome.reason, '<1@example.com>')
  const envelope = { from: 'Sales@example.com', to: 'a@example.org' }
  assert.deepEqual(reply, [
    { kind: 'raw', ...envelope, raw: Buffer.from('Subject: x\r\n\r\nÜ') },
    { kind: 'raw', ...envelope, raw: Buffer.from('streamed') },
    { kind: 'builder', fields: { ...envelope, subject: 'Re', text: 'x' } },
  ])
})

test('a refused reply() throws with its code', async () => {
  await using world = await openTestRuntime()
  const outcome = await world.email(
    `export default { async email(message) {
       try { await message.reply({ subject: 'x' }) } catch (error) { message.setReject(error.code + ' ' + error.message) }
     } }`,
    { refuse: { code: 'E_DELIVERY_FAILED', message: 'The message was replied to before.' } },
  )
  assert.equal('reason' in outcome && outcome.reason, 'E_DELIVERY_FAILED The message was replied to before.')
})

test('send() carries every field and binary attachments', async () => {
  await using world = await openTestRuntime()
  const answered = await evaluate(world, {
    bindings: [EMAIL],
    run: `const octets = new Uint8Array(100_000).map((_, n) => n)
      return env.EMAIL.send({
        to: null, from: { email: 'a@example.com', name: 'Ä' }, cc: ['b@example.org'], subject: 'S', text: 't', html: 'h',
        headers: { 'X-A': '1' },
        attachments: [
          { content: octets.buffer, filename: 'all', type: 'application/octet-stream', disposition: 'attachment' },
          { content: octets.subarray(5, 9), filename: 'view', type: 'a/b', disposition: 'inline', contentId: 'c' },
          { content: 'aGk=', filename: 'text', type: 'text/plain', disposition: 'attachment' },
        ] })`,
  })
  assert.deepEqual(answered, { messageId: '<1@example.com>' })
  const octets = Buffer.from(Uint8Array.from({ length: 100_000 }, (_, n) => n))
  const attachment = { type: 'application/octet-stream', disposition: 'attachment' }
  assert.deepEqual(world.sent, [
    {
      binding: EMAIL,
      message: {
        kind: 'builder',
        fields: {
          ...{ to: null, from: { email: 'a@example.com', name: 'Ä' }, cc: ['b@example.org'], subject: 'S' },
          ...{ text: 't', html: 'h', headers: { 'X-A': '1' } },
          attachments: [
            { content: octets.toString('base64'), filename: 'all', ...attachment },
            { content: 'BQYHCA==', filename: 'view', type: 'a/b', disposition: 'inline', contentId: 'c' },
            { content: 'aGk=', filename: 'text', type: 'text/plain', disposition: 'attachment' },
          ],
        },
      },
    },
  ])
})

test('a message may be of classes and collections of the Worker', async () => {
  await using world = await openTestRuntime()
  await evaluate(world, {
    bindings: [EMAIL],
    run: `class Person { constructor(name) { this.name = name } get email() { return this.name + '@example.com' } }
      class File { get content() { return new Uint8Array([1]) } get filename() { return 'f' } get type() { return 'a/b' } get disposition() { return 'attachment' } }
      class Letter { get from() { return new Person('a') } get subject() { return 'S' } get text() { return 't' } get attachments() { return [new File()] } }
      const to = new Set([new Person('b'), 'c@example.com'])
      return env.EMAIL.send(Object.assign(new Letter(), { to, cc: [new Person('d')], headers: new Map([['X-A', '1']]) }))`,
  })
  const fields = {
    ...{ subject: 'S', text: 't', headers: { 'X-A': '1' }, from: { name: 'a', email: 'a@example.com' } },
    ...{
      to: [{ name: 'b', email: 'b@example.com' }, 'c@example.com'],
      cc: [{ name: 'd', email: 'd@example.com' }],
    },
    attachments: [{ content: 'AQ==', filename: 'f', type: 'a/b', disposition: 'attachment' }],
  }
  assert.deepEqual(
    world.sent.map(({ message }) => message),
    [{ kind: 'builder', fields }],
  )
})

test('send() takes an EmailMessage, and throws what it is refused with', async () => {
  await using world = await openTestRuntime()
  const before = `import { EmailMessage } from 'cloudflare:email'`
  await evaluate(world, {
    ...{ before, bindings: [EMAIL] },
    run: `return env.EMAIL.send(new EmailMessage('a@example.com', 'b@example.org', 'raw'))`,
  })
  assert.deepEqual(world.sent[0]?.message, {
    ...{ kind: 'raw', from: 'a@example.com', to: 'b@example.org', raw: Buffer.from('raw') },
  })
  world.refuseSending({ code: 'E_SENDER_NOT_VERIFIED', message: 'from: not verified' })
  const refused = await evaluate(world, {
    bindings: [EMAIL],
    run: `return Promise.all([{}, { x: 1n }, null].map((message) => thrown(() => env.EMAIL.send(message))))`,
  })
  assert.deepEqual(refused, [
    ['Error', 'E_SENDER_NOT_VERIFIED', 'from: not verified'],
    ['TypeError', 'E_VALIDATION_ERROR', 'The message cannot be read: Do not know how to serialize a BigInt'],
    ['TypeError', 'E_VALIDATION_ERROR', 'A message must be an EmailMessage or an object.'],
  ])
})

test('send() throws what the host does not even read', async () => {
  await using world = await openTestRuntime()
  const answered = await evaluate(world, {
    ...{ before: `import { EmailMessage } from 'cloudflare:email'`, bindings: [EMAIL] },
    run: `const octets = new Uint8Array(60_000_000)
      return [
        await thrown(() => env.EMAIL.send(new EmailMessage('a@example.com', 'b@example.org', octets))),
        await thrown(() => env.EMAIL.send({ text: 'x'.repeat(38_000_000) })),
      ]`,
  })
  const message = 'The message is too large: 25 MiB is the most, attachments included.'
  const refused = ['Error', 'E_CONTENT_TOO_LARGE', message]
  assert.deepEqual([answered, world.sent], [[refused, refused], []])
})

test('forward() throws for headers that the host does not even read', async () => {
  await using world = await openTestRuntime()
  const outcome = await world.email(`export default { async email(message) {
    const headers = new Headers({ 'X-Long': 'x'.repeat(300_000) })
    await message.forward('a@example.org', headers).catch(({ code }) => message.setReject(code))
  } }`)
  assert.equal('reason' in outcome && outcome.reason, 'E_HEADERS_TOO_LARGE')
})

test('KV keeps values, metadata and lists', async () => {
  await using world = await openTestRuntime()
  const made = await world.kv.createNamespace(world.accountId, 'ns', () => [])
  assert.ok(typeof made === 'object')
  const found = await evaluate(world, {
    bindings: [{ type: 'kv_namespace', name: 'KV', namespaceId: made.id }],
    run: `await env.KV.put('a/b ü', 'text', { metadata: { ü: 1 } })
      await env.KV.put('json', JSON.stringify({ x: 1 }), { expirationTtl: 3600 })
      await env.KV.put('octets', new Uint8Array([0, 255]))
      await env.KV.put('stream', new Response('streamed').body)
      await env.KV.delete('stream')
      const { keys, list_complete, cursor } = await env.KV.list({ limit: 2 })
      const rest = await env.KV.list({ limit: 2, cursor })
      return {
        text: await env.KV.getWithMetadata('a/b ü'),
        json: await env.KV.get('json', 'json'),
        octets: [...new Uint8Array(await env.KV.get('octets', 'arrayBuffer'))],
        gone: await env.KV.get('stream'),
        several: [...await env.KV.get(['json', 'none'], 'json')],
        names: keys.map(({ name }) => name), list_complete,
        lasts: keys[1].expiration > Date.now() / 1000 + 3500, metadata: keys[0].metadata,
        rest: [rest.keys.map(({ name }) => name), rest.list_complete],
        wrong: await thrown(() => env.KV.put('k', 'v', { expirationTtl: 5 })),
      }`,
  })
  assert.deepEqual(found, {
    text: { value: 'text', metadata: { ü: 1 }, cacheStatus: null },
    json: { x: 1 },
    octets: [0, 255],
    gone: null,
    several: [
      ['json', { x: 1 }],
      ['none', null],
    ],
    names: ['a/b ü', 'json'],
    list_complete: false,
    lasts: true,
    metadata: { ü: 1 },
    rest: [['octets'], true],
    wrong: [
      'Error',
      null,
      'KV PUT failed: 400 The time to live must be a whole number of seconds, at least 60.',
    ],
  })
})

test('a value that is replaced while it is read is the one or the other', async () => {
  await using world = await openTestRuntime()
  const made = await world.kv.createNamespace(world.accountId, 'ns', () => [])
  assert.ok(typeof made === 'object')
  const sizes = await evaluate(world, {
    bindings: [{ type: 'kv_namespace', name: 'KV', namespaceId: made.id }],
    run: `const put = (n) => env.KV.put('k', new Uint8Array(3_000_000 + n))
      const writes = async () => { for (let n = 0; n < 15; n++) await put(n) }
      const reads = async () => {
        const wrong = []
        for (let n = 0; n < 15; n++) {
          const octets = await thrown(() => env.KV.get('k', 'arrayBuffer'))
          if (!(octets.byteLength >= 3_000_000)) wrong.push(octets)
        }
        return wrong
      }
      await put(0)
      const [, ...wrong] = await Promise.all([writes(), reads(), reads(), reads()])
      return wrong.flat()`,
  })
  assert.deepEqual([sizes, world.logged], [[], []])
})

test('a thousand calls at once are all answered, and so are those of another binding after them', async () => {
  await using world = await openTestRuntime()
  const made = await world.kv.createNamespace(world.accountId, 'ns', () => [])
  assert.ok(typeof made === 'object')
  const bindings: readonly WorkerBinding[] = [
    EMAIL,
    { type: 'kv_namespace', name: 'KV', namespaceId: made.id },
  ]
  const failed = await evaluate(world, {
    bindings,
    run: `const all = await Promise.all(Array.from({ length: 1000 }, (_, n) =>
        thrown(() => env.KV.get('k' + n))))
      const more = await Promise.all(Array.from({ length: 1000 }, () =>
        thrown(() => env.EMAIL.send({ subject: 's' }))))
      return [...all, ...more, await thrown(() => env.KV.put('k', 'v'))].filter((each) => Array.isArray(each))`,
  })
  assert.deepEqual(failed, [])
})

test('several values of which one is no JSON', async () => {
  await using world = await openTestRuntime()
  const made = await world.kv.createNamespace(world.accountId, 'ns', () => [])
  assert.ok(typeof made === 'object')
  const found = await evaluate(world, {
    bindings: [{ type: 'kv_namespace', name: 'KV', namespaceId: made.id }],
    run: `await env.KV.put('null', 'null')
      await env.KV.put('text', 'no JSON')
      const keys = ['null', 'text', 'none']
      return [[...await env.KV.get(keys)], await thrown(() => env.KV.get(keys, 'json')), [...await env.KV.get(['null'], 'json')]]`,
  })
  const texts = [
    ['null', 'null'],
    ['text', 'no JSON'],
    ['none', null],
  ]
  const words = 'KV GET_BULK failed: 400 At least one of the requested keys corresponds to a non-json value'
  assert.deepEqual(found, [texts, ['Error', null, words], [['null', null]]])
})

test('a namespace of another account is none', async () => {
  await using world = await openTestRuntime()
  const made = await world.kv.createNamespace(world.otherAccountId, 'ns', () => [])
  assert.ok(typeof made === 'object')
  const found = await evaluate(world, {
    bindings: [{ type: 'kv_namespace', name: 'KV', namespaceId: made.id }],
    run: `return [await env.KV.get('x'), (await thrown(() => env.KV.put('x', 'y')))[2]]`,
  })
  assert.deepEqual(found, [null, 'KV PUT failed: 404 The namespace does not exist.'])
})

test('a queue takes messages of every kind, and queue() gets them back', async () => {
  await using world = await openTestRuntime()
  const settings = { name: 'mail-events', deliveryDelay: 0, retention: 3600, paused: false }
  const made = await world.queues.createQueue(world.accountId, settings, () => [])
  assert.ok(typeof made === 'object')
  await evaluate(world, {
    bindings: [{ type: 'queue', name: 'Q', queueName: 'mail-events' }],
    run: `await env.Q.send({ a: 1 })
      await env.Q.send('text', { contentType: 'text' })
      await env.Q.sendBatch([
        { body: new Uint8Array([1, 2]), contentType: 'bytes' },
        { body: new Map([[1, new Date(0)]]), contentType: 'v8' },
      ])
      return null`,
  })
  const batch = await world.queues.claimBatch(made.id, { size: 10, waitMs: 0, leaseMs: 60_000 })
  assert.deepEqual(
    batch?.messages.map(({ contentType }) => contentType),
    ['json', 'text', 'bytes', 'v8'],
  )
  const consumer = world.version(
    `export default { async queue(batch, env, ctx) {
       const [json, text, octets, v8] = batch.messages
       console.log(batch.queue, json.body, json.attempts, text.body, [...new Uint8Array(octets.body)], v8.body.get(1).getTime())
       json.ack(); text.retry({ delaySeconds: 7 }); batch.retryAll({ delaySeconds: 9 })
     } }`,
    { scriptName: 'consumer' },
  )
  const queueName = 'mail-events'
  const [first, second] = batch.messages
  const outcome = await world.runtime.queue(consumer, { queueName, messages: batch.messages })
  assert.deepEqual(outcome, {
    kind: 'done',
    acks: [first?.id],
    retries: [{ id: second?.id, delaySeconds: 7 }],
    retryAll: { delaySeconds: 9 },
  })
  const thrower = world.version(
    `import { WorkerEntrypoint } from 'cloudflare:workers'
     export default class extends WorkerEntrypoint { queue(batch) { batch.messages[0].ack(); throw new Error('no') } }`,
    { scriptName: 'thrower' },
  )
  assert.deepEqual(await world.runtime.queue(thrower, { queueName, messages: batch.messages }), {
    kind: 'failed',
    acks: [first?.id],
    retries: [],
  })
  const none = world.version(`export default {}`, { scriptName: 'none' })
  assert.equal((await world.runtime.queue(none, { queueName, messages: batch.messages })).kind, 'failed')
})

test('a queue that is not there, and a message that is too large, are refused with words', async () => {
  await using world = await openTestRuntime()
  const bindings: WorkerBinding[] = [{ type: 'queue', name: 'Q', queueName: 'none' }]
  const run = `return thrown(() => env.Q.send('x'))`
  assert.match(JSON.stringify(await evaluate(world, { bindings, run })), /The queue does not exist/)
  const settings = { name: 'none', deliveryDelay: 0, retention: 3600, paused: false }
  await world.queues.createQueue(world.accountId, settings, () => [])
  const large = `return thrown(() => env.Q.send('x'.repeat(128_001), { contentType: 'text' }))`
  assert.match(JSON.stringify(await evaluate(world, { bindings, run: large })), /128000 octets/)
  const metrics = await evaluate(world, { bindings, run: `await env.Q.send('x'); return env.Q.metrics()` })
  assert.match(JSON.stringify(metrics), /"backlogCount":1,"backlogBytes":3/)
})

test('a data point is written once the handler has returned too', async () => {
  await using world = await openTestRuntime()
  const point = { blobs: ['a'], doubles: [1.5], indexes: ['i', 'j'] }
  const found = await evaluate(world, {
    bindings: [{ type: 'analytics_engine', name: 'AE', dataset: 'mail' }],
    run: `return [env.AE.writeDataPoint(${JSON.stringify(point)}) === undefined]`,
  })
  assert.deepEqual(found, [true])
  while (world.points.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  assert.deepEqual(world.points, [{ dataset: 'mail', point }])
})

test('a data point that no dataset takes is refused where it is written', async () => {
  await using world = await openTestRuntime()
  const refused = await evaluate(world, {
    bindings: [{ type: 'analytics_engine', name: 'AE', dataset: 'mail' }],
    run: `return Promise.all([
      { blobs: Array(21).fill('x') }, { doubles: Array(21).fill(1) }, { indexes: ['ü'.repeat(49)] }, { blobs: ['x'.repeat(16_385)] },
      { doubles: ['1'] }, { blobs: 'x' }, { blobs: [5] }, 5,
      undefined, { doubles: [0 / 0] }, { blobs: [null, new Uint8Array([65])] },
    ].map((point) => thrown(() => { env.AE.writeDataPoint(point); return 'taken' })))`,
  })
  const error = (reason: string) => ['TypeError', null, `writeDataPoint(): ${reason}.`]
  assert.deepEqual(refused, [
    error('Maximum of 20 blobs supported'),
    error('Maximum of 20 doubles supported'),
    error('Size of indexes[0] exceeds 96 bytes'),
    error('Cumulative size of blobs exceeds 16384 bytes'),
    error('doubles must be numbers'),
    error('blobs must be an array'),
    error('blobs must be strings or buffers'),
    error('the data point must be an object'),
    ...['taken', 'taken', 'taken'],
  ])
  while (world.points.length < 2) await new Promise((resolve) => setTimeout(resolve, 5))
  const nothing = { indexes: [], blobs: [], doubles: [] }
  assert.deepEqual(
    world.points.map(({ point }) => point),
    [nothing, { ...nothing, blobs: ['', 'A'] }],
  )
  while (world.traces.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  assert.match(JSON.stringify(world.traces[0]?.logs), /a double is no finite number.*"warn"/)
})

test('texts, JSON and secrets are in env, whatever is in them', async () => {
  await using world = await openTestRuntime()
  const text = 'quoted " \\ \n ü 💌 $(x)'
  const found = await evaluate(world, {
    bindings: [
      { type: 'plain_text', name: 'TEXT', text },
      { type: 'secret_text', name: 'SECRET', text },
      { type: 'json', name: 'JSON_', json: { deep: [text, null] } },
    ],
    run: 'return [env.TEXT, env.SECRET, env.JSON_, process.env.SECRET]',
  })
  assert.deepEqual(found, [text, text, { deep: [text, null] }, text])
})

test("an account's Workers call each other, and their named entrypoints", async () => {
  await using world = await openTestRuntime()
  world.version(
    `import { WorkerEntrypoint } from 'cloudflare:workers'
     export class Named extends WorkerEntrypoint { fetch(request) { return new Response('named ' + request.url + [...request.headers.keys()].filter((name) => name.startsWith('x-posthorn'))) } }
     export default { async fetch(request) { return new Response([request.method, request.url, request.headers.get('x-own'), request.headers.get('x-posthorn-entrypoint'), await request.text()].join(), { status: 201, headers: { 'x-back': '1' } }) } }`,
    { scriptName: 'other' },
  )
  const found = await evaluate(world, {
    bindings: [
      { type: 'service', name: 'OTHER', service: 'other' },
      { type: 'service', name: 'NAMED', service: 'other', entrypoint: 'Named' },
      { type: 'service', name: 'NONE', service: 'none' },
    ],
    run: `const headers = { 'x-own': 'yes', 'x-posthorn-entrypoint': 'Named', 'x-posthorn-door': 'trace' }
      const response = await env.OTHER.fetch('https://any.example/a?b', { method: 'POST', body: 'hi', headers })
      return [response.status, response.headers.get('x-back'), await response.text(),
        await (await env.NAMED.fetch('https://any.example/n')).text(), (await env.NONE.fetch('https://x.example/')).status]`,
  })
  assert.deepEqual(found, [
    ...[201, '1', 'POST,https://any.example/a?b,yes,,hi', 'named https://any.example/n', 503],
  ])
})

test('scheduled() runs', async () => {
  await using world = await openTestRuntime()
  const version = world.version(
    `export default { async scheduled({ cron, scheduledTime }) { console.log(cron, scheduledTime); if (cron === 'x') throw new Error('no') } }`,
  )
  assert.deepEqual(await world.runtime.scheduled(version, '*/5 * * * *', 1_000_000), { kind: 'done' })
  assert.deepEqual(await world.runtime.scheduled(version, 'x', 1_000_000), { kind: 'failed' })
  while (world.traces.length < 2) await new Promise((resolve) => setTimeout(resolve, 5))
  const [done, failed] = world.traces
  assert.deepEqual(done?.logs[0]?.message, ['*/5 * * * *', 1_000_000])
  assert.deepEqual(done.event, { cron: '*/5 * * * *', scheduledTime: 1_000_000 })
  assert.deepEqual([failed?.outcome, failed?.exceptions[0]?.message], ['exception', 'no'])
})

test('fetch() streams both ways, and is traced without its secrets', async () => {
  await using world = await openTestRuntime()
  const version = world.version(
    `export default { async fetch(request) {
       console.log(request.cf === undefined)
       return new Response(request.body, { status: 202, headers: [['set-cookie', 'a=1'], ['set-cookie', 'b=2']] })
     } }`,
  )
  const outcome = await world.runtime.fetch(version, {
    ...{ method: 'PUT', url: 'https://worker.example/path?q' },
    headers: [
      ['Transfer-Encoding', 'chunked'],
      ['Authorization', 'Bearer secret'],
    ],
    body: (async function* () {
      yield Buffer.from('one ')
      yield Buffer.from('two')
    })(),
  })
  assert.equal(await textOf(outcome), 'one two')
  assert.ok(outcome.kind === 'answered')
  const { status, headers } = outcome.response
  assert.deepEqual([status, headers.filter(([name]) => name.toLowerCase() === 'set-cookie').length], [202, 2])
  while (world.traces.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  const trace = JSON.stringify(world.traces)
  assert.match(trace, /https:\/\/worker\.example\/path/)
  assert.doesNotMatch(trace, /Bearer secret/)
  assert.deepEqual(world.traces[0]?.logs[0]?.message, [true])
})

test('a version is tried out: its handlers, or why it does not start', async () => {
  await using world = await openTestRuntime()
  const tried = (code: string, given = {}) => world.runtime.tryOut(world.version(code, given))
  assert.deepEqual(await tried(`export default { email() {}, fetch() {}, other() {} }`), {
    handlers: ['fetch', 'email'],
  })
  assert.deepEqual(
    await tried(`import { WorkerEntrypoint } from 'cloudflare:workers'
      export default class extends WorkerEntrypoint { queue() {} }`),
    { handlers: ['queue'] },
  )
  const failed = await tried(`throw new Error('at the start')`)
  assert.match('detail' in failed ? failed.detail : '', /^Uncaught Error: at the start/)
  const flags = { compatibilityFlags: ['experimental'] }
  assert.match(JSON.stringify(await tried(`export default {}`, flags)), /experimental/)
  assert.match(JSON.stringify(await tried(`import 'nowhere'`)), /No such module/)
})

test('a date that is later than the runtime runs as the newest that it knows', async () => {
  await using world = await openTestRuntime()
  const version = world.version('export default { async email() {} }', { compatibilityDate: '2199-01-01' })
  assert.deepEqual(await world.runtime.tryOut(version), { handlers: ['email'] })
  assert.equal((await world.runtime.email(version, arrived(), hostOf({}))).kind, 'handled')
})
