/** The engine that scales out: PostgreSQL, any number of nodes. A set is one transaction, sent whole; keyed reads and
 *  scans have connections of their own, which can write nothing and are ended by the server after 5 s. */
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import type { Log } from '#observe/log.ts'
import { type Migration, migratePostgres } from './migrate.ts'
import { migrations } from './migrations/all.ts'
import { PostgresSet, toValue } from './postgres-set.ts'
import { PostgresStatements } from './postgres-statements.ts'
import { readPostgresValue } from './postgres-value.ts'
import { ScanTimeout } from './scan-timeout.ts'
import { checkArity } from './sql-text.ts'
import { StatementFailed } from './statement-failed.ts'
import {
  type CommitResult,
  type OnCommit,
  type Param,
  type Statement,
  type Store,
  StoreFull,
  type Write,
} from './store.ts'

export interface PostgresOptions {
  /** `postgres://user:password@host:port/database`, or with `?host=/folder` over a Unix socket. */
  readonly url: string
  readonly log?: Log | undefined
  readonly onCommit?: OnCommit | undefined
  /** Connections that commit; commits on several of them share an fsync of the server. */
  readonly writers?: number
  readonly readers?: number
  /** For tests. */
  readonly migrations?: readonly Migration[]
  readonly scanLimitMs?: number
}

export interface PostgresStore extends Store {
  readonly engine: 'postgres'
}

const SCAN_LIMIT_MS = 5000
const CONNECT_MS = 10_000
/** A server that does not answer a set by then is taken for gone, and whether it committed is not known. */
const ANSWER_MS = 15_000
const ATTEMPTS = 6

const SQLSTATE = {
  conflict: 'PH001',
  serialization: '40001',
  deadlock: '40P01',
  diskFull: '53100',
  timeout: '57014',
} as const

const DURABLE = `select set_config('synchronous_commit', 'on', false)
  where current_setting('synchronous_commit') = 'off'`

/** Opens the store in an existing database, which is migrated. Throws DatabaseTooNew, or pg's error where the server
 *  cannot be reached. */
export async function openPostgresStore(options: PostgresOptions): Promise<PostgresStore> {
  const client = new pg.Client({ connectionString: options.url, connectionTimeoutMillis: CONNECT_MS })
  await client.connect()
  try {
    await migratePostgres(client, options.migrations ?? migrations)
  } finally {
    await client.end()
  }
  return new OpenPostgres(options)
}

class OpenPostgres implements PostgresStore {
  readonly engine = 'postgres'
  readonly #statements = new PostgresStatements()
  readonly #writers: pg.Pool
  readonly #readers: pg.Pool
  readonly #scanLimitMs: number
  readonly #onCommit: OnCommit | undefined
  readonly #running = new Set<Promise<unknown>>()
  #closed: Promise<void> | undefined

  constructor(options: PostgresOptions) {
    this.#onCommit = options.onCommit
    this.#scanLimitMs = options.scanLimitMs ?? SCAN_LIMIT_MS
    // Promise 1 is this store's to keep, whatever the server's configuration says of asynchronous commits.
    this.#writers = openPool(options, DURABLE, { max: options.writers ?? 10 })
    this.#readers = openPool(
      options,
      `set statement_timeout = ${this.#scanLimitMs}; set default_transaction_read_only = on`,
      { max: options.readers ?? 5, query_timeout: ANSWER_MS },
    )
  }

  commit(set: readonly Write[]): Promise<CommitResult> {
    return this.#run(() => this.#commit(set))
  }

  get<R>(query: Statement<R>, params: readonly Param[]): Promise<R | undefined> {
    return this.#run(async () => (await this.#read(query, params))[0])
  }

  all<R>(query: Statement<R>, params: readonly Param[]): Promise<R[]> {
    return this.#run(() => this.#read(query, params))
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#running)
    await Promise.all([this.#writers.end(), this.#readers.end()])
  }

  /** Runs what `close()` has to wait for: a pool that ends forgets those who still wait for a connection. */
  async #run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed !== undefined) throw new Error('the store is closed')
    const running = work()
    this.#running.add(running)
    try {
      return await running
    } finally {
      this.#running.delete(running)
    }
  }

  async #commit(set: readonly Write[]): Promise<CommitResult> {
    const began = performance.now()
    for (let attempt = 1; ; attempt++) {
      const { rows, error, position } = await this.#send(set)
      if (error === undefined) {
        this.#onCommit?.(performance.now() - began, 1)
        return { ok: true, rows }
      }
      const statement = set[position]?.statement.name ?? 'commit'
      const code = sqlState(error)
      if (code === SQLSTATE.conflict) return { ok: false, conflict: statement }
      if (code === SQLSTATE.diskFull) throw new StoreFull(error.message)
      const clash = code === SQLSTATE.serialization || code === SQLSTATE.deadlock
      if (!clash || attempt === ATTEMPTS) throw failure(statement, error)
      await sleep(Math.random() * 20 * attempt)
    }
  }

  #send(set: readonly Write[]): Promise<Sent> {
    return new Promise((resolve, reject) => {
      const sent = new PostgresSet(set, this.#statements)
      this.#writers.connect((error, client, release) => {
        if (client === undefined) return reject(error ?? new Error('no connection'))
        const tooLate = () => client.connection.stream.destroy(new Error(`no answer within ${ANSWER_MS} ms`))
        const timer = setTimeout(tooLate, ANSWER_MS)
        sent.whenAnswered = (error) => {
          clearTimeout(timer)
          release(error !== undefined && endsConnection(error) ? error : undefined)
          resolve({ rows: sent.rows, error, position: sent.position })
        }
        client.query(sent)
      })
    })
  }

  async #read<R>(query: Statement<R>, params: readonly Param[]): Promise<R[]> {
    const { prepared, text, arity } = this.#statements.plain(query)
    checkArity(query, arity, params.length)
    const values = params.map((param) => toValue(query.name, param))
    try {
      const { rows } = await this.#readers.query({ name: prepared, text, values })
      return rows as R[]
    } catch (error) {
      if (sqlState(error) === SQLSTATE.timeout) throw new ScanTimeout(query.name, this.#scanLimitMs)
      throw error instanceof Error ? failure(query.name, error) : error
    }
  }
}

interface Sent {
  readonly rows: readonly (readonly unknown[])[]
  readonly error: Error | undefined
  /** Of the write that met the error. */
  readonly position: number
}

function openPool({ url, log }: PostgresOptions, setUp: string, limits: pg.PoolConfig): pg.Pool {
  const pool = new pg.Pool({
    ...limits,
    connectionString: url,
    application_name: 'posthorn',
    connectionTimeoutMillis: CONNECT_MS,
    keepAlive: true,
    types: { getTypeParser: (oid: number) => (text: string) => readPostgresValue(oid, text) },
    verify: (client, done) => client.query(setUp, (error) => done(error)),
  })
  // Whoever uses the connection learns of it too; unheard, it would end the process.
  pool.on('connect', (client) => {
    client.on('error', (error) =>
      log?.warn({ code: sqlState(error) }, `store: a connection broke: ${error.message}`),
    )
  })
  pool.on('error', () => {})
  return pool
}

function sqlState(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined
}

/** FATAL and PANIC, and everything that is not an answer of the server. */
function endsConnection(error: Error): boolean {
  return !(error instanceof pg.DatabaseError) || error.severity !== 'ERROR'
}

/** pg's errors carry the row that met them; what goes up from here carries none. */
function failure(statement: string, error: Error): Error {
  return error instanceof pg.DatabaseError ? new StatementFailed(statement, error.message, error.code) : error
}
