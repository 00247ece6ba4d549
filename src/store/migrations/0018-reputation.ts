/** What became of the mail of each domain, and what the daily quota was last reckoned by. */
export const reputation = `
-- By hour (since 1970, UTC) and by who keeps the recipients' mailboxes. A delivery that came back later takes itself off
-- 'delivered'.
create table deliverability (
  account_id text not null,
  -- '' where the domain was gone by then.
  domain_id text not null,
  hour integer not null,
  provider text not null,
  settled bigint not null,
  delivered bigint not null,
  hard_bounced bigint not null,
  complained bigint not null,
  primary key (account_id, domain_id, hour, provider)
);
create index deliverability_account on deliverability (account_id, hour);
create index deliverability_hour on deliverability (hour);

-- Which rates of a domain have crossed their thresholds, as JSON. 'changes' counts what was counted since, and 'seen' is
-- up to where somebody looked.
create table deliverability_standing (
  domain_id text primary key,
  account_id text not null,
  changes bigint not null,
  seen bigint not null,
  problems text not null,
  since bigint,
  looked_at bigint not null
);
create index deliverability_changed on deliverability_standing (looked_at) where changes > seen;
create index deliverability_troubled on deliverability_standing (looked_at) where problems <> '[]';

-- Why the quota is what it is, as JSON; null while it is what it began with.
alter table account_quota add column reckoned text;
`
