import { eventWrite } from '#events/events.ts'
import { domainOf } from '#model/address.ts'
import type { Refusal } from '#model/refusal.ts'
import { composeMessage } from '#outbound/compose/compose-message.ts'
import { composeRaw } from '#outbound/compose/compose-raw.ts'
import { signMessage } from '#outbound/compose/sign-message.ts'
import { RESERVE } from '#registry/quota/quota.ts'
import { newId } from '#store/id.ts'
import type { Write } from '#store/store.ts'
import type { Accepted, AcceptOptions, AcceptWorld, Submitter } from './accept-world.ts'
import { type Allowed, checkRecipients } from './check-recipients.ts'
import { checkSize } from './check-size.ts'
import { REMEMBER, rememberWrite } from './idempotency.ts'
import { overQuota } from './over-quota.ts'
import { platformHeaders } from './platform-headers.ts'
import { type ReadDraft, readDraft } from './read-draft.ts'
import { type ReadRaw, readRaw } from './read-raw.ts'
import type { Recipient } from './recipient.ts'
import { type FitSender, findSender } from './refuse-sender.ts'
import { rejectedEvents } from './rejected-events.ts'
import type { Fields, Raw } from './submission.ts'
import { takeRates } from './take-rates.ts'

/** A message that is safe. `accepted` resolves after the wait. */
export interface Promised {
  readonly id: string
  readonly accepted: Promise<Accepted>
}

/** The story of one message, from its fields to its promise. `lost-the-race`: another request with the same key
 *  promised its message first. */
export async function promiseMessage(
  submission: Fields | Raw,
  by: Submitter,
  how: AcceptOptions,
  world: AcceptWorld,
): Promise<Promised | Refusal | 'lost-the-race'> {
  const read = submission.kind === 'fields' ? readDraft(submission) : readRaw(submission)
  if ('kind' in read) return read
  const restricted = how.restrict?.(partiesOf(read))
  if (restricted) return restricted
  const sender = await checkSender(read, by, world)
  if ('detail' in sender) return sender
  const dropSuppressed = how.dropSuppressed ?? sender.dropSuppressedRecipients
  const allowed = await checkRecipients(read.recipients, {
    sender,
    from: read.from,
    subject: subjectOf(read),
    by,
    world,
    dropSuppressed,
    ...(how.worker?.call === 'reply' && { isReply: true }),
  })
  if ('kind' in allowed) return allowed
  const taken = takeRates(allowed.counted, { by, sender, world })
  if ('kind' in taken) return taken
  let promised: Promised | Refusal | 'lost-the-race' | undefined
  try {
    promised = await promiseTo(allowed, { read, sender, by, how, world })
    return promised
  } finally {
    // What is not sent counts for nothing.
    if (promised === undefined || promised === 'lost-the-race' || 'kind' in promised) taken.giveBack()
  }
}

/** The rest of it, once it is known to whom it may go. */
async function promiseTo(
  allowed: Allowed,
  {
    read,
    sender,
    by,
    how,
    world,
  }: {
    readonly read: ReadDraft | ReadRaw
    readonly sender: FitSender
    readonly by: Submitter
    readonly how: AcceptOptions
    readonly world: AcceptWorld
  },
): Promise<Promised | Refusal | 'lost-the-race'> {
  const id = newId()
  const at = world.now()
  const counted = allowed.counted.length
  const reserved = counted > 0 ? await world.quota.reserve(by.accountId, counted, at) : undefined
  if (reserved && 'limit' in reserved) return overQuota(reserved, counted, at)
  const platform = platformHeaders({
    id,
    at,
    from: read.from,
    accountId: by.accountId,
    domainId: sender.domainId,
    returnPathDomain: sender.returnPathDomain,
    host: world.host,
    protocol: how.protocol,
    feedbackTag: world.feedbackTag(id),
  })
  const { sizeLimit, recipients, suppressed } = allowed
  const farTooLarge = checkSize('draft' in read ? read.leastBytes : read.bytes, sizeLimit)
  if (farTooLarge) return farTooLarge
  const composed =
    'draft' in read ? await composeMessage(read.draft, platform) : composeRaw(read.message, platform)
  // A raw message has the size that its sender gave it: SIZE (RFC 1870) promises room for that, whatever we add.
  const tooLarge = 'draft' in read ? checkSize(composed.length, sizeLimit) : undefined
  if (tooLarge) return tooLarge
  const content = await signMessage(composed, sender.signing, platform.date)

  const subject = subjectOf(read)
  const removedHeaders = 'draft' in read ? [] : read.message.removed
  const writes: Write[] = [
    ...(how.repeatable ? [rememberWrite(by.accountId, how.repeatable, id, at)] : []),
    ...(reserved ? [reserved] : []),
    eventWrite({
      type: 'accepted',
      at,
      accountId: by.accountId,
      domainId: sender.domainId,
      messageId: id,
      deliveryId: null,
      terminal: false,
      detail: {
        sender: read.from,
        recipients,
        subject,
        size: content.length,
        ...(removedHeaders.length > 0 && { removedHeaders }),
        ...(how.worker && { worker: how.worker }),
      },
    }),
    ...rejectedEvents(suppressed, {
      at,
      sender: read.from,
      subject,
      accountId: by.accountId,
      domainId: sender.domainId,
      messageId: id,
    }),
  ]
  const deliveries = recipients.map((recipient) => ({ deliveryId: newId(), recipient }))
  const deliveryIds = deliveries.map(({ deliveryId }) => deliveryId)
  // Before the promise: a delivery may settle before its commit's answer is back here.
  const verdicts = world.queue.verdicts.first(deliveryIds, how.waitMs)
  how.onCommitting?.()
  const promised = await world.queue.promise({
    message: {
      id,
      accountId: by.accountId,
      domainId: sender.domainId,
      headerMessageId: platform.messageId,
      sender: read.from,
      returnPathDomain: sender.returnPathDomain,
      subject,
      previewEnabled: sender.previewEnabled,
      // RFC 8689 §5: REQUIRETLS counts more than what the header says.
      tls: how.tls ?? ('message' in read && read.message.tlsOptional ? 'optional' : 'policy'),
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
    if (promised.conflict === RESERVE)
      return overQuota(await world.quota.report(by.accountId, at), counted, at)
    throw new Error(`a promise conflicted in ${promised.conflict}`)
  }
  const accepted = verdicts.then((known): Accepted => {
    const having = (...wanted: (string | undefined)[]) =>
      deliveries
        .filter(({ deliveryId }) => wanted.includes(known.get(deliveryId)))
        .map(({ recipient }) => recipient)
    return {
      id,
      messageId: platform.messageId,
      delivered: having('delivered'),
      bounced: having('bounced', 'failed'),
      queued: having(undefined, 'deferred'),
      suppressed,
      removedHeaders,
    }
  })
  return { id, accepted }
}

function subjectOf(read: ReadDraft | ReadRaw): string {
  return 'draft' in read ? read.draft.subject : read.message.subject
}

function partiesOf(read: ReadDraft | ReadRaw): {
  readonly senders: readonly Recipient[]
  readonly recipients: readonly Recipient[]
} {
  const { recipients } = read
  if ('draft' in read) return { senders: [{ address: read.from, pointer: '/from' }], recipients }
  const envelope = { address: read.envelopeFrom, pointer: '/from' }
  return { senders: [envelope, { address: read.from, pointer: read.messagePointer }], recipients }
}

/** The From header's domain and the envelope's must both be the account's; the From header's signs. */
async function checkSender(
  read: ReadDraft | ReadRaw,
  by: Submitter,
  world: AcceptWorld,
): Promise<FitSender | Refusal> {
  const whose = { by, domains: world.domains }
  const sender = await findSender(read.from, 'message' in read ? read.messagePointer : '/from', whose)
  if ('draft' in read || 'detail' in sender || domainOf(read.envelopeFrom) === domainOf(read.from))
    return sender
  const envelope = await findSender(read.envelopeFrom, '/from', whose)
  return 'detail' in envelope ? envelope : sender
}
