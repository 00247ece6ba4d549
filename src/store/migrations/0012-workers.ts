/** Customers' Workers: scripts, their versions and deployments, and where they are reached. */
export const workers = `
create table worker (
  -- The tag.
  id text primary key,
  account_id text not null references account (id),
  name text not null,
  created_at bigint not null,
  modified_at bigint not null,
  -- The number of the newest version: of two changes that saw the same one, the second begins again.
  latest_number integer not null,
  latest_version_id text not null,
  -- What runs.
  current_version_id text not null,
  -- What is no version's, as JSON: {"logpush","observability","tags"}.
  settings text not null,
  -- Whether it has a host name below the account's own.
  on_subdomain integer not null,
  -- As JSON: ["*/5 * * * *"].
  crons text not null
);
create unique index worker_name on worker (account_id, name);
create index worker_crons on worker (id) where crons <> '[]';

-- What was uploaded. Versions that differ in secrets alone share it.
create table worker_code (
  id text primary key,
  worker_id text not null references worker (id) on delete cascade,
  main_module text not null,
  -- As JSON: [{"name","type","size"}], in the order of the chunks' modules.
  modules text not null,
  etag text not null,
  compatibility_date text not null,
  compatibility_flags text not null,
  handlers text not null
);
create index worker_code_worker on worker_code (worker_id);

-- Written before the code that names them, so that no commit holds up mail for a whole upload. What an upload that came
-- to nothing left is swept by the age that is in its id.
create table worker_chunk (
  code_id text not null,
  module integer not null,
  seq integer not null,
  content {blob} not null,
  primary key (code_id, module, seq)
);

create table worker_version (
  id text primary key,
  worker_id text not null references worker (id) on delete cascade,
  account_id text not null references account (id),
  number integer not null,
  code_id text not null references worker_code (id),
  -- As JSON, without the texts of secrets; those lie sealed, or null where there are none.
  bindings text not null,
  secrets text,
  annotations text not null,
  author_id text not null,
  author_email text not null,
  created_at bigint not null
);
create unique index worker_version_number on worker_version (worker_id, number);
create index worker_version_code on worker_version (code_id);

create table worker_deployment (
  id text primary key,
  worker_id text not null references worker (id) on delete cascade,
  number integer not null,
  version_id text not null references worker_version (id),
  annotations text not null,
  author_id text not null,
  author_email text not null,
  created_at bigint not null
);
create unique index worker_deployment_number on worker_deployment (worker_id, number);
create index worker_deployment_version on worker_deployment (version_id);

-- Patterns of a zone that lead to a Worker, or (null) past all of them.
create table worker_route (
  id text primary key,
  account_id text not null references account (id),
  zone_id text not null references zone (id) on delete cascade,
  worker_id text references worker (id) on delete cascade,
  pattern text not null,
  created_at bigint not null
);
create unique index worker_route_pattern on worker_route (zone_id, pattern);
create index worker_route_worker on worker_route (worker_id);

-- Host names that are a Worker's as a whole.
create table worker_domain (
  id text primary key,
  account_id text not null references account (id),
  zone_id text not null references zone (id) on delete cascade,
  worker_id text not null references worker (id) on delete cascade,
  hostname text not null,
  created_at bigint not null
);
create unique index worker_domain_hostname on worker_domain (zone_id, hostname);
create index worker_domain_worker on worker_domain (worker_id);

-- The label below which an account's Workers have host names, where it is another than the account's id.
create table worker_subdomain (
  account_id text primary key references account (id) on delete cascade,
  name text not null unique
);
`
