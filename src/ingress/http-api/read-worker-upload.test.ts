import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { workerForm } from '#test/deploy-worker.ts'
import { readWorkerUpload } from './read-worker-upload.ts'

const NOW = Date.parse('2026-11-21T12:00:00Z')

async function read(form: FormData) {
  const request = new Response(form)
  const body = Buffer.from(await request.arrayBuffer())
  return readWorkerUpload(body, request.headers.get('content-type') ?? '', NOW)
}

async function refused(form: FormData, says: RegExp, pointer?: string): Promise<void> {
  const outcome = await read(form)
  assert.ok('status' in outcome, 'it was taken')
  assert.equal(outcome.status, 400)
  assert.match(outcome.message, says)
  assert.equal(outcome.pointer, pointer)
}

const binding = (fields: object) => workerForm({ metadata: { bindings: [{ name: 'X', ...fields }] } })
const part = (type: string) => new Blob(['x'], { type })

test('an upload as wrangler makes it', async () => {
  const metadata = {
    ...{ compatibility_date: '2026-10-01', compatibility_flags: ['nodejs_compat'], logpush: true },
    bindings: [
      { name: 'E', type: 'send_email', allowed_sender_addresses: ['me@example.com'] },
      { name: 'Q', type: 'queue', queue_name: 'q', delivery_delay: 5 },
      { name: 'I', type: 'inherit' },
    ],
    ...{ keep_bindings: ['secret_text', 'secret_key'], tail_consumers: [], code_update_strategy: {} },
    annotations: { 'workers/message': 'hi' },
  }
  const modules = {
    './a.wasm': part('application/wasm'),
    'index.js.map': part('application/source-map'),
    'b.txt': part('text/plain; charset=utf-8'),
  }
  const outcome = await read(workerForm({ metadata, modules }))
  assert.ok('upload' in outcome, JSON.stringify(outcome))
  assert.deepEqual(outcome.settings, { logpush: true })
  const { modules: kept, ...upload } = outcome.upload
  assert.deepEqual(
    kept.map(({ name, type }) => [name, type]),
    [
      ['index.js', 'esm'],
      ['./a.wasm', 'wasm'],
      ['b.txt', 'text'],
    ],
  )
  assert.deepEqual(upload, {
    ...{ mainModule: 'index.js', compatibilityDate: '2026-10-01', compatibilityFlags: ['nodejs_compat'] },
    bindings: [
      { name: 'E', type: 'send_email', allowedSenderAddresses: ['me@example.com'] },
      { name: 'Q', type: 'queue', queueName: 'q', deliveryDelay: 5 },
      { name: 'I', type: 'inherit', from: 'I' },
    ],
    keep: ['secret_text', 'secret_key'],
    annotations: { 'workers/triggered_by': 'upload', 'workers/message': 'hi' },
  })
})

test('what cannot be is refused, and named', async () => {
  await refused(
    workerForm({ metadata: { compatibility_flags: ['nodejs_compat', 'python_workers_20250116'] } }),
    /Python/,
    '/compatibility_flags',
  )
  await refused(binding({ type: 'secret_text', text: 'a\0b' }), /without NUL/, '/bindings/0/text')
  await refused(binding({ type: 'ai' }), /^Binding 'X' needs Workers AI, which/, '/bindings/0')
  await refused(binding({ type: 'constructor' }), /^Binding 'X' needs 'constructor'/, '/bindings/0')
  await refused(
    binding({ type: 'plain_text' }),
    /^Binding 'X' of type plain_text: 'text'/,
    '/bindings/0/text',
  )
  await refused(
    binding({ type: 'plain_text', text: 'é'.repeat(3000) }),
    /5120 octets at most/,
    '/bindings/0/text',
  )
  await refused(binding({ type: 'service', service: 'x', props: {} }), /passes no props/, '/bindings/0/props')
  const both = { type: 'send_email', destination_address: 'a@b.c', allowed_destination_addresses: [] }
  await refused(binding(both), /do not go together/, '/bindings/0/destination_address')
  await refused(binding({ type: 'ai', name: '__proto__' }), /bindings\.0\.name/, '/bindings/0/name')
  const twice = [1, 2].map(() => ({ name: 'X', type: 'plain_text', text: '' }))
  await refused(workerForm({ metadata: { bindings: twice } }), /'X' stands twice/, '/bindings/1/name')
  const migrations = { new_tag: 'v1', new_sqlite_classes: ['X'] }
  await refused(
    workerForm({ metadata: { migrations } }),
    /'migrations': this service has no such/,
    '/migrations',
  )
  const body = { main_module: undefined, body_part: 'index.js' }
  await refused(workerForm({ metadata: body }), /service-worker format/, '/body_part')
  await refused(
    workerForm({ metadata: { main_module: 'other.js' } }),
    /no ES module 'other\.js'/,
    '/main_module',
  )
  for (const date of ['2026-11-22', '2026-02-30'])
    await refused(
      workerForm({ metadata: { compatibility_date: date } }),
      /compatibility date/,
      '/compatibility_date',
    )
  await refused(workerForm({ modules: { 'a.py': part('text/x-python') } }), /'a\.py' is Python/)
  await refused(workerForm({ modules: { 'a.png': part('image/png') } }), /'image\/png', which is no type/)
  for (const name of ['../../x.js', '/etc/x.js', 'a/../b.js'])
    await refused(
      workerForm({ modules: { [name]: part('text/javascript+module') } }),
      /^Module '.*x?\.js' must be/,
    )
  const bare = workerForm()
  bare.set('notes', 'text')
  await refused(bare, /'notes' has no filename/)
  const many = workerForm()
  for (let index = 0; index < 1001; index++) many.append('x', part('text/plain'), 'x')
  await refused(many, /1000 parts/)
  await refused(new FormData(), /no part 'metadata'|not the multipart/)
})

test('whatever a body is, it is an upload or refused', async () => {
  const text = fc.oneof(
    fc.string(),
    fc.json(),
    fc.constantFrom('--b\r\nContent-Disposition: form-data; name="metadata"\r\n\r\n{}\r\n--b--\r\n', '--b--'),
  )
  await fc.assert(
    fc.asyncProperty(
      text,
      fc.constantFrom('multipart/form-data; boundary=b', 'text/plain', ''),
      async (body, type) => {
        const outcome = await readWorkerUpload(Buffer.from(body), type, NOW)
        assert.ok('status' in outcome && outcome.status === 400)
      },
    ),
  )
  await fc.assert(
    fc.asyncProperty(
      fc.dictionary(fc.constantFrom('main_module', 'bindings', 'tags', 'assets', 'x'), fc.jsonValue()),
      async (metadata) => {
        const outcome = await read(workerForm({ metadata }))
        assert.ok('upload' in outcome || outcome.status === 400)
      },
    ),
  )
})
