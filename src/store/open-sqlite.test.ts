import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { newId } from './id.ts'
import { openSqliteStore, type SqliteOptions } from './open-sqlite.ts'
import { DataFolderInUse } from './owner-lock.ts'
import { StoreFull, statement, type Write } from './store.ts'

const insertAccount = statement(
  'account.insert',
  'insert into account (id, name, sending_enabled, created_at) values ($1, $2, 1, 1)',
)
const insertBody = statement(
  'body.insert',
  `insert into body (id, size, content, location, created_at) values ($1, 0, $2, 'row', 1)`,
)
const deleteBodies = statement('body.delete', 'delete from body')
const countBodies = statement<{ n: number }>('body.count', 'select count(*) as n from body')
const endless = statement(
  'endless',
  'with recursive c (n) as (select 1 union all select n + 1 from c where n < 1e12) select count(*) as n from c',
)

const account = (id: string): Write => ({ statement: insertAccount, params: [id, 'x'], rows: 1 })
const body = (bytes: number): Write => ({
  statement: insertBody,
  params: [newId(), new Uint8Array(bytes)],
  rows: 1,
})

async function openHere(t: TestContext, options: Partial<SqliteOptions> = {}) {
  const directory = options.directory ?? join(temporaryFolder(t), 'data')
  const store = await openSqliteStore({ directory, ...options })
  t.after(() => store.close())
  return { store, directory }
}

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-sqlite-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

test('the data folder and all in it belong to their owner alone', async (t) => {
  const { store, directory } = await openHere(t)
  await store.commit([account(newId())])
  assert.equal(statSync(directory).mode & 0o777, 0o700)
  for (const name of ['posthorn.sqlite', 'posthorn.sqlite-wal', 'posthorn.sqlite-shm', 'owner.lock']) {
    assert.equal(statSync(join(directory, name)).mode & 0o777, 0o600, name)
  }
})

test('a folder that was open to others is closed to them', async (t) => {
  const directory = join(temporaryFolder(t), 'data')
  mkdirSync(directory, { mode: 0o755 })
  await openHere(t, { directory })
  assert.equal(statSync(directory).mode & 0o777, 0o700)
})

test('the database is WAL with incremental vacuum, and leaves no log behind when it is closed', async (t) => {
  const { store, directory } = await openHere(t)
  await store.commit([account(newId())])
  const pragma = (name: string) => store.get<Record<string, unknown>>(statement(name, `pragma ${name}`), [])
  assert.deepEqual(await pragma('journal_mode'), { journal_mode: 'wal' })
  assert.deepEqual(await pragma('auto_vacuum'), { auto_vacuum: 2 })
  await store.close()
  assert.throws(() => statSync(join(directory, 'posthorn.sqlite-wal')), { code: 'ENOENT' })
})

test('a folder has one owner: a second store is refused and says which folder, until the first is closed', async (t) => {
  const { store, directory } = await openHere(t)
  await assert.rejects(openSqliteStore({ directory }), (error) => {
    assert.ok(error instanceof DataFolderInUse)
    assert.ok(error.message.includes(directory))
    return true
  })
  await store.commit([account(newId())])
  await store.close()
  const again = await openSqliteStore({ directory })
  await again.close()
})

test('a second process is refused, and one that was killed holds nothing', async (t) => {
  const directory = join(temporaryFolder(t), 'data')
  const child = runStore(directory, `process.stdout.write('open'); setInterval(() => {}, 1000)`)
  await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])
  await assert.rejects(openSqliteStore({ directory }), DataFolderInUse)
  child.kill('SIGKILL')
  await once(child, 'exit')
  await openHere(t, { directory })
})

test('a full disk refuses the batch, and the store recovers when there is room again', async (t) => {
  const { store } = await openHere(t, { maxPages: 300 })
  const results = await Promise.allSettled(Array.from({ length: 20 }, () => store.commit([body(100_000)])))
  for (const result of results) {
    assert.ok(result.status === 'rejected' && result.reason instanceof StoreFull, 'one batch, one fate')
  }
  assert.equal((await store.get(countBodies, []))?.n, 0)

  for (let fits = true; fits; ) {
    const [result] = await Promise.allSettled([store.commit([body(20_000)])])
    fits = result.status === 'fulfilled'
  }
  const before = (await store.get(countBodies, []))?.n ?? 0
  await assert.rejects(store.commit([account(newId()), body(100_000)]), StoreFull)
  assert.equal((await store.get(countBodies, []))?.n, before)
  assert.equal((await store.commit([{ statement: deleteBodies, params: [], rows: before }])).ok, true)
  assert.equal((await store.commit([body(100_000)])).ok, true)
})

test('a scan that takes too long is ended, and the next one has a new reader', async (t) => {
  const { store } = await openHere(t, { scanLimitMs: 1000 })
  const scans = await Promise.allSettled([
    store.all(endless, []),
    store.all(endless, []),
    store.all(endless, []),
  ])
  for (const scan of scans) assert.ok(scan.status === 'rejected' && scan.reason.name === 'ScanTimeout')
  assert.deepEqual(await store.all(countBodies, []), [{ n: 0 }])
})

test('a scan and a commit do not wait for a scan that takes long', async (t) => {
  const { store } = await openHere(t, { scanLimitMs: 60_000 })
  const long = assert.rejects(store.all(endless, []), /closed/)
  assert.deepEqual(await store.all(countBodies, []), [{ n: 0 }])
  assert.equal((await store.commit([body(10)])).ok, true)
  assert.deepEqual(await store.all(countBodies, []), [{ n: 1 }])
  await store.close()
  await long
})

test('readers can write nothing', async (t) => {
  const { store } = await openHere(t)
  const write = statement('sneaky', `insert into account values ('x', 'x', 1, 1) returning id`)
  await assert.rejects(store.get(write, []), /readonly/)
  await assert.rejects(store.all(write, []), /readonly/)
})

test('the log is copied into the database while it is written, and does not grow without end', async (t) => {
  const { store, directory } = await openHere(t)
  for (let i = 0; i < 40; i++)
    await Promise.all(Array.from({ length: 20 }, () => store.commit([body(60_000)])))
  assert.ok(statSync(join(directory, 'posthorn.sqlite-wal')).size < 24 * 1024 * 1024)
})

test('a damaged database acknowledges nothing and is reported once', async (t) => {
  const directory = join(temporaryFolder(t), 'data')
  const store = await openSqliteStore({ directory })
  for (let i = 0; i < 20; i++) await store.commit(Array.from({ length: 50 }, () => account(newId())))
  await store.close()
  overwriteTables(join(directory, 'posthorn.sqlite'))

  const reports: string[] = []
  const damaged = await openSqliteStore({ directory, onFatal: (message) => reports.push(message) })
  t.after(() => damaged.close())
  const results = await Promise.allSettled(
    Array.from({ length: 3 }, () => damaged.commit([account(newId())])),
  )
  assert.ok(results.every(({ status }) => status === 'rejected'))
  await assert.rejects(damaged.commit([account(newId())]))
  assert.equal(reports.length, 1)
  assert.match(reports[0] ?? '', /malformed/)
})

test('an I/O error of a commit ends the process with code 70 and one line, and what it acknowledged is there', async (t) => {
  const directory = join(temporaryFolder(t), 'data')
  // A file-size limit makes write(2) fail with EFBIG, which SQLite takes for an I/O error, not for a full disk.
  const child = runStore(
    directory,
    `const put = statement('put', "insert into body (id, size, content, location, created_at) values ($1, 0, $2, 'row', 1)")
     for (let i = 0; ; i++) {
       await store.commit([{ statement: put, params: [String(i), new Uint8Array(50_000)], rows: 1 }])
       process.stdout.write(i + '\\n')
     }`,
    { fileBlocks: 4000 },
  )
  let acknowledged = ''
  let complaint = ''
  child.stdout.on('data', (chunk: Buffer) => {
    acknowledged += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    complaint += chunk.toString()
  })
  const [code] = await once(child, 'close')
  assert.equal(code, 70, complaint)
  assert.match(complaint, /^posthorn: the database in .* failed: .*\n$/)
  const { store } = await openHere(t, { directory })
  assert.ok(((await store.get(countBodies, []))?.n ?? 0) >= acknowledged.trimEnd().split('\n').length)
})

/** Gives the first page of the account table and of its index a type that does not exist. */
function overwriteTables(path: string): void {
  const database = new DatabaseSync(path)
  const roots = database.prepare(`select rootpage from sqlite_schema where tbl_name = 'account'`).all()
  database.close()
  const file = openSync(path, 'r+')
  for (const { rootpage } of roots)
    writeSync(file, Buffer.alloc(4096, 0xee), 0, 4096, (Number(rootpage) - 1) * 4096)
  closeSync(file)
}

/** A process that opens the store and runs some lines with it. */
function runStore(directory: string, lines: string, { fileBlocks }: { fileBlocks?: number } = {}) {
  const script = `
    import { openSqliteStore } from ${JSON.stringify(import.meta.resolve('./open-sqlite.ts'))}
    import { statement } from ${JSON.stringify(import.meta.resolve('./store.ts'))}
    const store = await openSqliteStore({ directory: ${JSON.stringify(directory)} })
    ${lines}`
  const limit = fileBlocks === undefined ? '' : `trap '' XFSZ; ulimit -f ${fileBlocks};`
  return spawn(
    '/bin/sh',
    ['-c', `${limit} exec "$0" --input-type=module -e "$1"`, process.execPath, script],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
}
