/** Who may do what, and who did: policies of tokens, API keys of users, and the audit log. */
export const controlPlane = `
-- 'token', or 'key': a user's one API key, which goes with the user's address.
alter table token add column kind text not null default 'token';
-- JSON; null: the permissions hold wherever the owner is.
alter table token add column policies text;
-- JSON {in, not_in} of address ranges; null: from anywhere.
alter table token add column request_ip text;
alter table token add column not_before bigint;
alter table token add column modified_at bigint;
alter table token add column creator_email text;
create index token_account on token (account_id, kind, created_at, id) where account_id is not null;
create index token_user on token (user_id, kind, created_at, id) where user_id is not null;
create unique index token_api_key on token (user_id) where kind = 'key' and status = 'active';
create index membership_account on membership (account_id, created_at, id);

-- Appended in the commit that makes the change it speaks of, and never changed. No foreign keys: what is written here
-- outlives what it names.
create table audit_log (
  id text primary key,
  account_id text not null,
  at bigint not null,
  action text not null,
  -- 'user', 'token' (an account's own) or 'system'.
  actor_type text not null,
  actor_id text not null,
  actor_token_id text,
  actor_address text not null,
  -- 1: about a user of the account, not the account itself.
  user_level integer not null,
  resource_type text not null,
  resource_id text not null,
  zone_name text,
  before_value text,
  after_value text
);
create index audit_log_account on audit_log (account_id, at, id);
create index audit_log_action on audit_log (account_id, action, at, id);
create index audit_log_actor on audit_log (account_id, actor_id, at, id);
create index audit_log_zone on audit_log (account_id, zone_name, at, id) where zone_name is not null;
`
