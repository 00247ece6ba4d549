/** Mail that came in and goes on: how, as JSON (`model/routing.ts`); null for mail that was sent from here. */
export const forwards = `
alter table message add column forwarding text;
`
