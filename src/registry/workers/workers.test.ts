import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import type { WorkerVersion } from '#model/worker.ts'
import { type Store, statement } from '#store/store.ts'
import { onBothEngines } from '#test/stores.ts'
import { openVault } from '#vault/vault.ts'
import { resolveBindings } from './resolve-bindings.ts'
import type { Upload, Worker } from './worker.ts'
import { openWorkers, type UploadOptions, type Workers } from './workers.ts'

const vault = openVault(randomBytes(32))
const author = { id: 'u1', email: 'me@example.com' }
const none = () => []

const insertAccount = statement(
  'test.account',
  `insert into account (id, name, sending_enabled, created_at) values ($1, 'a', 1, 0)`,
)
const insertZone = statement(
  'test.zone',
  `insert into zone (id, account_id, name, status, created_at) values ($1, $2, $3, $4, 0)`,
)
const countChunks = statement<{ readonly count: number }>(
  'test.chunks',
  'select count(*) as count from worker_chunk',
)
const rawSecrets = statement<{ readonly secrets: string; readonly bindings: string }>(
  'test.secrets',
  'select secrets, bindings from worker_version where id = $1',
)

async function open(store: Store, tryOut?: Parameters<typeof openWorkers>[0]['tryOut']): Promise<Workers> {
  const params = ['a', 'b'].map((id) => [id.repeat(32)])
  await store.commit(params.map((each) => ({ statement: insertAccount, params: each })))
  return openWorkers({ store, vault, clock: Date.now, host: 'workers.test', ...(tryOut && { tryOut }) })
}

const A = 'a'.repeat(32)
const B = 'b'.repeat(32)

function uploadOf(wish: Partial<Upload> = {}, content = 'export default {}'): Upload {
  return {
    ...{ mainModule: 'index.js', compatibilityDate: '2026-10-01', compatibilityFlags: ['nodejs_compat'] },
    ...{ bindings: [], keep: [], annotations: {} },
    modules: [{ name: 'index.js', type: 'esm', content: Buffer.from(content) }],
    ...wish,
  }
}

const first = { name: 'w', author, deploy: true, create: true, accountId: A } satisfies UploadOptions
const later = { ...first, deploy: false, create: false } satisfies UploadOptions

async function made(workers: Workers, upload: Upload, options: UploadOptions = first) {
  const outcome = await workers.upload(upload, options, none)
  assert.ok('worker' in outcome, JSON.stringify(outcome))
  return outcome
}

const worker = async (workers: Workers, name = 'w'): Promise<Worker> =>
  (await workers.worker(A, name)) ?? assert.fail('there is no such Worker')

const textOf = (version: WorkerVersion | undefined, name: string) =>
  version?.bindings.flatMap((each) => (each.name === name && 'text' in each ? [each.text] : []))[0]

onBothEngines('what was uploaded comes back whole, large modules too', async (_, { store }) => {
  const workers = await open(store)
  const modules: Upload['modules'] = [
    { name: 'index.js', type: 'esm', content: Buffer.from('export default {}') },
    { name: './big.bin', type: 'data', content: randomBytes(3_500_000) },
    { name: 'empty.txt', type: 'text', content: Buffer.alloc(0) },
  ]
  const bindings: Upload['bindings'] = [
    { name: 'S', type: 'secret_text', text: 'hush' },
    { name: 'J', type: 'json', json: { a: ['\0', null] } },
    { name: 'ONE', type: 'send_email', destinationAddress: 'me@dest.test' },
  ]
  const { version } = await made(workers, uploadOf({ modules, bindings }))
  const current = await workers.current(A, 'w')
  assert.deepEqual(current, {
    ...{ id: version.id, accountId: A, scriptName: 'w', mainModule: 'index.js', modules, bindings },
    ...{ compatibilityDate: '2026-10-01', compatibilityFlags: ['nodejs_compat'] },
  })
  assert.equal(await workers.currentId(A, 'w'), version.id)
  assert.equal(await workers.current(B, 'w'), undefined)
  assert.equal(await workers.version(B, version.id), undefined)
  const row = await store.get(rawSecrets, [version.id])
  assert.ok(row && !JSON.stringify(row).includes('hush'), 'sealed')
  assert.deepEqual(version.bindings[0], { name: 'S', type: 'secret_text' })
})

onBothEngines('a version runs once it is deployed, and an older one again', async (_, { store }) => {
  const workers = await open(store)
  const one = await made(workers, uploadOf({}, 'export default 1'))
  const two = await made(workers, uploadOf({}, 'export default 2'), later)
  assert.equal(two.version.number, 2)
  assert.equal(await workers.currentId(A, 'w'), one.version.id)
  const wish = { author, annotations: { 'workers/message': 'go' } }
  assert.ok(await workers.deploy(await worker(workers), { ...wish, versionId: two.version.id }, none))
  assert.equal(String((await workers.current(A, 'w'))?.modules[0]?.content), 'export default 2')
  assert.ok(await workers.deploy(await worker(workers), { ...wish, versionId: one.version.id }, none))
  const deployments = await workers.deployments(await worker(workers))
  assert.deepEqual(
    deployments.map(({ versionId }) => versionId),
    [one.version.id, two.version.id, one.version.id],
  )
  const other = await made(workers, uploadOf(), { ...first, name: 'other' })
  assert.equal(
    await workers.deploy(await worker(workers), { ...wish, versionId: other.version.id }, none),
    undefined,
  )
})

onBothEngines('inherited and kept bindings, and what cannot be inherited', async (_, { store }) => {
  const workers = await open(store)
  const bindings: Upload['bindings'] = [
    { name: 'S', type: 'secret_text', text: 'hush' },
    { name: 'V', type: 'plain_text', text: 'v' },
    { name: 'Q', type: 'queue', queueName: 'q' },
  ]
  await made(workers, uploadOf({ bindings }))
  const wanted: Upload['bindings'] = [
    { name: 'Q2', type: 'inherit', from: 'Q' },
    { name: 'S2', type: 'inherit', from: 'S' },
  ]
  const next = await made(workers, uploadOf({ bindings: wanted, keep: ['secret_text'] }), later)
  const version = await workers.version(A, next.version.id)
  assert.deepEqual(version?.bindings, [
    { name: 'Q2', type: 'queue', queueName: 'q' },
    { name: 'S2', type: 'secret_text', text: 'hush' },
    { name: 'S', type: 'secret_text', text: 'hush' },
  ])
  const missing: Upload['bindings'] = [{ name: 'V', type: 'inherit', from: 'V' }]
  assert.deepEqual(await workers.upload(uploadOf({ bindings: missing }), later, none), {
    ...{ kind: 'nothing-to-inherit', name: 'V', from: 'V' },
  })
})

onBothEngines('secrets: set, replaced, taken away, and never over another binding', async (_, { store }) => {
  const workers = await open(store)
  await made(workers, uploadOf({ bindings: [{ name: 'V', type: 'plain_text', text: 'v' }] }))
  const change = (changes: [string, string | null][], strict = false, deploy = true) =>
    workers.changeSecrets(
      { accountId: A, name: 'w', changes: new Map(changes), author, strict, deploy },
      none,
    )
  const set = await change([
    ['A', '1'],
    ['B', '2'],
  ])
  assert.ok('version' in set)
  assert.equal(textOf(await workers.current(A, 'w'), 'A'), '1')
  await change([
    ['A', '3'],
    ['B', null],
  ])
  const current = await workers.current(A, 'w')
  assert.deepEqual([textOf(current, 'A'), textOf(current, 'B'), textOf(current, 'V')], ['3', undefined, 'v'])
  assert.equal(current?.modules.length, 1, 'the code is shared')
  assert.deepEqual(await change([['V', 'x']]), { kind: 'name-taken', name: 'V', by: 'plain_text' })
  assert.deepEqual(await change([['B', null]], true), { kind: 'unknown-secret', name: 'B' })
  await made(workers, uploadOf(), later)
  assert.deepEqual(await change([['A', '4']]), { kind: 'latest-not-deployed' })
  const waiting = await change([['A', '4']], false, false)
  assert.ok('version' in waiting)
  assert.equal(textOf(await workers.current(A, 'w'), 'A'), '3', 'what runs stays')
})

onBothEngines(
  'uploads and secrets at the same time: each has its number, none is lost',
  async (_, { store }) => {
    const workers = await open(store)
    await made(workers, uploadOf())
    const names = ['A', 'B', 'C', 'D']
    await Promise.all(
      names.map((name) =>
        workers.changeSecrets(
          { accountId: A, name: 'w', changes: new Map([[name, name]]), author, strict: false, deploy: true },
          none,
        ),
      ),
    )
    const current = await workers.current(A, 'w')
    assert.deepEqual(
      names.map((name) => textOf(current, name)),
      names,
    )
    const versions = await workers.versions(await worker(workers))
    assert.deepEqual(
      versions.map(({ number }) => number),
      [5, 4, 3, 2, 1],
    )
  },
)

onBothEngines('what does not start, or calls nobody, leaves nothing behind', async (_, { store }) => {
  const workers = await open(store, async ({ modules }) =>
    String(modules[0]?.content).includes('throw')
      ? { detail: 'it throws' }
      : { handlers: ['email'], startupMs: 7 },
  )
  assert.deepEqual(await workers.upload(uploadOf({}, 'throw 1'), first, none), {
    ...{ kind: 'does-not-start', detail: 'it throws' },
  })
  const bindings: Upload['bindings'] = [{ name: 'O', type: 'service', service: 'other' }]
  assert.deepEqual(await workers.upload(uploadOf({ bindings }), first, none), {
    ...{ kind: 'unknown-service', name: 'O', service: 'other' },
  })
  assert.deepEqual(await workers.upload(uploadOf(), later, none), { kind: 'unknown-worker' })
  assert.deepEqual(await workers.list(A), [])
  assert.equal(Number((await store.get(countChunks, []))?.count), 0)
  await made(workers, uploadOf(), { ...first, name: 'other' })
  const { version } = await made(workers, uploadOf({ bindings }))
  assert.deepEqual(version.code.handlers, ['email'])
  assert.deepEqual(await workers.references(A, 'other'), ['w'])
})

onBothEngines(
  'a Worker that goes takes everything with it; its name is free, its tag is not',
  async (_, { store }) => {
    const workers = await open(store)
    const { worker: before } = await made(workers, uploadOf())
    await made(workers, uploadOf(), later)
    assert.ok(await workers.remove(await worker(workers), none))
    assert.equal(await workers.current(A, 'w'), undefined)
    assert.equal(Number((await store.get(countChunks, []))?.count), 0)
    assert.equal(await workers.remove(before, none), false)
    const { worker: after } = await made(workers, uploadOf())
    assert.notEqual(after.id, before.id)
    assert.equal(await workers.tagged(A, before.id), undefined)
    assert.equal((await workers.tagged(A, after.id))?.name, 'w')
    assert.equal(await workers.tagged(B, after.id), undefined)
  },
)

onBothEngines('a hundred versions stay, and those of the last ten deployments', async (_, { store }) => {
  const workers = await open(store)
  const { version } = await made(workers, uploadOf({}, 'export default 0'))
  for (let number = 2; number <= 104; number++) await made(workers, uploadOf(), later)
  const numbers = (await workers.versions(await worker(workers))).map(({ number }) => number)
  assert.deepEqual([numbers.length, numbers[0], numbers.at(-2), numbers.at(-1)], [101, 104, 5, 1])
  assert.equal((await workers.current(A, 'w'))?.id, version.id)
  assert.equal(Number((await store.get(countChunks, []))?.count), 101)
})

onBothEngines('where a request goes: routes, custom domains, host names of ours', async (_, { store }) => {
  const workers = await open(store)
  const zones = [
    ['1'.repeat(32), A, 'example.com', 'active'],
    ['2'.repeat(32), B, 'pending.example', 'pending'],
  ]
  await store.commit(zones.map((params) => ({ statement: insertZone, params })))
  await made(workers, uploadOf())
  await made(workers, uploadOf(), { ...first, name: 'other' })
  const scope = { accountId: A, zoneId: '1'.repeat(32) }
  const w = { accountId: A, scriptName: 'w' }
  const other = { accountId: A, scriptName: 'other' }
  const set = await workers.routes.setRoutes(
    { accountId: A, script: 'w' },
    [{ zoneId: scope.zoneId, pattern: '*.example.com/api/*' }],
    none,
  )
  assert.ok(!('kind' in set))
  assert.deepEqual(await workers.at('WWW.example.com.', '/api/x'), w)
  assert.equal(await workers.at('www.example.com', '/'), undefined)
  const taken = await workers.routes.addRoute(
    scope,
    { pattern: '*.example.com/api/*', script: 'other' },
    none,
  )
  assert.deepEqual(taken, { kind: 'place-taken', place: '*.example.com/api/*' })
  await workers.routes.addRoute(scope, { pattern: 'www.example.com/api/none', script: null }, none)
  assert.equal(await workers.at('www.example.com', '/api/none'), undefined, 'past all Workers')
  const wanted = [{ zoneId: scope.zoneId, zoneName: 'example.com', hostname: 'www.example.com' }]
  const domains = (script: string, override: boolean) =>
    workers.domains.setDomains({ accountId: A, script }, { wanted, whole: true, override }, none)
  await domains('other', false)
  assert.deepEqual(await workers.at('www.example.com', '/'), other)
  assert.deepEqual(await workers.at('www.example.com', '/api/x'), w, 'a route comes first')
  assert.deepEqual(await domains('w', false), { kind: 'place-taken', place: 'www.example.com' })
  await domains('w', true)
  assert.deepEqual(await workers.at('www.example.com', '/'), w)

  assert.equal(await workers.at(`w.${A}.workers.test`, '/'), undefined)
  await workers.changeSubdomain(await worker(workers), true, none)
  assert.deepEqual(await workers.at(`w.${A}.workers.test`, '/'), w)
  assert.ok(await workers.chooseSubdomain(A, 'mine', []))
  assert.equal(await workers.chooseSubdomain(B, 'mine', []), false)
  assert.equal(await workers.chooseSubdomain(B, A, []), false)
  assert.deepEqual(await workers.at('w.mine.workers.test', '/'), w)
  assert.equal(await workers.at(`w.${A}.workers.test`, '/'), undefined)
  assert.equal(await workers.at(`x.w.mine.workers.test`, '/'), undefined)
  await workers.changeCrons(await worker(workers), ['*/5 * * * *'], none)
  assert.deepEqual(await workers.scheduled(), [{ ...w, crons: ['*/5 * * * *'] }])
  await workers.remove(await worker(workers), none)
  assert.equal(await workers.at('www.example.com', '/'), undefined)
  assert.deepEqual(await workers.scheduled(), [])
})

test('there are only so many bindings', () => {
  const bindings = Array.from({ length: 257 }, (_, index) => ({
    ...{ name: `V${index}`, type: 'plain_text' as const, text: '' },
  }))
  assert.deepEqual(resolveBindings({ bindings, keep: [] }, []), { kind: 'too-many-bindings', limit: 256 })
  const kept = resolveBindings({ bindings: bindings.slice(0, 1), keep: ['plain_text'] }, bindings.slice(1))
  assert.deepEqual(kept, { kind: 'too-many-bindings', limit: 256 })
})
