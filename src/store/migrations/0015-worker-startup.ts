/** How long a version took to start when it was tried out. */
export const workerStartup = `
alter table worker_code add column startup_ms integer not null default 1;
`
