/** How much may wait for one webhook is bounded: what was dropped is counted, and the oldest is found by an index. */
export const notifyBound = `
-- Events that it is not told of any more, since too many waited; since it was last enabled or changed its address.
alter table webhook add column dropped bigint not null default 0;
create index webhook_delivery_waiting on webhook_delivery (webhook_id, seq) where state = 'pending';
`
