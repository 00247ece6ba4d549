/** The first schema. `{blob}` and `{serial}` stand for what the engines spell differently; ids are 32 hex digits,
 *  times milliseconds in UTC, truth 0 or 1, JSON is text that no query looks into. */
export const foundation = `
create table account (
  id text primary key,
  name text not null,
  sending_enabled integer not null,
  created_at bigint not null
);

create table token (
  id text primary key,
  account_id text not null references account (id),
  name text not null,
  hash text not null unique,
  permissions text not null,
  status text not null,
  expires_at bigint,
  created_at bigint not null
);

create table zone (
  id text primary key,
  account_id text not null references account (id),
  name text not null,
  status text not null,
  created_at bigint not null,
  activated_at bigint
);
-- A name is active in one account at a time; pending zones may compete for it.
create unique index zone_active on zone (name) where status = 'active';

create table domain (
  id text primary key,
  zone_id text not null references zone (id),
  account_id text not null references account (id),
  name text not null,
  sending text not null,
  routing text not null,
  preview_enabled integer not null,
  drop_suppressed_recipients integer not null,
  created_at bigint not null,
  modified_at bigint not null,
  unique (zone_id, name)
);
create index domain_name on domain (name);

create table dns_record (
  id text primary key,
  zone_id text not null references zone (id),
  account_id text not null references account (id),
  name text not null,
  type text not null,
  content text not null,
  priority integer,
  ttl integer not null,
  locked integer not null,
  purpose text not null,
  created_at bigint not null
);
create index dns_record_name on dns_record (name, type);
create index dns_record_zone on dns_record (zone_id);

-- Keys of customers' domains, and of the service's own (domain_id null).
create table dkim_key (
  id text primary key,
  domain_id text references domain (id),
  account_id text references account (id),
  domain_name text not null,
  selector text not null,
  public_key text not null,
  private_key text not null,
  created_at bigint not null,
  unique (domain_name, selector)
);

create table destination (
  id text primary key,
  account_id text not null references account (id),
  email text not null,
  email_key text not null,
  verified_at bigint,
  created_at bigint not null,
  modified_at bigint not null,
  unique (account_id, email_key)
);

create table suppression (
  id text primary key,
  account_id text not null references account (id),
  email text not null,
  email_key text not null,
  reason text not null,
  note text,
  read_only integer not null,
  created_at bigint not null,
  expires_at bigint,
  unique (account_id, email_key)
);

create table quota_usage (
  account_id text not null references account (id),
  day integer not null,
  recipients integer not null,
  primary key (account_id, day)
);

create table body (
  id text primary key,
  size bigint not null,
  content {blob},
  location text not null,
  release_at bigint,
  created_at bigint not null
);
create index body_release on body (release_at) where release_at is not null;

create table body_chunk (
  body_id text not null references body (id) on delete cascade,
  seq integer not null,
  content {blob} not null,
  primary key (body_id, seq)
);

create table message (
  id text primary key,
  account_id text not null references account (id),
  domain_id text,
  header_message_id text not null,
  sender text not null,
  return_path_domain text not null,
  subject text not null,
  body_id text not null,
  size bigint not null,
  unsettled integer not null,
  preview_enabled integer not null,
  suppressed_recipients text not null,
  created_at bigint not null
);

create table delivery (
  id text primary key,
  message_id text not null references message (id),
  account_id text not null,
  recipient text not null,
  recipient_domain text not null,
  state text not null,
  attempts integer not null,
  due_at bigint not null,
  expires_at bigint not null,
  claim_node text,
  claim_token text,
  last_reply text,
  last_cause text,
  created_at bigint not null,
  settled_at bigint
);
create index delivery_message on delivery (message_id);
create index delivery_waiting on delivery (account_id, recipient_domain, due_at) where state = 'waiting';
create index delivery_claimed on delivery (claim_node) where state = 'claimed';
create index delivery_unsettled on delivery (expires_at) where state in ('waiting', 'claimed');

-- The scheduled unit: an account's waiting mail for one recipient domain. A row exists while anything waits there.
create table lane (
  account_id text not null,
  recipient_domain text not null,
  due_at bigint not null,
  failures integer not null,
  primary key (account_id, recipient_domain)
);
create index lane_due on lane (due_at);

create table node (
  id text primary key,
  started_at bigint not null,
  heartbeat_at bigint not null
);

create table idempotency (
  account_id text not null,
  key text not null,
  body_hash text not null,
  message_id text not null,
  expires_at bigint not null,
  primary key (account_id, key)
);
create index idempotency_expires on idempotency (expires_at);

-- The outbox: appended in the commit that changes the state it speaks of.
create table event (
  seq {serial},
  id text not null unique,
  at bigint not null,
  account_id text not null,
  domain_id text,
  message_id text,
  delivery_id text,
  type text not null,
  terminal integer not null,
  detail text not null
);
create index event_message on event (message_id);
-- Promise 2: every delivery settles exactly once, each with one terminal event.
create unique index event_terminal on event (delivery_id) where terminal = 1;

-- The development inbox.
create table inbox_message (
  id text primary key,
  body_id text not null,
  received_at bigint not null,
  mail_from text not null,
  rcpt_to text not null,
  message_id text not null,
  summary text not null,
  search_text text not null,
  size bigint not null,
  read integer not null
);
create index inbox_received on inbox_message (received_at);
`
