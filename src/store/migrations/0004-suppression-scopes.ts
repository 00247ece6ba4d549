/** Suppressions of one sending domain beside those of the whole account, and what the limits and rules about them
 *  count. SQLite cannot change what is unique, so the table is made anew, by way of a copy. */
export const suppressionScopes = `
create table suppression_before as select * from suppression;
drop table suppression;
create table suppression (
  id text primary key,
  account_id text not null references account (id),
  email text not null,
  email_key text not null,
  -- The key's local part with its '@', by which a list searches.
  local_key text not null,
  -- 'account', with an empty value, or 'sending_domain', with its name.
  scope_type text not null,
  scope_value text not null,
  reason text not null,
  note text,
  read_only integer not null,
  created_at bigint not null,
  expires_at bigint,
  unique (account_id, email_key, scope_value)
);
-- No domain has an '@': trimming every other character from the right leaves the local part and its '@'.
insert into suppression
  (id, account_id, email, email_key, local_key, scope_type, scope_value, reason, note, read_only, created_at, expires_at)
  select id, account_id, email, email_key, rtrim(email_key, replace(email_key, '@', '')), 'account', '', reason, note,
    read_only, created_at, expires_at
  from suppression_before;
drop table suppression_before;

-- Each list is read along an index in its own order, wherever it starts.
create index suppression_list on suppression (account_id, scope_type, created_at, id);
create index suppression_local on suppression (account_id, local_key, scope_type, created_at, id);
create index suppression_reason on suppression (account_id, reason, scope_type, created_at, id);
create index suppression_scope on suppression (account_id, scope_value, scope_type, created_at, id);
create index suppression_expires on suppression (expires_at) where expires_at is not null;

-- How much of a limit an account has used in its current period.
create table suppression_allowance (
  account_id text not null,
  kind text not null,
  period bigint not null,
  used integer not null,
  primary key (account_id, kind)
);

-- Complaints that somebody took back, for the audit log.
create table complaint_removal (
  id text primary key,
  account_id text not null,
  token_id text not null,
  suppression_id text not null,
  email text not null,
  change text not null,
  at bigint not null
);
create index complaint_removal_account on complaint_removal (account_id, at);

-- Mailboxes that failed for a while, and again: how often in a row, and until when they rest.
create table soft_bounce_streak (
  account_id text not null,
  email_key text not null,
  step integer not null,
  last_at bigint not null,
  ends_at bigint not null,
  primary key (account_id, email_key)
);
create index soft_bounce_streak_ends on soft_bounce_streak (ends_at);
`
