/** People who sign in: their passwords, their sessions, and who is invited to become a member. */
export const signIn = `
-- Argon2id as a PHC string; null: none, so nobody signs in as this user.
alter table service_user add column password text;
-- 1: whoever runs the installation.
alter table service_user add column operator integer not null default 0;

create table session (
  id text primary key,
  user_id text not null references service_user (id),
  -- SHA-256 of the secret in the cookie.
  hash text not null unique,
  created_at bigint not null,
  last_used_at bigint not null,
  expires_at bigint not null,
  address text not null,
  user_agent text not null
);
create index session_of_user on session (user_id, last_used_at, id);
create index session_expires on session (expires_at);
create index session_last_used on session (last_used_at);

create table invitation (
  id text primary key,
  account_id text not null references account (id),
  email text not null,
  email_key text not null,
  role text not null,
  -- SHA-256 of the token in the link.
  hash text not null unique,
  created_at bigint not null,
  expires_at bigint not null,
  unique (account_id, email_key)
);
create index invitation_expires on invitation (expires_at);
`
