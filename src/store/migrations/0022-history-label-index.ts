/** Rows of history know their label's `by_rule` (`analytics/history-tables.ts` says why); on SQLite, history's own writer
 *  sees to that. */
export const historyLabelIndex = {
  sqlite: '',
  postgres: `
alter table history_row add column by_rule bigint;
update history_row r set by_rule = l.by_rule from history_label l where l.id = r.label;
alter table history_row alter column by_rule set not null;
create index history_row_label on history_row (account, by_rule, at);

-- As it was, and with by_rule.
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
  insert into history_row (account, at, label, by_rule, is_last, seq, ordinal, event_id, delivery_id, message, mail_from,
      mail_to, subject, session_id, error_detail, header_id)
    select account, at, label, by_rule, is_last, seq, ordinal, event_id, delivery_id, message, mail_from,
        mail_to, subject, session_id, error_detail, coalesce(header_id, '')
      from jsonb_to_recordset(batch -> 'rows') as new (account bigint, at bigint, label bigint, by_rule bigint,
        is_last integer, seq bigint, ordinal integer, event_id text, delivery_id text, message text, mail_from text,
        mail_to text, subject text, session_id text, error_detail text, header_id text);
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
