/** What a domain says of TLS to those who send to it (RFC 8461), where it says something. */
export const mtaSts = `
create table mta_sts (
  domain_id text primary key references domain (id) on delete cascade,
  account_id text not null references account (id),
  -- 'off', or that of its policy: 'none', 'testing', 'enforce'.
  mode text not null,
  -- Of the policy, in seconds.
  max_age bigint not null,
  -- Until when somebody may hold an earlier policy that asked for TLS.
  held_until bigint not null,
  -- When a policy that is on its way out goes.
  ends_at bigint,
  modified_at bigint not null
);
create index mta_sts_end on mta_sts (ends_at) where ends_at is not null;
`
