/** Who is told of events, and what they are told. */
export const notify = `
-- A queue that is told what happens to the mail of one domain.
create table event_subscription (
  id text primary key,
  account_id text not null references account (id),
  name text not null,
  enabled integer not null,
  -- 'email.sending' or 'email.routing'.
  source text not null,
  zone_id text not null references zone (id) on delete cascade,
  domain text not null,
  queue_id text not null references worker_queue (id) on delete cascade,
  -- As JSON: ["message.delivered"].
  events text not null,
  created_at bigint not null,
  modified_at bigint not null,
  -- Of the process that hands it what waits.
  lease text,
  leased_until bigint not null
);
create index event_subscription_account on event_subscription (account_id, created_at, id);
create index event_subscription_zone on event_subscription (zone_id);
create index event_subscription_queue on event_subscription (queue_id);

-- On its way into the queue.
create table queue_notification (
  seq {serial},
  subscription_id text not null references event_subscription (id) on delete cascade,
  body text not null
);
create index queue_notification_subscription on queue_notification (subscription_id, seq);

-- An HTTPS address that is told.
create table webhook (
  id text primary key,
  account_id text not null references account (id),
  url text not null,
  description text not null,
  -- As JSON; null for all: ["cf.email.sending.message.delivered"], ["example.com"].
  events text,
  domains text,
  -- 'active', 'disabled' by its owner, or 'paused' by us.
  state text not null,
  paused_at bigint,
  pause_reason text,
  -- Sealed JSON: [{"secret","until"}].
  secrets text not null,
  -- Failures in a row, since when, and until when nothing is tried.
  failures integer not null,
  failing_since bigint,
  rest_until bigint not null,
  -- Of the process that hands it what waits.
  lease text,
  leased_until bigint not null,
  created_at bigint not null,
  modified_at bigint not null,
  -- Its deliveries go bit by bit, and it after them.
  deleted_at bigint
);
create index webhook_account on webhook (account_id, created_at, id) where deleted_at is null;
create index webhook_deleted on webhook (deleted_at) where deleted_at is not null;

-- What a webhook is to be told, or was.
create table webhook_delivery (
  seq {serial},
  id text not null unique,
  webhook_id text not null references webhook (id),
  account_id text not null,
  event_id text not null,
  type text not null,
  -- When it happened.
  at bigint not null,
  -- What has the same is told one after the other.
  order_key text not null,
  -- 'pending', 'delivered', 'failed' (tried as often as it may be), 'expired' (waited for too long).
  state text not null,
  -- Since it was last due anew.
  attempts integer not null,
  due_at bigint not null,
  expires_at bigint not null,
  settled_at bigint,
  -- As JSON, the latest attempts, oldest first: [{"at","durationMs","status","fault","detail","excerpt"}].
  log text not null,
  body text not null
);
create unique index webhook_delivery_event on webhook_delivery (webhook_id, event_id);
create index webhook_delivery_log on webhook_delivery (webhook_id, at, seq);
create index webhook_delivery_due on webhook_delivery (webhook_id, due_at, seq) where state = 'pending';
create index webhook_delivery_order on webhook_delivery (webhook_id, order_key, seq) where state = 'pending';
create index webhook_delivery_expires on webhook_delivery (expires_at) where state = 'pending';
create index webhook_delivery_settled on webhook_delivery (settled_at) where settled_at is not null;
`
