/** What onboarding remembers besides a domain and its records: the life of each DKIM key, a zone's routing settings,
 *  and what the last look at DNS said. */
export const onboarding = `
-- Which service a key signs for, and where it stands: 'publishing' (in DNS, until it was seen there), 'active' (it
-- signs), 'retiring' (in DNS for the verifiers of what it signed), 'retired' (neither, and without its private half).
alter table dkim_key add column mail text not null default 'routing';
alter table dkim_key add column state text not null default 'active';
alter table dkim_key add column state_at bigint not null default 0;
update dkim_key set mail = 'sending' where selector = 'cf-bounce';
update dkim_key set state_at = created_at;
create unique index dkim_key_current on dkim_key (domain_id, mail, state)
  where state in ('publishing', 'active') and domain_id is not null;
create index dkim_key_domain on dkim_key (domain_id, mail);
create index dkim_key_turn on dkim_key (state, state_at);

create table routing_setting (
  zone_id text primary key references zone (id) on delete cascade,
  account_id text not null references account (id),
  skip_wizard integer not null,
  support_subaddress integer not null,
  created_at bigint not null,
  modified_at bigint not null
);

-- The last look at DNS: the status word, and what was wrong as JSON.
create table dns_check (
  domain_id text not null references domain (id) on delete cascade,
  mail text not null,
  account_id text not null references account (id),
  status text not null,
  problems text not null,
  checked_at bigint not null,
  due_at bigint not null,
  primary key (domain_id, mail)
);
create index dns_check_due on dns_check (due_at);
`
