import pg from 'pg'
import { openPostgresStore } from '#store/open-postgres.ts'
import { type PostgresServer, postgresAt, startPostgres } from './postgres-server.ts'

/** Migrated once; a new database is a copy of it. */
const TEMPLATE = 'posthorn_template'

/** The server that the run of tests shares, or one of this process. */
export async function openServer(): Promise<PostgresServer> {
  const shared = process.env['POSTHORN_TEST_POSTGRES']
  return shared === undefined ? startWithTemplate() : postgresAt(shared)
}

export async function startWithTemplate(): Promise<PostgresServer> {
  const started = await startPostgres()
  await administer(started, `create database ${TEMPLATE}`)
  const store = await openPostgresStore({ url: started.url(TEMPLATE) })
  await store.close()
  return started
}

/** A migrated, empty database. Copied by files, which takes half as long as by pages through the log. */
export async function copyTemplate(server: PostgresServer, name: string): Promise<void> {
  await administer(server, `create database ${name} template ${TEMPLATE} strategy file_copy`)
}

export async function administer(server: PostgresServer, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: server.url('postgres') })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}
