/** What Workers keep: KV, Queues, Analytics Engine. */
export const workersStorage = `
create table kv_namespace (
  id text primary key,
  account_id text not null references account (id),
  title text not null,
  created_at bigint not null,
  -- Its entries go bit by bit, and it after them.
  deleted_at bigint
);
create unique index kv_namespace_title on kv_namespace (account_id, title) where deleted_at is null;
create index kv_namespace_deleted on kv_namespace (deleted_at) where deleted_at is not null;

-- Keys are octets: in the order of UTF-8 on both engines, whatever the collation, and with any character in them.
create table kv_entry (
  namespace_id text not null references kv_namespace (id),
  key {blob} not null,
  expires_at bigint,
  metadata text,
  size bigint not null,
  -- A large value's, in kv_chunk.
  value_id text,
  value {blob},
  primary key (namespace_id, key)
);
create index kv_entry_expires on kv_entry (expires_at) where expires_at is not null;
create index kv_entry_value on kv_entry (value_id) where value_id is not null;

-- Written before the entry that names them, so that no commit holds up mail for a whole value.
create table kv_chunk (
  value_id text not null,
  seq integer not null,
  content {blob} not null,
  primary key (value_id, seq)
);

create table worker_queue (
  id text primary key,
  account_id text not null references account (id),
  name text not null,
  -- Both in seconds.
  delivery_delay bigint not null,
  retention bigint not null,
  paused integer not null,
  created_at bigint not null,
  modified_at bigint not null,
  -- Its messages go bit by bit, and it after them.
  deleted_at bigint
);
create unique index worker_queue_name on worker_queue (account_id, name) where deleted_at is null;
create index worker_queue_deleted on worker_queue (deleted_at) where deleted_at is not null;

create table queue_consumer (
  id text primary key,
  queue_id text not null unique references worker_queue (id),
  account_id text not null references account (id),
  script_name text not null,
  -- The name of a queue of the account.
  dead_letter_queue text,
  batch_size integer not null,
  max_wait_ms bigint not null,
  max_retries integer not null,
  max_concurrency integer,
  -- In seconds.
  retry_delay bigint not null,
  created_at bigint not null
);

-- A message is free when its time has come; a claim moves that time to the end of its lease.
create table queue_message (
  id text primary key,
  queue_id text not null references worker_queue (id),
  due_at bigint not null,
  -- Its place in the batch with which it was sent.
  ordinal integer not null,
  -- Of the claim that holds it.
  lease text,
  retries integer not null,
  content_type text not null,
  sent_at bigint not null,
  expires_at bigint not null,
  size bigint not null,
  body {blob} not null
);
create index queue_message_due on queue_message (queue_id, due_at, ordinal, id);
create index queue_message_lease on queue_message (lease) where lease is not null;
create index queue_message_expires on queue_message (expires_at);

create table data_point (
  seq {serial},
  account_id text not null,
  dataset text not null,
  at bigint not null,
  -- As JSON: {"indexes":[…],"blobs":[…],"doubles":[…]}.
  point text not null
);
create index data_point_dataset on data_point (account_id, dataset, at, seq);
create index data_point_at on data_point (at);
`
