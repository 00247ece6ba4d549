import type { DatabaseSync } from 'node:sqlite'
import type { Migration } from '#store/migrate.ts'
import { UPPER_LEVELS, WORDS } from './label.ts'

/** The tables of history's own file, on SQLite. PostgreSQL has the same, where the days are partitions
 *  (`store/migrations/0016-history.ts`): so one question is one text on both. */
export const historyFile: readonly Migration[] = [
  {
    version: 1,
    name: 'history',
    sql: `
-- Whose rows, as a number: it stands in the index of every row.
create table history_account (
  id {serial},
  account_id text not null unique
);

-- See label.ts. An event's label knows those above it.
create table history_label (
  id {serial},
  key text not null unique,
  level text not null,
  ${UPPER_LEVELS.map((level) => `${level} integer not null`).join(',\n  ')},
  ${WORDS.map((word) => `${word} ${word.startsWith('is_') ? 'integer' : 'text'} not null`).join(',\n  ')}
);
create index history_label_account on history_label (account_id, level);

-- The rollups: events of a label in an interval of \`span\` ms, and how many of them are the last of their delivery.
create table history_count (
  span integer not null,
  label integer not null,
  start integer not null,
  events integer not null,
  last integer not null,
  primary key (span, label, start)
) without rowid;

-- Days that have tables, as 20261121.
create table history_day (
  day integer primary key
);
`,
  },
]

/** Tables of one day: events as the outbox had them, for timelines, and a row for each of their recipients. A random
 *  index of one day fits in memory, and a day is forgotten by dropping it. Rows know their label's `by_rule`, too: of
 *  these there are few, so that rare words lead to their rows by an index. */
export function dayTables(day: number): string {
  return `
create table history_event_${day} (
  id text primary key,
  seq integer not null,
  at integer not null,
  account_id text not null,
  message_id text,
  delivery_id text,
  type text not null,
  terminal integer not null,
  detail text not null
);
create index history_event_${day}_message on history_event_${day} (message_id, seq) where message_id is not null;

create table history_row_${day} (
  account integer not null,
  at integer not null,
  label integer not null,
  by_rule integer not null,
  is_last integer not null,
  seq integer not null,
  ordinal integer not null,
  event_id text not null,
  delivery_id text not null,
  message text not null,
  mail_from text not null,
  mail_to text not null,
  subject text not null,
  session_id text not null,
  error_detail text not null,
  header_id text not null default ''
);
create index history_row_${day}_at on history_row_${day} (account, at, label, is_last);
${labelIndex(day)}
create index history_row_${day}_message on history_row_${day} (message) where message <> '';
create index history_row_${day}_to on history_row_${day} (lower(mail_to), at);
${headerIndex(day)}
insert into history_day (day) values (${day});
`
}

function labelIndex(day: number): string {
  return `create index history_row_${day}_label on history_row_${day} (account, by_rule, at);`
}

function headerIndex(day: number): string {
  return `create index history_row_${day}_header on history_row_${day} (account, lower(header_id)) where header_id <> '';`
}

/** Columns of a day's rows that earlier Posthorns did not make, and how they are made. */
const ADDED: Readonly<Record<string, (day: number) => string>> = {
  header_id: (day) => `alter table history_row_${day} add column header_id text not null default '';
    ${headerIndex(day)}`,
  by_rule: (day) => `alter table history_row_${day} add column by_rule integer not null default 0;
    update history_row_${day} set by_rule = coalesce((select l.by_rule from history_label l where l.id = label), 0);
    ${labelIndex(day)}`,
}

/** What days that are there already lack, since an earlier Posthorn made them. */
export function mendDays(database: DatabaseSync): void {
  for (const [column, added] of Object.entries(ADDED)) {
    const days = database
      .prepare(
        `select day from history_day where not exists
          (select 1 from pragma_table_info('history_row_' || day) where name = ?)`,
      )
      .all(column)
    for (const row of days) database.exec(`begin immediate; ${added(Number(row['day']))} commit;`)
  }
}

export function dropDay(day: number): string {
  return `
drop table history_row_${day};
drop table history_event_${day};
delete from history_day where day = ${day};
`
}
