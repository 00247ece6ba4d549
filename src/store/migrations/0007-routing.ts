/** What comes in goes where: routing rules, with the catch-all of each domain, and proofs of destinations that can be
 *  taken back. */
export const routing = `
-- Counts the times that a proof was taken back: links that were sent before prove nothing any more.
alter table destination add column verify_round integer not null default 0;
create index destination_list on destination (account_id, created_at, id);

create table routing_rule (
  id text primary key,
  zone_id text not null references zone (id) on delete cascade,
  account_id text not null references account (id),
  -- The zone's own name, or one below it.
  domain text not null,
  -- 'literal': one address. 'all': the domain's catch-all, with an empty address.
  matcher text not null,
  address text not null,
  address_key text not null,
  name text not null,
  priority integer not null,
  -- As its owner wants it; a forward works once its destination is verified, too.
  enabled integer not null,
  -- 'forward', 'worker' or 'drop'; its value, and the destination that a forward means, are empty for the others.
  action text not null,
  action_value text not null,
  destination_key text not null,
  -- 'api' or 'wrangler', which manages the rules of the Worker that the tag names.
  source text not null,
  owner_worker_tag text,
  created_at bigint not null,
  modified_at bigint not null
);
create index routing_rule_domain on routing_rule (zone_id, domain, matcher, priority, created_at, id);
create index routing_rule_account on routing_rule (account_id, created_at, id);
create index routing_rule_destination on routing_rule (account_id, destination_key) where action = 'forward';
create index routing_rule_owner on routing_rule (account_id, owner_worker_tag) where owner_worker_tag is not null;
create unique index routing_catch_all on routing_rule (zone_id, domain) where matcher = 'all';
`
