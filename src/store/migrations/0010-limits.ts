/** What an account may send in a day and how that grew, what a report did to a suppression, and what lists by address
 *  of an actor and counts of pending zones are read along. */
export const limits = `
-- The daily quota. It grows by itself; 'day' (since 1970, UTC) is up to where that was reckoned.
create table account_quota (
  account_id text primary key references account (id) on delete cascade,
  automatic bigint not null,
  day integer not null,
  -- 'automatic', or the operator's word: 'fixed', 'unlimited'.
  mode text not null,
  fixed bigint
);

-- The report that last changed an entry, and the entry as it was before that, as JSON: what the audit log's line in the
-- same commit is made of.
alter table suppression add column report_id text;
alter table suppression add column before_report text;

-- The address in 32 hex digits, IPv4 mapped (RFC 4291 §2.5.5.2), so that a range of addresses is a range of these.
alter table audit_log add column actor_key text;
create index audit_log_address on audit_log (account_id, actor_key, at, id) where actor_key is not null;

create index zone_pending_account on zone (account_id) where status = 'pending';
create index zone_pending_name on zone (name) where status = 'pending';
`
