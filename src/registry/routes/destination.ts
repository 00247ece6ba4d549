/** A mailbox of an account's own people. */
export interface Destination {
  readonly id: string
  readonly email: string
  /** Milliseconds since 1970; null until its owner has answered. */
  readonly verifiedAt: number | null
  /** How often a proof was taken back: a link proves something in the round in which it was sent alone. */
  readonly verifyRound: number
  readonly createdAt: number
  readonly modifiedAt: number
}

export interface DestinationRow {
  readonly id: string
  readonly account_id: string
  readonly email: string
  readonly verified_at: number | null
  readonly verify_round: number
  readonly created_at: number
  readonly modified_at: number
}

export const DESTINATION_COLUMNS = 'id, account_id, email, verified_at, verify_round, created_at, modified_at'

export function destinationOf(row: DestinationRow): Destination {
  const { id, email, verified_at: verifiedAt, verify_round: verifyRound } = row
  return { id, email, verifiedAt, verifyRound, createdAt: row.created_at, modifiedAt: row.modified_at }
}
