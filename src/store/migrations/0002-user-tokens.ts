/** Users, the accounts they are members of, and tokens that are a user's instead of an account's. SQLite cannot take a
 *  NOT NULL back, so the table of tokens is made anew, by way of a copy: so its constraints keep their names. */
export const userTokens = `
create table service_user (
  id text primary key,
  email text not null,
  email_key text not null unique,
  created_at bigint not null
);

create table membership (
  id text primary key,
  user_id text not null references service_user (id),
  account_id text not null references account (id),
  role text not null,
  created_at bigint not null,
  unique (user_id, account_id)
);

create table token_before as select * from token;
drop table token;
create table token (
  id text primary key,
  account_id text references account (id),
  user_id text references service_user (id),
  name text not null,
  hash text not null unique,
  permissions text not null,
  status text not null,
  expires_at bigint,
  created_at bigint not null,
  constraint token_owner check ((account_id is null) <> (user_id is null))
);
insert into token (id, account_id, name, hash, permissions, status, expires_at, created_at)
  select id, account_id, name, hash, permissions, status, expires_at, created_at from token_before;
drop table token_before;
`
