/** What history answers, and how fast, beside ingest: `node bench/history.ts`.
 *
 *    node bench/history.ts                                        a million events over 31 days in one zone, on SQLite
 *    node bench/history.ts --events 10000000 --dir /mnt/disk      the bar, which takes half an hour
 *    node bench/history.ts --engine postgres                      the same on a server of its own
 *    node bench/history.ts --keep /mnt/disk/some --only '^page'   fills a folder once and leaves it there; some questions
 *
 *  Traffic of 31 days in one zone (history-traffic.ts), in the order of time, goes into history by the batch; then every
 *  question (history-questions.ts) is asked again and again, first alone, then while events go the whole way: committed
 *  to the outbox, projected, deleted. Times are those of whoever asks; `cpu` is the mean of what reads for him, alone. */
import { mkdirSync, statSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Command, Option } from 'commander'
import pg from 'pg'
import pino from 'pino'
import { type History, openHistory } from '#analytics/history.ts'
import { openProjector } from '#analytics/projector.ts'
import { eventWrite } from '#events/events.ts'
import { newId } from '#store/id.ts'
import { openPostgresStore } from '#store/open-postgres.ts'
import { openSqliteStore } from '#store/open-sqlite.ts'
import type { Store } from '#store/store.ts'
import type { SomeDomain } from '#test/history-world.ts'
import { startPostgres } from '#test/postgres-server.ts'
import { childrenCpuMs } from './history-cpu.ts'
import { type Filled, fill, filledBefore } from './history-fill.ts'
import { type Question, questions } from './history-questions.ts'
import { traffic } from './history-traffic.ts'

interface Flags {
  readonly engine: Store['engine']
  readonly url: string | undefined
  readonly events: number
  readonly dir: string
  readonly keep: string | undefined
  readonly only: string
  readonly rounds: number
  readonly seconds: number
  readonly rate: number
}

const DAYS = 31
/** Of a server that somebody runs in earnest on such a machine; the rest is as it comes. */
const IN_EARNEST = {
  ...{ shared_buffers: '1GB', max_wal_size: '2GB' },
  ...{ fsync: 'on', full_page_writes: 'on', autovacuum: 'on' },
}
/** Events that may wait in the outbox before no more are written. */
const MOST_WAITING = 5000

const program = new Command('history')
  .addOption(new Option('--engine <engine>').choices(['sqlite', 'postgres']).default('sqlite'))
  .option('--url <url>', 'of an empty database, for postgres; without it a server is started')
  .option('--events <n>', 'events to fill history with', Number, 1_000_000)
  .option('--dir <folder>', 'where the data goes', tmpdir())
  .option('--keep <folder>', 'the same, but what an earlier run left there is used, and is left')
  .option('--only <pattern>', 'asks the questions whose names it matches', '')
  .option('--rounds <n>', 'times that each question is asked; 0: fills, and asks nothing', Number, 20)
  .option('--seconds <n>', 'of ingest beside the questions, at least; 0: none', Number, 20)
  .option('--rate <n>', 'events a second of that ingest, at most', Number, 6000)

const flags = program.parse().opts<Flags>()

async function ask(
  history: History,
  { asked: of, cpuMs }: { readonly asked: readonly Question[]; readonly cpuMs: () => number },
  isOver: () => boolean,
): Promise<void> {
  const times = new Map(of.map(({ name }) => [name, { ms: [] as number[], cpu: 0, rows: 0, unanswered: 0 }]))
  for (let round = 0; round < flags.rounds || !isOver(); round++) {
    if (of.length === 0) await sleep(100)
    for (const { name, ask } of of) {
      const [began, cpu] = [performance.now(), cpuMs()]
      const answer = await ask(history)
      const time = times.get(name)
      if (!time) continue
      time.ms.push(performance.now() - began)
      time.cpu += cpuMs() - cpu
      if (answer.kind === 'answer') time.rows = answer.rows.length
      else time.unanswered += 1
    }
  }
  console.log('  p50 ms   p95 ms   cpu ms     rows  question')
  for (const [name, { ms, cpu, rows, unanswered }] of times) {
    const sorted = ms.toSorted((one, other) => one - other)
    const at = (share: number) =>
      (sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0).toFixed(1).padStart(8)
    const given = unanswered > 0 ? `  (${unanswered} of ${ms.length} given up)` : ''
    const mean = (cpu / ms.length).toFixed(0).padStart(8)
    console.log(`${at(0.5)} ${at(0.95)} ${mean} ${String(rows).padStart(8)}  ${name}${given}`)
  }
}

/** Events the whole way, at a steady rate where they go as fast as that. */
async function flow(store: Store, history: History, domains: readonly SomeDomain[]) {
  let written = 0
  let projected = 0
  const stopping = new AbortController()
  const log = pino({ level: 'warn' }, process.stderr)
  const projector = openProjector({
    ...{ store, history, log, node: newId() },
    notificationsFor: async () => [],
    onProjected: (events) => {
      projected += events.length
    },
  })
  const events = traffic(domains, Date.now(), 0.1)
  // On PostgreSQL, once the run before has let go of the lease.
  await store.commit([eventWrite(events.next().value)])
  await projector.caughtUp()
  projected = 0
  const began = performance.now()
  const cpu = process.cpuUsage()
  const writing = (async () => {
    while (!stopping.signal.aborted) {
      const due = ((performance.now() - began) / 1000) * flags.rate
      if (written > due || written - projected > MOST_WAITING) {
        await sleep(2)
        continue
      }
      const sets = Array.from({ length: 100 }, () =>
        Array.from({ length: 5 }, () => eventWrite(events.next().value)),
      )
      await Promise.all(sets.map((set) => store.commit(set)))
      written += 500
    }
  })()
  return {
    async stop() {
      const rate = projected / ((performance.now() - began) / 1000)
      const { user, system } = process.cpuUsage(cpu)
      // Of all threads here: what writes the events, the two that commit them, and what asks and is answered.
      const cpuUs = (user + system) / projected
      stopping.abort()
      await writing
      await projector.caughtUp()
      await projector.close()
      return { rate, cpuUs }
    },
  }
}

/** As autovacuum has done by the time that so much is there. */
async function vacuum(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query('vacuum analyze')
  await client.end()
}

async function postmaster(url: string): Promise<number> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query(`select pg_read_file('postmaster.pid') as text`)
  await client.end()
  return Number.parseInt(rows[0].text, 10)
}

async function sizeOf(directory: string, url: string | undefined): Promise<number> {
  if (url === undefined) return statSync(join(directory, 'history/posthorn.sqlite')).size
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query('select pg_database_size(current_database())::float8 as size')
  await client.end()
  return rows[0].size
}

async function askAll(
  { store, history, readers }: { store: Store; history: History; readers: number },
  filled: Filled,
): Promise<void> {
  const pattern = new RegExp(flags.only)
  const asked = questions(filled).filter(({ name }) => pattern.test(name))
  console.log(`alone (load ${load()}):`)
  await ask(history, { asked, cpuMs: () => childrenCpuMs(readers) }, () => true)
  if (flags.seconds === 0) return
  const until = performance.now() + flags.seconds * 1000
  const flowing = await flow(store, history, filled.domains)
  console.log(`beside ingest (load ${load()}):`)
  await ask(history, { asked, cpuMs: () => 0 }, () => performance.now() > until)
  const { rate, cpuUs } = await flowing.stop()
  console.log(
    `ingest meanwhile: ${Math.round(rate)} events a second, from commit to history, ${Math.round(cpuUs)} µs of this process each (load ${load()})`,
  )
}

function load(): string {
  return loadavg()
    .slice(0, 2)
    .map((one) => one.toFixed(1))
    .join(', ')
}

async function main(): Promise<void> {
  if (flags.keep !== undefined) mkdirSync(flags.keep, { recursive: true })
  const directory = flags.keep ?? (await mkdtemp(join(flags.dir, 'posthorn-history-')))
  const server =
    flags.engine === 'postgres' && flags.url === undefined ? await startPostgres(IN_EARNEST) : undefined
  const url = flags.engine === 'postgres' ? (flags.url ?? server?.url('postgres')) : undefined
  const store = url === undefined ? await openSqliteStore({ directory }) : await openPostgresStore({ url })
  const log = pino({ level: 'warn' }, process.stderr)
  const history = await openHistory({ store, directory, url, log, days: DAYS, now: Date.now })
  try {
    const before = flags.keep === undefined ? undefined : filledBefore(directory)
    const { events } = flags
    const filled = before ?? (await fill({ store, history, directory }, { events, days: DAYS }))
    if (url !== undefined && !before) await vacuum(url)
    const size = await sizeOf(directory, url)
    console.log(`on disk: ${(size / 1e9).toFixed(2)} GB, ${Math.round(size / filled.events)} octets an event`)
    const readers = url === undefined ? process.pid : await postmaster(url)
    if (flags.rounds > 0) await askAll({ store, history, readers }, filled)
  } finally {
    await history.close()
    await store.close()
    await server?.stop()
    if (flags.keep === undefined) await rm(directory, { recursive: true, force: true })
  }
}

await main()
