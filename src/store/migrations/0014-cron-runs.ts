/** When each cron of each Worker was last looked after, so that no two processes run it for the same minute. */
export const cronRuns = `
create table cron_run (
  account_id text not null,
  script_name text not null,
  cron text not null,
  -- Minutes since 1970.
  minute bigint not null,
  primary key (account_id, script_name, cron)
);
`
