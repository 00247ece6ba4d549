/** Mail that came in is found by the Message-ID of its header, on PostgreSQL; on SQLite `analytics/history-tables.ts` has
 *  the same. */
export const historyHeaderIds = {
  sqlite: '',
  postgres: `
alter table history_row add column header_id text collate "C" not null default '';
create index history_row_header on history_row (account, lower(header_id)) where header_id <> '';

create or replace function history_take(batch jsonb) returns void language plpgsql as $$
declare
  wanted integer;
begin
  for wanted in select value::integer from jsonb_array_elements_text(batch -> 'days') loop
    perform history_make_day(wanted);
  end loop;
  insert into history_event (id, seq, at, account_id, message_id, delivery_id, type, terminal, detail)
    select id, seq, at, account_id, message_id, delivery_id, type, terminal, detail
      from jsonb_to_recordset(batch -> 'events') as new (id text, seq bigint, at bigint, account_id text,
        message_id text, delivery_id text, type text, terminal integer, detail text);
  insert into history_row (account, at, label, is_last, seq, ordinal, event_id, delivery_id, message, mail_from, mail_to,
      subject, session_id, error_detail, header_id)
    select account, at, label, is_last, seq, ordinal, event_id, delivery_id, message, mail_from, mail_to,
        subject, session_id, error_detail, coalesce(header_id, '')
      from jsonb_to_recordset(batch -> 'rows') as new (account bigint, at bigint, label bigint, is_last integer,
        seq bigint, ordinal integer, event_id text, delivery_id text, message text, mail_from text, mail_to text,
        subject text, session_id text, error_detail text, header_id text);
  for wanted in select distinct day from jsonb_to_recordset(batch -> 'demoted') as old (day integer) loop
    execute format('update history_row_%s r set is_last = 0
      from jsonb_to_recordset($1) as old (day integer, message text, at bigint, seq bigint, ordinal integer)
      where old.day = $2 and r.message = old.message and r.message <> '''' and r.at = old.at and r.seq = old.seq
        and r.ordinal = old.ordinal', wanted)
      using batch -> 'demoted', wanted;
  end loop;
  insert into history_count as kept (span, label, start, events, last)
    select span, label, start, events, last
      from jsonb_to_recordset(batch -> 'counts') as new (span bigint, label bigint, start bigint, events bigint,
        last bigint)
    on conflict (span, label, start)
      do update set events = kept.events + excluded.events, last = kept.last + excluded.last;
end $$;
`,
} as const
