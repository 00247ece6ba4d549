/** The scheduled unit: an account's mail for one recipient domain. */
export interface Lane {
  readonly accountId: string
  readonly recipientDomain: string
}

/** Names a lane in maps, and gives lanes the order in which a set locks several of them. */
export function laneKey({ accountId, recipientDomain }: Lane): string {
  return `${accountId} ${recipientDomain}`
}
