import { type Lane, laneKey } from './lane.ts'

/** The lanes of some deliveries, each once, in the order in which a set locks them. */
export function lanesOf(
  rows: readonly { readonly account_id: string; readonly recipient_domain: string }[],
): Lane[] {
  const lanes = rows.map((row) => ({ accountId: row.account_id, recipientDomain: row.recipient_domain }))
  const byKey = new Map(lanes.map((lane) => [laneKey(lane), lane]))
  return [...byKey].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, lane]) => lane)
}
