/** Passwords that were forgotten: of each user one link at a time, and how much of its mail is still to be rested from. */
export const passwordReset = `
create table password_reset (
  user_id text primary key references service_user (id),
  -- SHA-256 of the token in the link; null: it was used, or works no longer.
  hash text unique,
  expires_at bigint not null,
  -- Each mail moves this on by an hour, from now at least; while it is too far ahead, there is no further one.
  rested_at bigint not null
);
create index password_reset_rested on password_reset (rested_at);
`
