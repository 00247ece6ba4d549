import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { chmod, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { ensureMasterKey, readMasterKey } from './master-key.ts'

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'posthorn-key-'))
  t.after(() => rm(folder, { recursive: true }))
  return folder
}

test('a key file holds 32 bytes, raw or as base64', async (t) => {
  const path = join(await temporaryFolder(t), 'key')
  const key = randomBytes(32)
  for (const content of [key, key.toString('base64'), `${key.toString('base64')}\n`]) {
    await writeFile(path, content, { mode: 0o600 })
    assert.deepEqual(await readMasterKey(path), key)
  }
})

test('anything else is refused, saying what to do', async (t) => {
  const path = join(await temporaryFolder(t), 'key')
  for (const content of [
    '',
    'short',
    randomBytes(31),
    randomBytes(33),
    randomBytes(16).toString('base64'),
    'x'.repeat(44),
  ]) {
    await writeFile(path, content, { mode: 0o600 })
    await assert.rejects(readMasterKey(path), {
      name: 'MasterKeyUnusable',
      message: /openssl rand -base64 32/,
    })
  }
})

test('a key file that others may read is refused, naming the remedy', async (t) => {
  const path = join(await temporaryFolder(t), 'key')
  await writeFile(path, randomBytes(32))
  for (const mode of [0o640, 0o604, 0o660, 0o644, 0o610]) {
    await chmod(path, mode)
    await assert.rejects(readMasterKey(path), {
      name: 'MasterKeyUnusable',
      message: new RegExp(`chmod 600 ${path}`),
    })
  }
  for (const mode of [0o600, 0o400]) {
    await chmod(path, mode)
    assert.equal((await readMasterKey(path)).length, 32)
  }
})

test('a missing key file is an error, and is not made', async (t) => {
  const folder = await temporaryFolder(t)
  await assert.rejects(readMasterKey(join(folder, 'key')), {
    name: 'MasterKeyMissing',
    message: /put it back/,
  })
  assert.deepEqual(await readdir(folder), [])
})

test('a development instance makes its key once, for its owner alone, though many start at once', async (t) => {
  const folder = await temporaryFolder(t)
  const path = join(folder, 'key')
  const keys = await Promise.all(Array.from({ length: 8 }, () => ensureMasterKey(path)))
  assert.equal(new Set(keys.map((key) => key.toString('hex'))).size, 1)
  assert.deepEqual(await ensureMasterKey(path), keys[0])
  assert.equal((await stat(path)).mode & 0o777, 0o600)
  assert.deepEqual(await readdir(folder), ['key'])
})

test('a development instance keeps to a key it cannot use', async (t) => {
  const path = join(await temporaryFolder(t), 'key')
  await writeFile(path, 'broken', { mode: 0o600 })
  await assert.rejects(ensureMasterKey(path), { name: 'MasterKeyUnusable' })
})
