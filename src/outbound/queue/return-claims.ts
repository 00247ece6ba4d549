import type { Cause } from '#model/event.ts'
import { type Store, statement, type Write } from '#store/store.ts'
import { type Lane, laneKey } from './lane.ts'
import { laneWaits } from './lane-waits.ts'

export interface ReturnedClaim {
  readonly id: string
  readonly claimToken: string
  readonly lane: Lane
}

/** What is worth remembering of the reason, for the day the delivery expires. */
export interface ReturnReason {
  readonly reply: string | null
  readonly cause: Cause
}

export interface ReturnOptions {
  readonly reason?: ReturnReason
  readonly inMs?: number
}

const AT_ONCE = 500

/** Back to waiting without an attempt, as due as before, for the holder of the claims only; their lanes are looked at
 *  again in `inMs`. Out: the ids of those that had not moved on. */
export async function returnClaims(
  store: Store,
  claims: readonly ReturnedClaim[],
  how: ReturnOptions = {},
): Promise<string[]> {
  const returned: string[] = []
  for (let from = 0; from < claims.length; from += AT_ONCE) {
    const result = await store.commit(returnWrites(claims.slice(from, from + AT_ONCE), how))
    if (!result.ok) throw new Error(`returning claims conflicted in ${result.conflict}`)
    // Rows arrive in the shape that `returning` names.
    for (const { id } of result.rows[0] as { id: string }[]) returned.push(id)
  }
  return returned
}

function returnWrites(claims: readonly ReturnedClaim[], { reason, inMs = 0 }: ReturnOptions): Write[] {
  const ids = JSON.stringify(claims.map(({ id }) => id))
  const tokens = JSON.stringify([...new Set(claims.map(({ claimToken }) => claimToken))])
  const lanes = new Map(claims.map(({ lane }) => [laneKey(lane), lane]))
  return [
    { statement: giveBack, params: [ids, tokens, reason?.reply ?? null, reason?.cause ?? null] },
    ...[...lanes].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, lane]) => laneWaits(lane, inMs)),
  ]
}

const give = (ids: string, tokens: string) =>
  `update delivery set state = 'waiting', claim_node = null, claim_token = null,
     last_reply = coalesce($3, last_reply), last_cause = coalesce($4, last_cause)
    where id ${ids} and state = 'claimed' and claim_token ${tokens} returning id`

const giveBack = statement<{ id: string }>('queue.return-claims', {
  sqlite: give('in (select value from json_each($1))', 'in (select value from json_each($2))'),
  postgres: give(
    '= any (array(select json_array_elements_text($1::json)))',
    '= any (array(select json_array_elements_text($2::json)))',
  ),
})
