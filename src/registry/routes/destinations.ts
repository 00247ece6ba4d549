import { type Address, foldAddress } from '#model/address.ts'
import { newId } from '#store/id.ts'
import { type Store, statement, type Write } from '#store/store.ts'
import { DESTINATION_COLUMNS, type Destination, type DestinationRow, destinationOf } from './destination.ts'
import { type DestinationPage, listDestinations } from './list-destinations.ts'
import { FROM_RULES, type RoutingRule, type RuleRow, ruleOf, SELECT_RULES } from './rule.ts'

/** Destination addresses: mailboxes of an account's own people, who may receive what the account routes and, without
 *  limits, what it sends. In: addresses and proofs. Out: which of some recipients are verified.
 *  Promise: an account has 200 at most; a proof counts for the address and the round that it was asked for in, once;
 *  with an address go the rules that forward to it: they stay, and are off. */
export interface Destinations {
  /** Of `emailKeys` (`foldAddress`), those that are verified in this account. One query, whatever their number. */
  verified(accountId: string, emailKeys: readonly string[]): Promise<ReadonlySet<string>>
  /** Adds the address, or finds it. `verified` marks it as proven; it never takes a proof away. */
  addDestination(
    accountId: string,
    email: Address,
    options: { readonly verified: boolean },
  ): Promise<Destination>
  list(
    accountId: string,
    page: DestinationPage,
  ): Promise<{ readonly destinations: readonly Destination[]; readonly total: number }>
  destination(accountId: string, id: string): Promise<Destination | undefined>
  /** Adds the address without a proof, or finds it; `ask` gives what goes into the same commit, the mail that asks for
   *  the proof, or undefined where there may be none: then nothing is written. One that is verified is asked nothing. */
  create(accountId: string, email: Address, ask: AskForProof): Promise<DestinationCreation>
  /** By an administrator's word, or back to unverified; links that were sent before prove nothing then. Undefined: the
   *  account has no such destination. */
  setVerified(
    accountId: string,
    change: { readonly id: string; readonly verified: boolean },
    record: RecordDestination,
  ): Promise<Destination | undefined>
  /** Whose destination it is, for whoever has a link about it. */
  asked(id: string): Promise<{ readonly accountId: string; readonly destination: Destination } | undefined>
  /** By its owner's answer. False where it was verified before, is gone, or another round has begun. */
  confirm(accountId: string, destination: Destination, record: RecordDestination): Promise<boolean>
  /** Rules that forward to it are switched off for good, in the same commit, and told to `record`. */
  remove(
    accountId: string,
    id: string,
    record: (removed: Destination, switchedOff: readonly RoutingRule[]) => readonly Write[],
  ): Promise<Destination | undefined>
}

/** What else is to be in the commit that changes a destination. */
export type RecordDestination = (change: {
  readonly before: Destination
  readonly after: Destination
}) => readonly Write[]

export type DestinationCreation =
  /** `asked`: it was there, and still waits for its proof. */
  | { readonly kind: 'created' | 'asked' | 'verified'; readonly destination: Destination }
  | { readonly kind: 'too-many'; readonly limit: number }
  | { readonly kind: 'not-asked' }

export type AskForProof = (destination: Destination, isNew: boolean) => Promise<readonly Write[] | undefined>

/** platform-limits.md. */
export const DESTINATIONS_PER_ACCOUNT = 200
// Each lost race means that somebody else made progress.
const RACES = 10

const verifiedKey = statement<{ readonly email_key: string }>(
  'destination.verified-key',
  'select email_key from destination where account_id = $1 and email_key = $2 and verified_at is not null',
)

// One parameter for any number of keys; either form looks each key up in the unique index.
const verifiedKeys = statement<{ readonly email_key: string }>('destination.verified-keys', {
  sqlite: `select email_key from destination
    where account_id = $1 and email_key in (select value from json_each($2)) and verified_at is not null`,
  postgres: `select email_key from destination
    where account_id = $1 and email_key = any (array(select json_array_elements_text($2::json)))
      and verified_at is not null`,
})

const destinationOfKey = statement<DestinationRow>(
  'destination.of-key',
  `select ${DESTINATION_COLUMNS} from destination where account_id = $1 and email_key = $2`,
)

const destinationById = statement<DestinationRow>(
  'destination.by-id',
  `select ${DESTINATION_COLUMNS} from destination where id = $1 and account_id = $2`,
)

// Across accounts: whoever asks has a link that was made for this one.
const askedDestination = statement<DestinationRow>(
  'destination.asked',
  `select ${DESTINATION_COLUMNS} from destination where id = $1`,
)

const upsertDestination = statement(
  'destination.upsert',
  `insert into destination (id, account_id, email, email_key, verified_at, created_at, modified_at)
   values ($1, $2, $3, $4, $5, $6, $6)
   on conflict (account_id, email_key) do update
     set verified_at = excluded.verified_at, modified_at = excluded.modified_at
     where destination.verified_at is null and excluded.verified_at is not null`,
)

const insertDestination = statement(
  'destination.insert',
  `insert into destination (id, account_id, email, email_key, verified_at, created_at, modified_at)
   select $1, $2, $3, $4, null, cast($5 as bigint), cast($5 as bigint)
   where (select count(*) from destination where account_id = $2) < ${DESTINATIONS_PER_ACCOUNT}
   on conflict (account_id, email_key) do nothing`,
)

const stillUnverified = statement(
  'destination.still-unverified',
  'update destination set modified_at = modified_at where id = $1 and account_id = $2 and verified_at is null',
)

// The round last seen makes both a compare-and-set.
const proveDestination = statement(
  'destination.prove',
  `update destination set verified_at = $4, modified_at = $4
   where id = $1 and account_id = $2 and verify_round = $3 and verified_at is null`,
)

const unproveDestination = statement(
  'destination.unprove',
  `update destination set verified_at = null, verify_round = verify_round + 1, modified_at = $4
   where id = $1 and account_id = $2 and verify_round = $3 and verified_at is not null`,
)

const deleteDestination = statement(
  'destination.delete',
  'delete from destination where id = $1 and account_id = $2',
)

const forwardingRules = statement<RuleRow>(
  'destination.forwarding-rules',
  `${SELECT_RULES} ${FROM_RULES}
   where rule.account_id = $1 and rule.destination_key = $2 and rule.action = 'forward' and rule.enabled = 1`,
)

const switchRulesOff = statement(
  'destination.switch-rules-off',
  `update routing_rule set enabled = 0, modified_at = case when modified_at < $3 then $3 else modified_at + 1 end
   where account_id = $1 and destination_key = $2 and action = 'forward' and enabled = 1`,
)

export function openDestinations({ store, clock }: { store: Store; clock: () => number }): Destinations {
  async function ofKey(accountId: string, email: Address): Promise<Destination | undefined> {
    const row = await store.get(destinationOfKey, [accountId, foldAddress(email)])
    return row && destinationOf(row)
  }

  async function find(accountId: string, id: string): Promise<Destination | undefined> {
    const row = await store.get(destinationById, [id, accountId])
    return row && destinationOf(row)
  }

  async function create(accountId: string, email: Address, ask: AskForProof): Promise<DestinationCreation> {
    for (let race = 0; race < RACES; race++) {
      const found = await ofKey(accountId, email)
      if (found && found.verifiedAt !== null) return { kind: 'verified', destination: found }
      if (found) {
        const asked = await ask(found, false)
        if (!asked) return { kind: 'not-asked' }
        const same = { statement: stillUnverified, params: [found.id, accountId], rows: 1 }
        const committed = await store.commit([same, ...asked])
        if (committed.ok) return { kind: 'asked', destination: found }
        continue
      }
      const at = clock()
      const made = { id: newId(), email, verifiedAt: null, verifyRound: 0, createdAt: at, modifiedAt: at }
      const params = [made.id, accountId, email, foldAddress(email), at]
      const asked = await ask(made, true)
      if (!asked) return { kind: 'not-asked' }
      const insert = { statement: insertDestination, params, rows: 1 }
      const committed = await store.commit([insert, ...asked])
      if (committed.ok) return { kind: 'created', destination: made }
      if (!(await ofKey(accountId, email))) return { kind: 'too-many', limit: DESTINATIONS_PER_ACCOUNT }
    }
    throw new Error(`adding a destination lost ${RACES} races in a row`)
  }

  /** Undefined where the destination was not as `before` any more. */
  async function change(
    accountId: string,
    { before, verified }: { readonly before: Destination; readonly verified: boolean },
    record: RecordDestination,
  ): Promise<Destination | undefined> {
    const at = Math.max(clock(), before.modifiedAt + 1)
    const verifyRound = before.verifyRound + (verified ? 0 : 1)
    const after = { ...before, verifiedAt: verified ? at : null, verifyRound, modifiedAt: at }
    const params = [before.id, accountId, before.verifyRound, at]
    const write = { statement: verified ? proveDestination : unproveDestination, params, rows: 1 }
    const committed = await store.commit([write, ...record({ before, after })])
    return committed.ok ? after : undefined
  }

  return {
    async verified(accountId, emailKeys) {
      const [first, ...others] = emailKeys
      if (first === undefined) return new Set()
      // Most mail has one recipient, and a keyed read needs no reader thread.
      if (others.length === 0) {
        const row = await store.get(verifiedKey, [accountId, first])
        return new Set(row ? [row.email_key] : [])
      }
      const rows = await store.all(verifiedKeys, [accountId, JSON.stringify(emailKeys)])
      return new Set(rows.map((row) => row.email_key))
    },

    async addDestination(accountId, email, { verified }) {
      const at = clock()
      const key = foldAddress(email)
      await store.commit([
        { statement: upsertDestination, params: [newId(), accountId, email, key, verified ? at : null, at] },
      ])
      const added = await ofKey(accountId, email)
      if (!added) throw new Error('a destination vanished between its commit and its first read')
      return added
    },

    list: (accountId, page) => listDestinations(store, accountId, page),
    destination: find,
    create,

    async setVerified(accountId, { id, verified }, record) {
      for (let race = 0; race < RACES; race++) {
        const before = await find(accountId, id)
        if (!before || (before.verifiedAt !== null) === verified) return before
        const after = await change(accountId, { before, verified }, record)
        if (after) return after
      }
      throw new Error(`changing destination ${id} lost ${RACES} races in a row`)
    },

    async asked(id) {
      const row = await store.get(askedDestination, [id])
      return row && { accountId: row.account_id, destination: destinationOf(row) }
    },

    async confirm(accountId, before, record) {
      return (await change(accountId, { before, verified: true }, record)) !== undefined
    },

    async remove(accountId, id, record) {
      const removed = await find(accountId, id)
      if (!removed) return undefined
      // The store has only what the door parsed.
      const key = foldAddress(removed.email as Address)
      const rules = (await store.all(forwardingRules, [accountId, key])).map(ruleOf)
      const committed = await store.commit([
        { statement: deleteDestination, params: [id, accountId], rows: 1 },
        { statement: switchRulesOff, params: [accountId, key, clock()] },
        ...record(removed, rules),
      ])
      return committed.ok ? removed : undefined
    },
  }
}
