import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { installationSmarthost, SmarthostUnusable } from './installation-smarthost.ts'

const RELAY = { host: 'relay', port: 25, tls: 'none' } as const

test('a login has its password from the URL or from a file', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'posthorn-test-'))
  t.after(() => rm(folder, { recursive: true }))
  const file = join(folder, 'password')
  assert.deepEqual(await installationSmarthost(RELAY, undefined), RELAY)
  const inUrl = await installationSmarthost({ ...RELAY, username: 'us', password: 'x' }, undefined)
  assert.deepEqual(inUrl, { ...RELAY, login: { username: 'us', password: 'x' } })
  for (const content of ['s\u00e9cret ', 's\u00e9cret \n', 's\u00e9cret \r\n']) {
    await writeFile(file, content)
    const { login } = await installationSmarthost({ ...RELAY, username: 'us' }, file)
    assert.deepEqual(login, { username: 'us', password: 's\u00e9cret ' })
  }
  for (const content of ['', '\n', 'two\nlines\n', 'a\0b']) {
    await writeFile(file, content)
    await assert.rejects(installationSmarthost({ ...RELAY, username: 'us' }, file), SmarthostUnusable)
  }
  await assert.rejects(
    installationSmarthost({ ...RELAY, username: 'us' }, join(folder, 'none')),
    (error: unknown) => error instanceof SmarthostUnusable && /ENOENT/.test(error.message),
  )
})
