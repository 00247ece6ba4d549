import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import * as fc from 'fast-check'
import type { Content } from '#model/content.ts'
import { memoryShares } from '#smtp/content-buffer.ts'
import { contentBytes, contentChunks, contentHead, contentSize } from './read-content.ts'
import { openSpool, type Shares, type SpooledContent, type SpoolOptions } from './spool.ts'

const root = await mkdtemp(join(tmpdir(), 'posthorn-spool-'))
after(() => rm(root, { recursive: true }))

const MIB = 1024 * 1024

/** Shares that tell how much of them is taken. */
function counted(limit: number, most = limit): Shares & { readonly taken: number } {
  const shares = memoryShares({ limit, most })
  return {
    of: (owner) => shares.of(owner),
    get taken() {
      return limit - memoryShareOf(shares, limit)
    },
  }
}

/** An owner whom nobody else is sees what the whole has left, where that is less than its own share. */
function memoryShareOf(shares: ReturnType<typeof memoryShares>, limit: number): number {
  return Math.min(shares.of('nobody').free, limit)
}

async function openTestSpool(options: Partial<SpoolOptions> = {}) {
  const directory = await mkdtemp(join(root, 'data-'))
  const memory = counted(8 * MIB)
  const disk = counted(64 * MIB)
  const spool = await openSpool({ directory, memory, disk, keepFree: 0, ...options })
  return { spool, memory, disk, folder: join(directory, 'spool'), directory }
}

async function write(content: SpooledContent, bytes: Buffer, piece = 60_000): Promise<void> {
  for (let at = 0; at < bytes.length; at += piece)
    await content.write(Buffer.from(bytes.subarray(at, at + piece)))
}

function patterned(size: number): Buffer {
  return Buffer.from(
    Uint32Array.from({ length: Math.ceil(size / 4) }, (_, i) => i * 2_654_435_761).buffer,
  ).subarray(0, size)
}

async function finished(content: SpooledContent): Promise<Content> {
  const done = await content.finish()
  assert.ok(done !== 'full')
  return done
}

test('small contents stay in memory, larger ones are files that only the owner reads', async () => {
  const { spool, folder, memory, disk } = await openTestSpool()
  for (const size of [0, 1, 16_384, 16_385, 256 * 1024, 256 * 1024 + 1, 3 * MIB + 7]) {
    const bytes = patterned(size)
    const spooled = spool.open('a', size)
    assert.ok(spooled)
    await write(spooled, bytes)
    const content = await finished(spooled)
    assert.equal(content.kind, size > 256 * 1024 ? 'file' : 'memory')
    assert.equal(contentSize(content), size)
    assert.ok(bytes.equals(await contentBytes(content)))
    if (content.kind === 'file') {
      assert.equal((await stat(content.path)).mode & 0o777, 0o600)
      assert.equal(memory.taken, 0, 'a finished file holds no memory')
      assert.equal(disk.taken, size)
    }
    await spooled.release()
    await spooled.release()
    assert.deepEqual([memory.taken, disk.taken], [0, 0])
  }
  assert.deepEqual(await readdir(folder), [])
})

test('whatever the pieces are, what comes out is what went in', async () => {
  const { spool, memory, disk } = await openTestSpool({ memoryBytes: 1000 })
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 12 }), async (pieces) => {
      await using spooled = spool.open('a')
      assert.ok(spooled)
      for (const piece of pieces) {
        const chunk = Buffer.from(piece)
        await spooled.write(chunk)
        // It is the peer's again.
        chunk.fill(0)
      }
      const whole = Buffer.concat(pieces)
      const content = await finished(spooled)
      assert.ok(whole.equals(await contentBytes(content)))
      assert.ok(whole.equals(Buffer.concat(await Array.fromAsync(contentChunks(content)))))
      assert.ok(whole.subarray(0, 1500).equals(await contentHead(content, 1500)))
    }),
    { numRuns: 100 },
  )
  assert.deepEqual([memory.taken, disk.taken], [0, 0])
})

test('where memory is short a content goes to disk early, where there is none it is put off', async () => {
  const memory = counted(40_000)
  const { spool } = await openTestSpool({ memory })
  const [one, two] = [spool.open('a'), spool.open('b')]
  assert.ok(one && two)
  assert.equal(spool.open('c'), undefined)
  const bytes = patterned(50_000)
  await write(one, bytes)
  const content = await finished(one)
  assert.equal(content.kind, 'file')
  assert.ok(bytes.equals(await contentBytes(content)))
  assert.ok(spool.open('c'), 'a file leaves its memory to others')
})

test('an owner that has its share of the disk leaves the rest to others', async () => {
  const { spool, folder } = await openTestSpool({ disk: counted(4 * MIB, MIB) })
  assert.equal(spool.open('a', 2 * MIB), undefined, 'declared: not even begun')
  const large = spool.open('a')
  const other = spool.open('b')
  assert.ok(large && other)
  await write(large, patterned(2 * MIB))
  assert.equal(await large.finish(), 'full')
  assert.deepEqual(await readdir(folder), [], 'removed at once, before it is released')
  await write(other, patterned(MIB))
  assert.equal((await finished(other)).kind, 'file')
  await large.release()
  await other.release()
})

test('the file system keeps what the database needs', async () => {
  let free = 10 * MIB
  const { spool, disk } = await openTestSpool({ keepFree: 8 * MIB, freeBytes: async () => free })
  await using fits = spool.open('a')
  await using late = spool.open('a')
  assert.ok(fits && late)
  await write(fits, patterned(MIB))
  await write(late, patterned(MIB))
  assert.equal((await finished(fits)).kind, 'file')
  free = 8 * MIB
  await write(late, patterned(MIB))
  assert.equal(await late.finish(), 'full')
  assert.equal(disk.taken, MIB)
})

test('a content that is let go in the middle of a write leaves nothing', async () => {
  const { spool, folder, memory, disk } = await openTestSpool()
  const spooled = spool.open('a')
  assert.ok(spooled)
  const writing = write(spooled, patterned(MIB), MIB)
  await spooled.release()
  await writing
  await spooled.write(patterned(MIB))
  assert.equal(await spooled.finish(), 'full')
  assert.deepEqual(await readdir(folder), [])
  assert.deepEqual([memory.taken, disk.taken], [0, 0])
})

test('a broken disk is told to who writes, and the content can be let go', async () => {
  const { spool, folder, memory, disk } = await openTestSpool()
  const spooled = spool.open('a')
  assert.ok(spooled)
  await rm(folder, { recursive: true })
  await assert.rejects(async () => spooled.write(patterned(MIB)), { code: 'ENOENT' })
  await spooled.release()
  assert.deepEqual([memory.taken, disk.taken], [0, 0])
})

test('what a killed process left is gone when the spool is opened', async () => {
  const { directory, folder } = await openTestSpool()
  await writeFile(join(folder, 'left'), 'behind')
  await openSpool({ directory, memory: counted(MIB), disk: counted(MIB) })
  await assert.rejects(readFile(join(folder, 'left')), { code: 'ENOENT' })
})
