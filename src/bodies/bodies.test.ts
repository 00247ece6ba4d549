import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdir, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { newId } from '#store/id.ts'
import { statement } from '#store/store.ts'
import { type OpenStore, onBothEngines, openTestStore } from '#test/stores.ts'
import { type Bodies, openBodies } from './bodies.ts'

const KIB = 1024
const HOUR_MS = 3_600_000
const locations = statement<{ location: string; n: number }>(
  'body.locations',
  'select location, count(*) as n from body group by location order by location',
)
const chunkCount = statement<{ n: number }>('chunk.count', 'select count(*) as n from body_chunk')

async function keepNow(open: OpenStore, bodies: Bodies, content: Uint8Array): Promise<string> {
  const { id, writes } = await bodies.keep(content)
  assert.equal((await open.store.commit(writes)).ok, true)
  return id
}

async function filesOf(open: OpenStore): Promise<string[]> {
  const entries = await readdir(join(open.directory, 'bodies'), { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

onBothEngines('a body comes back as it was kept, whatever its size, after a restart too', async (_, open) => {
  const bodies = openBodies(open)
  const sizes = [0, 1, 6000, 64 * KIB, 64 * KIB + 1, 1024 * KIB, 1024 * KIB + 1, 5 * 1024 * KIB + 17]
  const kept = []
  for (const size of sizes) {
    const content = randomBytes(size)
    kept.push({ content, id: await keepNow(open, bodies, content) })
  }
  await open.reopen()
  const again = openBodies({ store: open.store, directory: open.directory })
  for (const { content, id } of kept)
    assert.ok((await again.read(id))?.equals(content), `${content.length} bytes`)
  const large = open.engine === 'sqlite' ? 'file' : 'chunks'
  assert.deepEqual(
    new Set(await open.store.all(locations, [])),
    new Set([
      { location: 'row', n: 4 },
      { location: large, n: 4 },
    ]),
  )
})

onBothEngines('a body that nobody has is undefined', async (_, open) => {
  assert.equal(await openBodies(open).read(newId()), undefined)
})

onBothEngines('a body whose set was not committed is not there', async (_, open) => {
  const bodies = openBodies(open)
  const { id } = await bodies.keep(randomBytes(100 * KIB))
  assert.equal(await bodies.read(id), undefined)
})

onBothEngines('a released body goes at its time, with its content', async (_, open) => {
  const bodies = openBodies(open)
  const [small, large, later, kept] = [
    await keepNow(open, bodies, randomBytes(100)),
    await keepNow(open, bodies, randomBytes(3 * 1024 * KIB)),
    await keepNow(open, bodies, randomBytes(200 * KIB)),
    await keepNow(open, bodies, randomBytes(200 * KIB)),
  ]
  await open.store.commit([
    bodies.release(small, 1000),
    bodies.release(large, 1000),
    bodies.release(later, 2000),
  ])
  assert.equal(await bodies.sweep(999), 0)
  assert.equal(await bodies.sweep(1000), 2)
  for (const id of [small, large]) assert.equal(await bodies.read(id), undefined)
  for (const id of [later, kept]) assert.ok(await bodies.read(id))
  if (open.engine === 'sqlite') assert.equal((await filesOf(open)).length, 2)
  else assert.equal((await open.store.get(chunkCount, []))?.n, 2)
})

onBothEngines('a sweep takes many released bodies in bounded commits', async (_, open) => {
  const bodies = openBodies(open)
  const ids = await Promise.all(Array.from({ length: 1200 }, () => keepNow(open, bodies, new Uint8Array(1))))
  await open.store.commit(ids.map((id) => bodies.release(id, 5)))
  assert.equal(await bodies.sweep(5), 1200)
  assert.deepEqual(await open.store.all(locations, []), [])
})

test('on SQLite a large body is a file of its owner alone before keep() resolves', async () => {
  await using open = await openTestStore('sqlite')
  const content = randomBytes(100 * KIB)
  const { id } = await openBodies(open).keep(content)
  const path = join(open.directory, 'bodies', id.slice(-2), id)
  const { mode, size } = await stat(path)
  assert.deepEqual([mode & 0o777, size], [0o600, content.length])
  assert.equal((await stat(join(open.directory, 'bodies'))).mode & 0o777, 0o700)
})

test('a row without its file, or with a part of it, is a lost body and says so', async () => {
  await using open = await openTestStore('sqlite')
  const bodies = openBodies(open)
  const id = await keepNow(open, bodies, randomBytes(100 * KIB))
  const path = join(open.directory, 'bodies', id.slice(-2), id)
  await truncate(path, 10)
  await assert.rejects(bodies.read(id), {
    name: 'BodyLost',
    message: /has 10 bytes in its file and should have 102400/,
  })
  await rm(path)
  await assert.rejects(bodies.read(id), {
    name: 'BodyLost',
    message: new RegExp(`${id} has a row and no file`),
  })
})

test('a file that no row names is swept once it is an hour old; one that a row names stays', async () => {
  await using open = await openTestStore('sqlite')
  const bodies = openBodies(open)
  const now = Date.now()
  const orphan = await bodies.keep(randomBytes(100 * KIB))
  const fresh = await bodies.keep(randomBytes(100 * KIB))
  const named = await keepNow(open, bodies, randomBytes(100 * KIB))
  for (const id of [orphan.id, named]) {
    const old = (now - HOUR_MS - 1000) / 1000
    await utimes(join(open.directory, 'bodies', id.slice(-2), id), old, old)
  }
  // One sweep looks at some of the 256 folders; 256 sweeps have looked at each.
  for (let i = 0; i < 256; i++) await bodies.sweep(now)
  const left = (await filesOf(open)).map((path) => path.slice(-32))
  assert.deepEqual(new Set(left), new Set([fresh.id, named]))
})

test('a file that cannot be written is an error, and no body', async () => {
  await using open = await openTestStore('sqlite')
  await writeFile(join(open.directory, 'bodies'), 'no folder')
  await assert.rejects(openBodies(open).keep(randomBytes(100 * KIB)), { code: 'ENOTDIR' })
})
