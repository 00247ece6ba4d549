/** Zones that wait for proof of who owns them, two roads to their DNS, and records that customers make. */
export const zones = `
-- 'full': its name servers are ours. 'partial': it stays with another DNS provider.
alter table zone add column type text not null default 'full';
-- Who publishes the records: 'hosted' are we, 'manual' is its owner, who pastes them.
alter table zone add column dns text not null default 'hosted';
alter table zone add column modified_at bigint;
-- When its records last changed: the SOA's serial, in milliseconds, and never less than one more second than before.
alter table zone add column records_at bigint;
-- The last look for proof in DNS, and what was missing, as a sentence.
alter table zone add column checked_at bigint;
alter table zone add column check_detail text;
create index zone_pending on zone (checked_at) where status = 'pending';
create index zone_account on zone (account_id, name);

alter table dns_record add column comment text;
alter table dns_record add column tags text;
alter table dns_record add column modified_at bigint;
`
