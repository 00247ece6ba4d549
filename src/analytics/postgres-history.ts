import { LRUCache } from 'lru-cache'
import pg from 'pg'
import type { Log } from '#observe/log.ts'
import { readPostgresValue } from '#store/postgres-value.ts'
import { ScanTimeout } from '#store/scan-timeout.ts'
import { StatementFailed } from '#store/statement-failed.ts'
import { type Param, type Store, statement, type Write } from '#store/store.ts'
import { countChanges } from './count-changes.ts'
import { dayOf, startOfDay } from './day.ts'
import type { HistoryEngine, Row } from './history-engine.ts'
import { type KeptLabel, type Label, labelAbove, UPPER_LEVELS, WORDS } from './label.ts'
import type { OutboxEvent } from './outbox-event.ts'
import { type BatchPlan, type Head, messagesToLookUp, planBatch } from './plan-batch.ts'
import { HEAD_COLUMNS, readHead, readKeptLabel } from './read-head.ts'

/** History on PostgreSQL: in the main store's database, with connections of its own to read by, whose queries have
 *  shapes without number and so are not prepared. Days are read as tables of their own: a query of all partitions would
 *  lock each of them, and wait for the one that is being made or dropped. */
export function openPostgresHistory(options: {
  readonly store: Store
  readonly url: string
  readonly limitMs: number
  readonly log: Log
  /** So many labels are remembered. */
  readonly mostLabels?: number
}): HistoryEngine {
  const { store, url, limitMs, log, mostLabels = MOST_LABELS } = options
  const pool = new pg.Pool({
    max: 6,
    connectionString: url,
    application_name: 'posthorn-history',
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    options: `-c statement_timeout=${limitMs} -c default_transaction_read_only=on ${FOR_HISTORY}`,
    query_timeout: limitMs + 10_000,
    types: { getTypeParser: (oid: number) => (text: string) => readPostgresValue(oid, text) },
  })
  pool.on('connect', (client) => {
    client.on('error', (error) => log.warn(`history: a connection broke: ${error.message}`))
  })
  pool.on('error', () => {})

  const accounts = new Map<string, number>()
  // What the planner knows of labels decides whether a question is answered; autovacuum would tell it too late.
  let analyzed: { labels: number; madeSince: number } | undefined
  const labels = new LRUCache<string, KeptLabel>({ max: mostLabels })

  async function read(purpose: 'counts' | 'rows', sql: string, params: readonly Param[]): Promise<Row[]> {
    try {
      const { rows } = await pool.query<Row>(sql, [...params])
      return rows
    } catch (error) {
      if (!(error instanceof pg.DatabaseError)) throw error
      if (error.code === QUERY_CANCELED) throw new ScanTimeout(`history.${purpose}`, limitMs)
      // Without a cause: pg's errors carry the values that met them.
      throw new StatementFailed(`history.${purpose}`, error.message, error.code)
    }
  }

  async function known(events: readonly OutboxEvent[]): Promise<Set<string>> {
    const rows = await store.all(knownEvents, [
      JSON.stringify(events.map(({ id }) => id)),
      Math.min(...events.map(({ at }) => at)),
      Math.max(...events.map(({ at }) => at)),
    ])
    return new Set(rows.map(({ id }) => id))
  }

  async function heads(events: readonly OutboxEvent[]): Promise<Head[]> {
    const wanted = [...messagesToLookUp(events)]
    // Nearly all are of today: these few that are not shall not have every message looked up in every day.
    const found: Head[] = []
    for (const [since, some] of Map.groupBy(wanted, ([, at]) => dayOf(Math.max(at, 0)))) {
      const rows = await store.all(headRows, [
        JSON.stringify(some.map(([message]) => message)),
        startOfDay(since),
      ])
      found.push(...rows.map(readHead))
    }
    return found.sort((one, other) => one.seq - other.seq)
  }

  /** Numbers of accounts and labels never change, so they may be made before the batch that needs them. */
  async function findAccounts({ rows }: BatchPlan): Promise<void> {
    const missing = [...new Set(rows.map(({ event }) => event.accountId))].filter((id) => !accounts.has(id))
    if (missing.length === 0) return
    const list = JSON.stringify(missing)
    await store.commit([{ statement: makeAccounts, params: [list] }])
    for (const { id, account_id } of await store.all(accountNumbers, [list])) accounts.set(account_id, id)
  }

  /** Out: those of a batch by their keys. */
  async function findLabels({ rows }: BatchPlan): Promise<KeptLabels> {
    const missing = new Map<string, Label>()
    const found = new Map<string, KeptLabel>()
    for (const { label } of rows) {
      const kept = labels.get(label.key)
      if (kept) found.set(label.key, kept)
      else missing.set(label.key, label)
    }
    if (missing.size === 0) return found
    const above = [...missing.values()].map((label) => UPPER_LEVELS.map((level) => labelAbove(label, level)))
    const uppers = await makeLabels(above.flat().map((label) => ({ label, above: [0, 0, 0] })))
    const numbers = above.map((some) => some.map(({ key }) => labelIn(uppers, key).id))
    const made = await makeLabels(
      [...missing.values()].map((label, i) => ({ label, above: numbers[i] ?? [] })),
    )
    return new Map([...found, ...made])
  }

  async function makeLabels(
    wanted: readonly { readonly label: Label; readonly above: readonly number[] }[],
  ): Promise<KeptLabels> {
    const list = wanted.map(({ label: { key, level, words }, above }) => ({
      ...{ key, level },
      ...Object.fromEntries(UPPER_LEVELS.map((name, i) => [name, above[i]])),
      ...words,
    }))
    await store.commit([{ statement: insertLabels, params: [JSON.stringify(list)] }])
    const keys = JSON.stringify([...new Set(list.map(({ key }) => key))])
    const made = new Map((await store.all(labelNumbers, [keys])).map((row) => [row.key, readKeptLabel(row)]))
    for (const [key, kept] of made) labels.set(key, kept)
    await analyzeAfter(list.length)
    return made
  }

  async function analyzeAfter(newLabels: number): Promise<void> {
    analyzed ??= { labels: (await store.all(analyzedLabels, []))[0]?.labels ?? 0, madeSince: 0 }
    analyzed.madeSince += newLabels
    const { labels, madeSince } = analyzed
    if (madeSince < Math.max(labels * 0.2, LEAST_ANALYZED)) return
    await store.commit([{ statement: analyzeLabels, params: [] }])
    analyzed = { labels: labels + madeSince, madeSince: 0 }
  }

  async function commit(plan: BatchPlan, kept: KeptLabels, guards: readonly Write[]): Promise<boolean> {
    const batch = {
      days: [...new Set(plan.events.map(({ at }) => dayOf(at)))],
      events: plan.events.map((event) => ({
        ...{ id: event.id, seq: event.seq, at: event.at, account_id: event.accountId, type: event.type },
        ...{ message_id: event.messageId, delivery_id: event.deliveryId },
        ...{ terminal: event.terminal ? 1 : 0, detail: event.detailJson },
      })),
      rows: plan.rows.map(({ event, ordinal, label, isLast, ...row }) => ({
        ...{
          account: accounts.get(event.accountId),
          at: event.at,
          label: labelIn(kept, label.key).id,
          by_rule: labelIn(kept, label.key).by_rule,
          is_last: isLast ? 1 : 0,
        },
        ...{ seq: event.seq, ordinal, event_id: event.id, delivery_id: event.deliveryId ?? '' },
        ...{ message: event.messageId ?? '', mail_from: row.from, mail_to: row.to, subject: row.subject },
        ...{ session_id: row.sessionId, error_detail: row.errorDetail, header_id: row.headerMessageId },
      })),
      demoted: [...plan.demoted].map(({ message, at, seq, ordinal }) => ({
        ...{ day: dayOf(at), message, at, seq, ordinal },
      })),
      counts: countChanges(plan, (key) => labelIn(kept, key)),
    }
    const { ok } = await store.commit([...guards, { statement: takeBatch, params: [JSON.stringify(batch)] }])
    return ok
  }

  return {
    kind: 'postgres',
    read,
    async take(events, guards) {
      const plan = planBatch(events, await known(events), await heads(events))
      await findAccounts(plan)
      return commit(plan, await findLabels(plan), guards)
    },
    async forget(before) {
      await store.commit([
        { statement: forgetDays, params: [dayOf(before)] },
        { statement: forgetCounts, params: [before] },
      ])
    },
    async close() {
      await pool.end()
    },
  }
}

/** By their keys. */
type KeptLabels = ReadonlyMap<string, KeptLabel>

function labelIn(labels: KeptLabels, key: string): KeptLabel {
  const kept = labels.get(key)
  if (!kept) throw new Error('a row has no label')
  return kept
}

const QUERY_CANCELED = '57014'
/** What questions of many shapes, over days that lie together, want of the planner. */
const FOR_HISTORY = '-c jit=off -c random_page_cost=1.1 -c work_mem=32MB'
/** Somewhat more than the results of authentication make of a hundred rules. */
const MOST_LABELS = 50_000
const LEAST_ANALYZED = 50

/** PostgreSQL's alone: on SQLite none of them runs. */
function postgresStatement<R = never>(name: string, sql: string) {
  return statement<R>(name, { sqlite: '', postgres: sql })
}

const takeBatch = postgresStatement('history.take', 'select history_take($1::jsonb)')
const forgetDays = postgresStatement('history.forget-days', 'select history_forget_days($1)')
const forgetCounts = postgresStatement('history.forget-counts', 'delete from history_count where start < $1')

const knownEvents = postgresStatement<{ readonly id: string }>(
  'history.known',
  `select id from history_event
    where id in (select jsonb_array_elements_text($1::jsonb)) and at >= $2 and at <= $3`,
)

const headRows = postgresStatement<Row>(
  'history.heads',
  `select ${HEAD_COLUMNS} from history_row r join history_label l on l.id = r.label
    where r.message in (select jsonb_array_elements_text($1::jsonb)) and r.message <> '' and r.at >= $2
      and (r.is_last = 1 or l.type = 'accepted')`,
)

const analyzedLabels = postgresStatement<{ readonly labels: number }>(
  'history.analyzed-labels',
  `select greatest(reltuples, 0)::bigint as labels from pg_class where oid = 'history_label'::regclass`,
)

const analyzeLabels = postgresStatement('history.analyze-labels', 'analyze history_label')

const makeAccounts = postgresStatement(
  'history.make-accounts',
  `insert into history_account (account_id) select jsonb_array_elements_text($1::jsonb)
    on conflict (account_id) do nothing`,
)

const accountNumbers = postgresStatement<{ readonly id: number; readonly account_id: string }>(
  'history.accounts',
  'select id, account_id from history_account where account_id in (select jsonb_array_elements_text($1::jsonb))',
)

const LABEL_COLUMNS = [
  ...['key text', 'level text', ...UPPER_LEVELS.map((level) => `${level} bigint`)],
  ...WORDS.map((word) => `${word} ${word.startsWith('is_') ? 'integer' : 'text'}`),
]
const LABEL_NAMES = ['key', 'level', ...UPPER_LEVELS, ...WORDS].join(', ')

const insertLabels = postgresStatement(
  'history.make-labels',
  `insert into history_label (${LABEL_NAMES})
    select ${LABEL_NAMES} from jsonb_to_recordset($1::jsonb) as new (${LABEL_COLUMNS.join(', ')})
    on conflict (key) do nothing`,
)

const labelNumbers = postgresStatement<Row & { readonly key: string }>(
  'history.labels',
  `select id, key, ${UPPER_LEVELS.join(', ')} from history_label
    where key in (select jsonb_array_elements_text($1::jsonb))`,
)
