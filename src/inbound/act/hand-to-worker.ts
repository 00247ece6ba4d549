import type { Routed } from '#model/routing.ts'
import { foreignResults } from '#protocol/authentication-results.ts'
import type { RoutedDomain } from '#registry/domains/routed-domain.ts'
import type { Destinations } from '#registry/routes/destinations.ts'
import { StoreFull } from '#store/store.ts'
import type { Reply } from '#workers/binding/send-email.ts'
import type { EmailHost, HostError, MadeMessage, WorkerPlace } from '#workers/runtime/host-services.ts'
import type { EmailMessage, EmailOutcome } from '#workers/runtime/run-email.ts'
import type { Acted } from './combine-answers.ts'
import type { ForwardWorld } from './forward.ts'
import { forwardContent, headerWithout } from './forward-content.ts'
import type { Incoming, Recipient } from './incoming.ts'
import { incomingIds } from './incoming-ids.ts'
import { resultWords } from './judge-origin.ts'
import type { Judged } from './judged.ts'
import { rewrittenSender, type SealWorld } from './prepare-forward.ts'
import { endEvent } from './routed-event.ts'
import { openWorkerActions } from './worker-actions.ts'
import { type WorkerEnd, workerEnd } from './worker-end.ts'

export interface WorkerWorld extends ForwardWorld, SealWorld {
  /** Has the Worker's current version handle a message. */
  readonly runWorker: (
    place: WorkerPlace,
    message: EmailMessage,
    host: EmailHost,
  ) => Promise<EmailOutcome | 'no-worker'>
  /** Sends what a Worker answers; who may answer whom was judged already. */
  readonly sendReply: (reply: Reply) => Promise<MadeMessage | HostError>
  readonly destinations: Pick<Destinations, 'verified'>
}

/** One message for one Worker. */
export interface Handed {
  readonly incoming: Incoming
  readonly recipient: Recipient
  readonly domain: RoutedDomain
  readonly scriptName: string
  readonly judged: Judged
  readonly routed: Routed
}

/** Has a Worker decide, while the sender waits: what it asks for is done as it asks, and its end is the sender's answer. */
export async function handToWorker(world: WorkerWorld, handed: Handed): Promise<Acted> {
  const { domain, scriptName, incoming } = handed
  const actions = openWorkerActions(world, handed)
  const place = { accountId: domain.accountId, scriptName }
  const outcome = await world
    .runWorker(place, messageFor(world, handed), actions.host)
    .catch((error: unknown) => {
      const ids = incomingIds(incoming, handed.recipient)
      world.log.error({ err: error, ...ids, worker: scriptName }, 'act: a Worker could not be run')
      return { kind: 'unavailable', message: 'The Worker could not be run.' } as const
    })
  // Whatever it has asked for goes on without it, and may have delivered the message.
  const end = workerEnd(scriptName, outcome, await actions.settle())
  const record = () => recordEnd(world, handed, end)
  const { acted } = end
  if (acted.kind === 'refused') return { ...acted, record }
  await record()
  return acted
}

/** The message as it came, but for fields that bear our name and that we did not write: a Worker would believe them (RFC
 *  8601 §5). */
function messageFor(world: SealWorld, { incoming, recipient, judged }: Handed): EmailMessage {
  const { mailFrom, header, block } = incoming
  const without = foreignResults(block, world.service.routes[0])
  const content = forwardContent(incoming, { prefix: Buffer.alloc(0), without, eightBit: true })
  const isWhole = Buffer.isBuffer(content)
  return {
    from: mailFrom,
    to: recipient.to,
    header: headerWithout(header, without),
    raw: isWhole ? content : content.open(),
    rawSize: isWhole ? content.length : content.size,
    canBeForwarded: judged.body !== 'holds-nul' && rewrittenSender(world, incoming) !== 'unfit',
    authentication: resultWords(judged.authentication),
  }
}

/** A full disk may cost the event, and not the answer: the Worker would do everything once more. */
async function recordEnd(
  { store, log }: WorkerWorld,
  { incoming, recipient, routed }: Handed,
  { type, run, reason }: WorkerEnd,
): Promise<void> {
  const told = { ...routed, ...(reason !== undefined && { reason }), worker: run }
  try {
    await store.commit([endEvent(type, incoming, recipient, told)])
  } catch (error) {
    if (!(error instanceof StoreFull)) throw error
    const ids = { ...incomingIds(incoming, recipient), worker: run.scriptName }
    log.error({ err: error, ...ids }, 'act: the disk is full, what a Worker did has no event')
  }
}
