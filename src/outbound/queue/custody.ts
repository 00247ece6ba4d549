import type { Log } from '#observe/log.ts'
import { type Store, statement } from '#store/store.ts'
import { type ReturnedClaim, returnClaims } from './return-claims.ts'

/** Claims that this process has in the store and not in its hands: the answer to a commit was lost on its way, or
 *  something threw between the claim and the engine. Nobody else would ever touch them while we live. */
export interface Custody {
  /** Gives back what two calls in a row found unheld: between a commit and its answer a claim rightly looks so. */
  check(holds: (claim: { readonly id: string; readonly claimToken: string }) => boolean): Promise<void>
}

export function openCustody({ store, node, log }: { store: Store; node: string; log: Log }): Custody {
  let suspects: ReadonlySet<string> = new Set()
  const nameOf = ({ id, claimToken }: ReturnedClaim) => `${id} ${claimToken}`
  return {
    async check(holds) {
      const claims = (await store.all(claimsOf, [node])).map(
        ({ id, claim_token: claimToken, account_id: accountId, recipient_domain: recipientDomain }) => ({
          id,
          claimToken,
          lane: { accountId, recipientDomain },
        }),
      )
      const unheld = claims.filter((claim) => !holds(claim))
      const lost = unheld.filter((claim) => suspects.has(nameOf(claim)))
      suspects = new Set(unheld.map(nameOf))
      if (lost.length === 0) return
      const some = lost.slice(0, 10).map(({ id, lane }) => ({ account: lane.accountId, delivery: id }))
      log.warn({ deliveries: lost.length, some }, 'queue: giving back claims that nobody here holds')
      await returnClaims(store, lost)
    },
  }
}

interface ClaimRow {
  readonly id: string
  readonly claim_token: string
  readonly account_id: string
  readonly recipient_domain: string
}

const claimsOf = statement<ClaimRow>(
  'queue.claims-of-node',
  `select id, claim_token, account_id, recipient_domain from delivery
    where state = 'claimed' and claim_node = $1`,
)

/** Whether a claim is still good: another node may have taken this one for dead, or the delivery may have expired. */
export async function isClaimed(store: Store, deliveryId: string, claimToken: string): Promise<boolean> {
  return (await store.get(held, [deliveryId, claimToken])) !== undefined
}

const held = statement<{ id: string }>(
  'queue.is-claimed',
  `select id from delivery where id = $1 and state = 'claimed' and claim_token = $2`,
)
