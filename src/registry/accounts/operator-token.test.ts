import assert from 'node:assert/strict'
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { OperatorTokenUnusable, openOperatorToken } from './operator-token.ts'

async function folder(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'posthorn-operator-'))
  t.after(() => rm(directory, { recursive: true, force: true }))
  return directory
}

test('the token is made once, for its owner alone, and nothing else matches', async (t) => {
  const path = join(await folder(t), 'operator-token')
  const made = await openOperatorToken(path, false)
  assert.equal((await stat(path)).mode & 0o777, 0o600)
  const secret = (await readFile(path, 'utf8')).trim()
  assert.equal(made.matches(secret), true)
  for (const other of ['', 'x', `${secret}x`, secret.slice(1), 'x'.repeat(100_000)])
    assert.equal(made.matches(other), false)
  assert.equal((await openOperatorToken(path, false)).matches(secret), true)
})

test('a file that the operator names must be there, be private, and hold a token', async (t) => {
  const path = join(await folder(t), 'token')
  await assert.rejects(openOperatorToken(path, true), OperatorTokenUnusable)
  await writeFile(path, 'short\n', { mode: 0o600 })
  await assert.rejects(openOperatorToken(path, true), /20 to 512/)
  await writeFile(path, `${'k'.repeat(40)}\n`)
  assert.equal((await openOperatorToken(path, true)).matches('k'.repeat(40)), true)
  await chmod(path, 0o644)
  await assert.rejects(openOperatorToken(path, true), /chmod 600/)
})
