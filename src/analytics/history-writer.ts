import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { LRUCache } from 'lru-cache'
import type { Param } from '#store/store.ts'
import { countChanges } from './count-changes.ts'
import { dayOf } from './day.ts'
import { dayTables, dropDay } from './history-tables.ts'
import { type KeptLabel, type Label, labelAbove, UPPER_LEVELS, WORDS } from './label.ts'
import type { OutboxEvent } from './outbox-event.ts'
import { type BatchPlan, type Head, messagesToLookUp, type NewRow, planBatch } from './plan-batch.ts'
import { HEAD_COLUMNS, readHead, readKeptLabel } from './read-head.ts'

/** Writes history on SQLite, a batch in one transaction. */
export class HistoryWriter {
  readonly #database: DatabaseSync
  /** What is known of the tables, until a transaction fails. */
  readonly #accounts = new Map<string, number>()
  readonly #labels = new LRUCache<string, KeptLabel>({ max: MOST_LABELS })
  readonly #days = new Set<number>()
  /** By their SQL: some for each day that is written to. */
  readonly #prepared = new Map<string, StatementSync>()

  constructor(database: DatabaseSync) {
    this.#database = database
    this.#readDays()
  }

  take(events: readonly OutboxEvent[]): void {
    this.#inTransaction(() => {
      const plan = planBatch(events, this.#known(events), this.#heads(events))
      this.#insert(plan)
      for (const { at, message, seq, ordinal } of plan.demoted) {
        const demote = `update history_row_${dayOf(at)} set is_last = 0 where message = ? and message <> '' and seq = ? and ordinal = ?`
        this.#run(demote, [message, seq, ordinal])
      }
      for (const change of countChanges(plan, (key) => this.#kept(key))) {
        const { span, label, start, events, last } = change
        this.#run(COUNT, [span, label, start, events, last])
      }
    })
  }

  /** Forgets the oldest day that is before one. Answers whether there may be another. */
  forgetOne(before: number): boolean {
    const day = [...this.#days].filter((day) => day < before).sort((one, other) => one - other)[0]
    if (day === undefined) return false
    // A table that a statement was prepared for can be dropped, but the statement is of no more use.
    this.#prepared.clear()
    this.#inTransaction(() => {
      this.#database.exec(dropDay(day))
      this.#days.delete(day)
    })
    return true
  }

  /** Forgets the counts of what happened before a time. */
  forgetCounts(before: number): void {
    this.#inTransaction(() => this.#run('delete from history_count where start < ?', [before]))
  }

  #known(events: readonly OutboxEvent[]): Set<string> {
    const known = new Set<string>()
    for (const [day, some] of Map.groupBy(events, ({ at }) => dayOf(at))) {
      if (!this.#days.has(day)) continue
      const sql = `select id from history_event_${day} where id in (select value from json_each(?))`
      for (const { id } of this.#all(sql, [JSON.stringify(some.map(({ id }) => id))])) known.add(String(id))
    }
    return known
  }

  #heads(events: readonly OutboxEvent[]): Head[] {
    const heads: Head[] = []
    const wanted = [...messagesToLookUp(events)]
    for (const day of this.#days) {
      const messages = wanted
        .filter(([, since]) => dayOf(Math.max(since, 0)) <= day)
        .map(([message]) => message)
      if (messages.length === 0) continue
      // SQLite would read the day by its labels, of which there are fewer.
      const rows = this.#all(
        `select ${HEAD_COLUMNS} from json_each(?) m cross join history_row_${day} r cross join history_label l
          where r.message = m.value and r.message <> '' and l.id = r.label
            and (r.is_last = 1 or l.type = 'accepted')`,
        [JSON.stringify(messages)],
      )
      heads.push(...rows.map(readHead))
    }
    return heads.sort((one, other) => one.seq - other.seq)
  }

  #insert({ events, rows }: BatchPlan): void {
    for (const event of events) {
      const day = this.#dayOf(event.at)
      this.#run(
        `insert into history_event_${day} (id, seq, at, account_id, message_id, delivery_id, type, terminal, detail)
          values (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        [
          ...[event.id, event.seq, event.at, event.accountId, event.messageId, event.deliveryId, event.type],
          ...[event.terminal ? 1 : 0, event.detailJson],
        ],
      )
    }
    for (const row of rows) this.#insertRow(row)
  }

  #insertRow({ event, ordinal, label, isLast, ...row }: NewRow): void {
    const kept = this.#label(label)
    this.#run(
      `insert into history_row_${this.#dayOf(event.at)} (account, at, label, by_rule, is_last, seq, ordinal, event_id,
          delivery_id, message, mail_from, mail_to, subject, session_id, error_detail, header_id)
        values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      [
        ...[
          this.#account(event.accountId),
          event.at,
          kept.id,
          kept.by_rule,
          isLast ? 1 : 0,
          event.seq,
          ordinal,
        ],
        ...[event.id, event.deliveryId ?? '', event.messageId ?? '', row.from, row.to, row.subject],
        ...[row.sessionId, row.errorDetail, row.headerMessageId],
      ],
    )
  }

  #dayOf(at: number): number {
    const day = dayOf(at)
    if (!this.#days.has(day)) {
      this.#database.exec(dayTables(day))
      this.#days.add(day)
    }
    return day
  }

  #account(accountId: string): number {
    let id = this.#accounts.get(accountId)
    if (id === undefined) {
      const found = this.#all('select id from history_account where account_id = ?', [accountId])[0]
      id = Number(
        found?.['id'] ?? this.#run('insert into history_account (account_id) values (?)', [accountId]),
      )
      this.#accounts.set(accountId, id)
    }
    return id
  }

  #label(label: Label): KeptLabel {
    const kept = this.#findLabel(label.key)
    if (kept) return kept
    const above = UPPER_LEVELS.map((level) => {
      const upper = labelAbove(label, level)
      return (this.#findLabel(upper.key) ?? this.#insertLabel(upper, NONE_ABOVE)).id
    })
    return this.#insertLabel(label, above)
  }

  #findLabel(key: string): KeptLabel | undefined {
    const known = this.#labels.get(key)
    if (known) return known
    const row = this.#all(`select id, ${UPPER_LEVELS.join(', ')} from history_label where key = ?`, [key])[0]
    if (!row) return undefined
    const kept = readKeptLabel(row)
    this.#labels.set(key, kept)
    return kept
  }

  #insertLabel({ key, level, words }: Label, above: readonly number[]): KeptLabel {
    const id = this.#run(INSERT_LABEL, [key, level, ...above, ...WORDS.map((word) => words[word])])
    const kept = readKeptLabel({ id, ...Object.fromEntries(UPPER_LEVELS.map((name, i) => [name, above[i]])) })
    this.#labels.set(key, kept)
    return kept
  }

  /** Of a row that was inserted in this transaction. */
  #kept(key: string): KeptLabel {
    const kept = this.#labels.get(key)
    if (!kept) throw new Error('a row has no label')
    return kept
  }

  #inTransaction(work: () => void): void {
    this.#database.exec('begin immediate')
    try {
      work()
      this.#database.exec('commit')
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('rollback')
      for (const known of [this.#accounts, this.#labels, this.#days]) known.clear()
      this.#readDays()
      throw error
    }
  }

  #readDays(): void {
    for (const { day } of this.#all('select day from history_day', [])) this.#days.add(Number(day))
  }

  /** Out: the number of the row that it inserted, if it did. */
  #run(sql: string, params: readonly Param[]): number {
    return Number(this.#prepare(sql).run(...params).lastInsertRowid)
  }

  #all(sql: string, params: readonly Param[]): Record<string, unknown>[] {
    return this.#prepare(sql).all(...params)
  }

  #prepare(sql: string): StatementSync {
    const known = this.#prepared.get(sql)
    if (known) return known
    if (this.#prepared.size >= MOST_PREPARED) this.#prepared.clear()
    const statement = this.#database.prepare(sql)
    this.#prepared.set(sql, statement)
    return statement
  }
}

const MOST_PREPARED = 512
/** Far more than a batch has. */
const MOST_LABELS = 50_000

const COUNT = `insert into history_count (span, label, start, events, last) values (?, ?, ?, ?, ?)
  on conflict (span, label, start) do update set events = events + excluded.events, last = last + excluded.last`

const NONE_ABOVE = UPPER_LEVELS.map(() => 0)

const INSERT_LABEL = `insert into history_label (key, level, ${[...UPPER_LEVELS, ...WORDS].join(', ')})
  values (?, ?, ${[...UPPER_LEVELS, ...WORDS].map(() => '?').join(', ')})`
