import assert from 'node:assert/strict'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import pino from 'pino'
import { administer, openServer } from '#test/postgres-template.ts'
import { openStore, StoreUnavailable } from './open-store.ts'

test('the data folder is made on PostgreSQL too, its owner’s alone: the master key goes there', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'posthorn-test-'))
  const server = await openServer()
  const log = pino({ level: 'silent' })
  const database = 'posthorn_data_folder'
  try {
    await administer(server, `create database ${database}`)
    const url = server.url(database)
    const store = await openStore({ directory: join(folder, 'deep', 'data'), url, log })
    await store.close()
    assert.equal((await stat(join(folder, 'deep', 'data'))).mode & 0o777, 0o700)
    await writeFile(join(folder, 'file'), '')
    await assert.rejects(openStore({ directory: join(folder, 'file', 'data'), url, log }), StoreUnavailable)
  } finally {
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  }
})
