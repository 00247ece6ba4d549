/** History on PostgreSQL: what the projector made of events, by day, and who may project. On SQLite history has a file
 *  of its own (`analytics/history-tables.ts`, which says what the tables mean). Text compares by its octets, as there. */
export const history = {
  sqlite: '',
  postgres: `
-- One node at a time projects; it says so in each of its commits.
create table projector_lease (
  name text primary key,
  node text not null,
  until_at bigint not null
);

create table history_account (
  id {serial},
  account_id text not null unique
);

create table history_label (
  id {serial},
  key text collate "C" not null unique,
  level text not null,
  coarse bigint not null,
  by_rule bigint not null,
  by_origin bigint not null,
  account_id text collate "C" not null,
  zone_id text collate "C" not null,
  dataset text collate "C" not null,
  status text collate "C" not null,
  type text collate "C" not null,
  event_type text collate "C" not null,
  sending_domain text collate "C" not null,
  error_cause text collate "C" not null,
  action text collate "C" not null,
  is_ndr integer not null,
  rule_matched text collate "C" not null,
  arc text collate "C" not null,
  dkim text collate "C" not null,
  dmarc text collate "C" not null,
  spf text collate "C" not null,
  is_spam integer not null
);
create index history_label_account on history_label (account_id, level);

create table history_count (
  span bigint not null,
  label bigint not null,
  start bigint not null,
  events bigint not null,
  last bigint not null,
  primary key (span, label, start) include (events, last)
);

create table history_day (
  day integer primary key
);

create table history_event (
  id text collate "C" not null,
  seq bigint not null,
  at bigint not null,
  account_id text not null,
  message_id text collate "C",
  delivery_id text,
  type text not null,
  terminal integer not null,
  detail text not null,
  primary key (id, at)
) partition by range (at);
create index history_event_message on history_event (message_id, seq) where message_id is not null;

create table history_row (
  account bigint not null,
  at bigint not null,
  label bigint not null,
  is_last integer not null,
  seq bigint not null,
  ordinal integer not null,
  event_id text collate "C" not null,
  delivery_id text collate "C" not null,
  message text collate "C" not null,
  mail_from text collate "C" not null,
  mail_to text collate "C" not null,
  subject text collate "C" not null,
  session_id text collate "C" not null,
  error_detail text collate "C" not null
) partition by range (at);
create index history_row_at on history_row (account, at, label, is_last);
create index history_row_message on history_row (message) where message <> '';
create index history_row_to on history_row (lower(mail_to), at);

create function history_make_day(wanted integer) returns void language plpgsql as $$
declare
  since bigint := (extract(epoch from to_date(wanted::text, 'YYYYMMDD')) * 1000)::bigint;
  kind text;
begin
  insert into history_day (day) values (wanted) on conflict do nothing;
  if not found then return; end if;
  foreach kind in array array['event', 'row'] loop
    execute format('create table history_%1$s_%2$s partition of history_%1$s for values from (%3$s) to (%4$s)',
      kind, wanted, since, since + 86400000);
  end loop;
end $$;

create function history_forget_days(before integer) returns void language plpgsql as $$
declare
  old integer;
begin
  for old in delete from history_day where day < before returning day loop
    execute format('drop table history_row_%1$s, history_event_%1$s', old);
  end loop;
end $$;

-- Takes in what a batch was planned to change (analytics/plan-batch.ts), in one statement: so that the transaction does
-- not wait for who sends it.
create function history_take(batch jsonb) returns void language plpgsql as $$
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
      subject, session_id, error_detail)
    select account, at, label, is_last, seq, ordinal, event_id, delivery_id, message, mail_from, mail_to,
        subject, session_id, error_detail
      from jsonb_to_recordset(batch -> 'rows') as new (account bigint, at bigint, label bigint, is_last integer,
        seq bigint, ordinal integer, event_id text, delivery_id text, message text, mail_from text, mail_to text,
        subject text, session_id text, error_detail text);
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
