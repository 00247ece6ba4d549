import type { Address } from '#model/address.ts'
import type { Refusal } from '#model/refusal.ts'
import type { Accepted, AcceptOptions, AcceptWorld, Submitter } from './accept-world.ts'
import { findEarlier, type Repeatable } from './idempotency.ts'
import { type LastWord, lastWords } from './last-words.ts'
import { type MessageState, messageState } from './message-state.ts'
import { type Promised, promiseMessage } from './promise-message.ts'
import { findSender } from './refuse-sender.ts'
import type { Fields, Raw } from './submission.ts'

/** Accept: may this be sent? then promise it. In: a submission and who submits it. Out: the promise and, after the
 *  wait, what became of each recipient; or one refusal, and then nothing was sent. Promise: an `Accepted` is on disk;
 *  a repeated request joins the first one's message (promise 8). */
export interface Acceptor {
  accept(submission: Fields | Raw, by: Submitter, how: AcceptOptions): Promise<Accepted | Refusal>
  /** Why mail from this address would be refused whatever it holds, for doors that hear of the sender first. */
  refuseSender(from: Address, by: Submitter): Promise<Refusal | undefined>
  /** What was last said of each recipient of an accepted message; whoever was settled without a word has its cause. */
  lastWords(by: Pick<Submitter, 'accountId'>, messageId: string): Promise<readonly LastWord[]>
}

export function openAcceptor(world: AcceptWorld): Acceptor {
  /** Requests in progress that may be repeated meanwhile, by account and key. */
  const running = new Map<string, { readonly bodyHash: string; readonly done: Promise<Promised | Refusal> }>()

  async function accept(
    submission: Fields | Raw,
    by: Submitter,
    how: AcceptOptions,
  ): Promise<Accepted | Refusal> {
    const { repeatable } = how
    if (!repeatable) return result(await promiseMessage(submission, by, how, world))
    const scope = `${by.accountId} ${repeatable.key}`
    const first = repeatable.kind === 'first' ? undefined : running.get(scope)
    if (first) {
      // Only a promise uses up a key: what the first became decides, not what it asked for.
      const promised = await first.done.catch(() => undefined)
      if (promised && !('kind' in promised)) {
        return first.bodyHash === repeatable.bodyHash ? rejoin(by, promised.id, how) : keyReused
      }
    }
    const done = sendOnce(submission, by, how, repeatable)
    const entry = { bodyHash: repeatable.bodyHash, done }
    running.set(scope, entry)
    try {
      return result(await done)
    } finally {
      if (running.get(scope) === entry) running.delete(scope)
    }
  }

  async function sendOnce(
    submission: Fields | Raw,
    by: Submitter,
    how: AcceptOptions,
    repeatable: Repeatable,
  ): Promise<Promised | Refusal> {
    for (;;) {
      const earlier =
        repeatable.kind === 'first' ? undefined : await findEarlier(world.store, by.accountId, repeatable.key)
      if (earlier && earlier.bodyHash !== repeatable.bodyHash) return keyReused
      if (earlier) return { id: earlier.messageId, accepted: rejoin(by, earlier.messageId, how) }
      const promised = await promiseMessage(submission, by, how, world)
      if (promised !== 'lost-the-race') return promised
    }
  }

  async function stateOf(by: Submitter, messageId: string): Promise<MessageState> {
    const state = await messageState(world.store, by.accountId, messageId)
    if (!state) throw new Error(`message ${messageId} is remembered but missing`)
    return state
  }

  /** The present state of an earlier request's message. */
  async function rejoin(by: Submitter, messageId: string, how: AcceptOptions): Promise<Accepted> {
    const before = await stateOf(by, messageId)
    const open = undecided(before)
    const verdicts = world.queue.verdicts.first(
      open.map(({ id }) => id),
      how.waitMs,
    )
    // What settled while we were not listening yet is in the second look.
    const again = open.length === 0 ? before : await stateOf(by, messageId)
    if (undecided(again).length > 0) await verdicts
    const state = undecided(again).length > 0 ? await stateOf(by, messageId) : again
    const inState = (...states: string[]) =>
      // Stored recipients were parsed when they were promised.
      state.deliveries
        .filter((delivery) => states.includes(delivery.state))
        .map(({ recipient }) => recipient as Address)
    return {
      id: messageId,
      messageId: state.headerMessageId,
      delivered: inState('delivered'),
      bounced: inState('bounced', 'failed'),
      queued: inState('waiting', 'claimed'),
      suppressed: state.suppressed.map((address) => address as Address),
      removedHeaders: [],
    }
  }

  async function refuseSender(from: Address, by: Submitter): Promise<Refusal | undefined> {
    const sender = await findSender(from, '/from', { by, domains: world.domains })
    return 'detail' in sender ? sender : undefined
  }

  return {
    accept,
    refuseSender,
    lastWords: ({ accountId }, messageId) => lastWords(world.store, accountId, messageId),
  }
}

/** Deliveries that were never attempted: their first verdict is still to come. */
function undecided({ deliveries }: MessageState): MessageState['deliveries'] {
  return deliveries.filter(
    ({ state, attempts }) => attempts === 0 && (state === 'waiting' || state === 'claimed'),
  )
}

const keyReused: Refusal = {
  kind: 'idempotency-key-reused',
  detail:
    'This Idempotency-Key was used with another body in the last 24 hours. Use a new key for a new message.',
}

function result(promised: Promised | Refusal | 'lost-the-race'): Promise<Accepted> | Refusal {
  if (promised === 'lost-the-race') throw new Error('an unrepeatable request cannot lose a race')
  return 'kind' in promised ? promised : promised.accepted
}
