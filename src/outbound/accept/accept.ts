import { eventWrite } from '#events/events.ts'
import { type Address, domainOf, foldAddress } from '#model/address.ts'
import type { Refusal } from '#model/refusal.ts'
import { composeMessage } from '#outbound/compose/compose-message.ts'
import { composeRaw } from '#outbound/compose/compose-raw.ts'
import { signMessage } from '#outbound/compose/sign-message.ts'
import type { Queue } from '#outbound/queue/queue.ts'
import type { Principal } from '#registry/accounts/accounts.ts'
import type { Domains, SenderDomain } from '#registry/domains/domains.ts'
import type { Quota } from '#registry/quota/quota.ts'
import type { Destinations } from '#registry/routes/destinations.ts'
import type { Suppressions } from '#registry/suppressions/suppressions.ts'
import { newId } from '#store/id.ts'
import type { Store, Write } from '#store/store.ts'
import { checkSize, LARGEST_MESSAGE } from './check-size.ts'
import { findEarlier, REMEMBER, type Repeatable, rememberWrite } from './idempotency.ts'
import { messageState } from './message-state.ts'
import { platformHeaders } from './platform-headers.ts'
import { readDraft } from './read-draft.ts'
import { readRaw } from './read-raw.ts'
import { type FitSender, isFit, refuseSender, refuseUnverified } from './refuse-sender.ts'
import type { Fields, Raw } from './submission.ts'

/** Accept: may this be sent? then promise it. In: a submission and who submits it. Out: the promise and, after the
 *  wait, what became of each recipient; or one refusal, and then nothing was sent. Promise: an `Accepted` is on disk;
 *  a repeated request joins the first one's message (promise 8). */
export interface Acceptor {
  accept(submission: Fields | Raw, by: Principal, how: AcceptOptions): Promise<Accepted | Refusal>
}

export interface AcceptOptions {
  /** How long to wait for the first verdict of each recipient, in ms; 0 does not wait. */
  readonly waitMs: number
  readonly protocol: 'HTTP' | 'ESMTPSA'
  readonly repeatable?: Repeatable
  /** Called when the promise is about to be committed: from now on the message may exist. */
  readonly onCommitting?: () => void
}

export interface Accepted {
  /** The Message-ID header, angle brackets included. */
  readonly messageId: string
  readonly delivered: readonly Address[]
  readonly bounced: readonly Address[]
  readonly queued: readonly Address[]
  readonly suppressed: readonly Address[]
}

export interface AcceptWorld {
  readonly store: Store
  readonly queue: Queue
  readonly domains: Domains
  readonly destinations: Destinations
  readonly suppressions: Suppressions
  readonly quota: Quota
  readonly host: string
  readonly expireMs: number
  readonly feedbackTag: (messageId: string) => string
  /** Addresses that count as suppressed without an entry: the simulator's. */
  readonly alwaysSuppressed: (address: Address) => boolean
  readonly now: () => number
}

export function openAcceptor(world: AcceptWorld): Acceptor {
  /** Requests in progress that may be repeated meanwhile, by account and key. */
  const running = new Map<string, { readonly bodyHash: string; readonly done: Promise<Promised | Refusal> }>()

  async function accept(
    submission: Fields | Raw,
    by: Principal,
    how: AcceptOptions,
  ): Promise<Accepted | Refusal> {
    const { repeatable } = how
    if (!repeatable) return result(await send(submission, by, how, world))
    const scope = `${by.accountId} ${repeatable.key}`
    const first = repeatable.kind === 'first' ? undefined : running.get(scope)
    if (first) {
      if (first.bodyHash !== repeatable.bodyHash) return keyReused
      const promised = await first.done.catch(() => undefined)
      if (promised && !('kind' in promised)) return rejoin(by, promised.id, how)
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
    by: Principal,
    how: AcceptOptions,
    repeatable: Repeatable,
  ): Promise<Promised | Refusal> {
    for (;;) {
      const earlier =
        repeatable.kind === 'first' ? undefined : await findEarlier(world.store, by.accountId, repeatable.key)
      if (earlier && earlier.bodyHash !== repeatable.bodyHash) return keyReused
      if (earlier) return { id: earlier.messageId, accepted: rejoin(by, earlier.messageId, how) }
      const promised = await send(submission, by, how, world)
      if (promised !== 'lost-the-race') return promised
    }
  }

  /** The present state of an earlier request's message. */
  async function rejoin(by: Principal, messageId: string, how: AcceptOptions): Promise<Accepted> {
    const before = await messageState(world.store, by.accountId, messageId)
    if (!before) throw new Error(`message ${messageId} is remembered but missing`)
    const open = before.deliveries.filter(
      ({ state, attempts }) => attempts === 0 && (state === 'waiting' || state === 'claimed'),
    )
    await world.queue.verdicts.first(
      open.map(({ id }) => id),
      how.waitMs,
    )
    const state =
      open.length === 0 ? before : ((await messageState(world.store, by.accountId, messageId)) ?? before)
    const inState = (...states: string[]) =>
      // Stored recipients were parsed when they were promised.
      state.deliveries
        .filter((delivery) => states.includes(delivery.state))
        .map(({ recipient }) => recipient as Address)
    return {
      messageId: state.headerMessageId,
      delivered: inState('delivered'),
      bounced: inState('bounced', 'failed'),
      queued: inState('waiting', 'claimed'),
      suppressed: state.suppressed.map((address) => address as Address),
    }
  }

  return { accept }
}

const keyReused: Refusal = {
  kind: 'idempotency-key-reused',
  detail:
    'This Idempotency-Key was used with another body in the last 24 hours. Use a new key for a new message.',
}

/** A message that is safe. `accepted` resolves after the wait. */
interface Promised {
  readonly id: string
  readonly accepted: Promise<Accepted>
}

function result(promised: Promised | Refusal | 'lost-the-race'): Promise<Accepted> | Refusal {
  if (promised === 'lost-the-race') throw new Error('an unrepeatable request cannot lose a race')
  return 'kind' in promised ? promised : promised.accepted
}

/** The story of one message, from its fields to its promise. */
async function send(
  submission: Fields | Raw,
  by: Principal,
  how: AcceptOptions,
  world: AcceptWorld,
): Promise<Promised | Refusal | 'lost-the-race'> {
  if (!by.sendingEnabled)
    return { kind: 'account-not-entitled', detail: 'Sending is switched off for this account.' }
  const read = submission.kind === 'fields' ? readDraft(submission) : readRaw(submission)
  if ('kind' in read) return read
  const from = 'draft' in read ? read.draft.from.address : read.message.from
  const sender = await senderOf([from, ...('envelopeFrom' in read ? [read.envelopeFrom] : [])], by, world)
  if (!isFit(sender)) return refuseSender(sender, from)

  const keys = read.recipients.map(foldAddress)
  const [verified, suppressed] = await Promise.all([
    world.destinations.verified(by.accountId, keys),
    suppressedOf(read.recipients, by, world),
  ])
  const unverified = read.recipients.filter((address) => !verified.has(foldAddress(address)))
  if (sender.kind === 'routing-only' && unverified[0] !== undefined)
    return refuseUnverified(unverified[0], sender.name)
  if (suppressed.length > 0 && !sender.dropSuppressedRecipients) {
    await recordRejected(suppressed, null, { from, sender, by, world })
    return refuseSuppressed(suppressed)
  }
  const recipients = read.recipients.filter((address) => !suppressed.includes(address))

  const id = newId()
  const at = world.now()
  const platform = platformHeaders({
    id,
    at,
    from,
    accountId: by.accountId,
    domainId: sender.domainId,
    returnPathDomain: sender.returnPathDomain,
    host: world.host,
    protocol: how.protocol,
    feedbackTag: world.feedbackTag(id),
  })
  const limit = unverified.length === 0 ? LARGEST_MESSAGE.toVerified : LARGEST_MESSAGE.toAnyone
  const tooLarge = checkSize(read.leastBytes, limit)
  if (tooLarge) return tooLarge
  const composed =
    'draft' in read ? await composeMessage(read.draft, platform) : composeRaw(read.message, platform)
  const composedTooLarge = checkSize(composed.length, limit)
  if (composedTooLarge) return composedTooLarge
  const content = await signMessage(composed, sender.signing, platform.date)

  const deliveries = recipients.map((recipient) => ({ deliveryId: newId(), recipient }))
  const counted = recipients.filter((address) => !verified.has(foldAddress(address))).length
  const { subject } = 'draft' in read ? read.draft : read.message
  const writes: Write[] = [
    ...(how.repeatable ? [rememberWrite(by.accountId, how.repeatable, id, at)] : []),
    ...(counted > 0 ? [world.quota.reserveWrite(by.accountId, counted, at)] : []),
    eventWrite({
      type: 'accepted',
      at,
      accountId: by.accountId,
      domainId: sender.domainId,
      messageId: id,
      deliveryId: null,
      terminal: false,
      detail: { sender: from, recipients, subject, size: content.length },
    }),
    ...rejectedEvents(suppressed, id, { from, sender, by, world }),
  ]
  // Before the promise: a delivery may settle before its commit's answer is back here.
  const verdicts = world.queue.verdicts.first(
    deliveries.map(({ deliveryId }) => deliveryId),
    how.waitMs,
  )
  how.onCommitting?.()
  const promised = await world.queue.promise({
    message: {
      id,
      accountId: by.accountId,
      domainId: sender.domainId,
      headerMessageId: platform.messageId,
      sender: from,
      returnPathDomain: sender.returnPathDomain,
      subject,
      previewEnabled: sender.previewEnabled,
      createdAt: at,
    },
    content,
    recipients: deliveries,
    suppressed,
    expiresAt: at + world.expireMs,
    writes,
  })
  if (!promised.ok) {
    if (promised.conflict === REMEMBER) return 'lost-the-race'
    throw new Error(`a promise conflicted in ${promised.conflict}`)
  }
  const accepted = verdicts.then((known) => {
    const having = (...wanted: (string | undefined)[]) =>
      deliveries
        .filter(({ deliveryId }) => wanted.includes(known.get(deliveryId)))
        .map(({ recipient }) => recipient)
    return {
      messageId: platform.messageId,
      delivered: having('delivered'),
      bounced: having('bounced', 'failed'),
      queued: having(undefined, 'deferred'),
      suppressed,
    }
  })
  return { id, accepted }
}

/** The From header's domain and the envelope's must both be the account's; the From header's signs. */
async function senderOf(
  addresses: readonly [Address, ...Address[]],
  by: Principal,
  world: AcceptWorld,
): Promise<SenderDomain> {
  const [from, ...others] = await Promise.all(
    addresses.map((address) => world.domains.senderDomain(by.accountId, domainOf(address))),
  )
  const unfit = others.find((domain) => !isFit(domain))
  return unfit ?? from ?? { kind: 'unknown' }
}

function refuseSuppressed(addresses: readonly Address[]): Refusal {
  const more = addresses.length > 5 ? ` and ${addresses.length - 5} more` : ''
  const detail = `On the suppression list: ${addresses.slice(0, 5).join(', ')}${more}. Nothing was sent.`
  return { kind: 'recipient-suppressed', pointer: '/to', detail }
}

async function suppressedOf(
  recipients: readonly Address[],
  by: Principal,
  world: AcceptWorld,
): Promise<Address[]> {
  const entries = await world.suppressions.find(by.accountId, recipients.map(foldAddress))
  return recipients.filter((address) => entries.has(foldAddress(address)) || world.alwaysSuppressed(address))
}

interface Rejection {
  readonly from: Address
  readonly sender: FitSender
  readonly by: Principal
  readonly world: AcceptWorld
}

function rejectedEvents(
  suppressed: readonly Address[],
  messageId: string | null,
  { from, sender, by, world }: Rejection,
): Write[] {
  return suppressed.map((recipient) =>
    eventWrite({
      type: 'rejected',
      at: world.now(),
      accountId: by.accountId,
      domainId: sender.domainId,
      messageId,
      deliveryId: null,
      terminal: true,
      detail: { sender: from, recipient, cause: 'suppressed' },
    }),
  )
}

/** The log shows a suppressed recipient as rejected although the request was refused as a whole. */
async function recordRejected(
  suppressed: readonly Address[],
  messageId: string | null,
  rejection: Rejection,
): Promise<void> {
  await rejection.world.store.commit(rejectedEvents(suppressed, messageId, rejection))
}
