/** What delivery needs besides its queue: how a message wants TLS, what an operator holds or pauses, where mail goes
 *  instead of its MX, policies of other domains, and what came back by mail. */
export const delivery = `
-- How its submitter wants a message protected on the way (RFC 8689): 'policy', 'required' (REQUIRETLS) or 'optional'.
alter table message add column tls text not null default 'policy';

-- An operator's word: mail for a recipient domain, or at an MX host, waits. \`until\` null means until it is resumed.
create table pause (
  id text primary key,
  kind text not null,
  name text not null,
  reason text not null,
  until bigint,
  created_at bigint not null,
  unique (kind, name)
);

-- Where mail goes in place of its MX: for one domain, one account, or (both null) the installation.
create table smarthost (
  id text primary key,
  account_id text references account (id),
  domain_id text references domain (id),
  host text not null,
  port integer not null,
  tls text not null,
  username text,
  password text,
  created_at bigint not null,
  modified_at bigint not null
);
create unique index smarthost_scope on smarthost (coalesce(account_id, ''), coalesce(domain_id, ''));

-- MTA-STS policies of recipient domains (RFC 8461), and that a domain has none.
create table sts_policy (
  domain text primary key,
  policy_id text not null,
  mode text not null,
  mx text not null,
  fetched_at bigint not null,
  expires_at bigint not null
);

-- What came back by mail after a delivery had settled: once for each kind.
create table report (
  delivery_id text not null,
  kind text not null,
  message_id text not null,
  account_id text not null,
  at bigint not null,
  detail text not null,
  primary key (delivery_id, kind)
);

drop index delivery_unsettled;
create index delivery_unsettled on delivery (expires_at) where state in ('waiting', 'claimed', 'held');
create index delivery_held on delivery (account_id, recipient_domain) where state = 'held';
create index delivery_account on delivery (account_id, created_at, id);
`
