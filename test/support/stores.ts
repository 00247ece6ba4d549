import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext, test } from 'node:test'
import { openPostgresStore } from '#store/open-postgres.ts'
import { openSqliteStore } from '#store/open-sqlite.ts'
import type { Store } from '#store/store.ts'
import type { PostgresServer } from './postgres-server.ts'
import { administer, copyTemplate, openServer } from './postgres-template.ts'

/** A store of one test, migrated and empty, which goes away with it. */
export interface OpenStore {
  readonly engine: Store['engine']
  /** The store as it is open now. */
  readonly store: Store
  /** A folder of the test's own: the data folder on SQLite, and for bodies on both. */
  readonly directory: string
  /** The database's URL on PostgreSQL. */
  readonly url: string | undefined
  /** Closes the store, if it is open, and opens it again as a restarted process would. */
  reopen(): Promise<Store>
  close(): Promise<void>
}

/** Registers the test once for each engine. */
export function onBothEngines(name: string, run: (t: TestContext, open: OpenStore) => Promise<void>): void {
  for (const engine of ['sqlite', 'postgres'] as const) {
    test(`${name} (${engine})`, async (t) => {
      await using open = await openTestStore(engine)
      await run(t, open)
    })
  }
}

export async function openTestStore(engine: Store['engine']): Promise<OpenStore & AsyncDisposable> {
  const url = engine === 'postgres' ? await newDatabase() : undefined
  const directory = await mkdtemp(join(tmpdir(), 'posthorn-test-'))
  const openStore = () => (url === undefined ? openSqliteStore({ directory }) : openPostgresStore({ url }))
  let store: Store = await openStore()
  const close = () => store.close()
  return {
    engine,
    directory,
    url,
    get store() {
      return store
    },
    async reopen() {
      await close()
      store = await openStore()
      return store
    },
    close,
    async [Symbol.asyncDispose]() {
      await close()
      await rm(directory, { recursive: true, force: true })
      if (url !== undefined) await dropDatabase(url)
    },
  }
}

let server: Promise<PostgresServer> | undefined
let databases = 0

/** The URL of a migrated, empty database. */
export async function newDatabase(): Promise<string> {
  server ??= openServer()
  const opened = await server
  databases += 1
  // Other processes make theirs at the same server.
  const name = `test_${process.pid}_${databases}`
  await copyTemplate(opened, name)
  return opened.url(name)
}

async function dropDatabase(url: string): Promise<void> {
  const opened = await server
  const name = new URL(url).pathname.slice(1)
  if (opened !== undefined) await administer(opened, `drop database ${name} with (force)`)
}

after(async () => {
  // Where it could not start, each test that wanted it has failed with the reason.
  const started = await server?.catch(() => undefined)
  await started?.stop()
})
