import { type Address, foldAddress } from '#model/address.ts'
import type { WorkerRun } from '#model/routing.ts'
import type { SmtpAnswer } from '#model/smtp-answer.ts'
import { StoreFull } from '#store/store.ts'
import { hostErrorOf } from '#workers/binding/host-error.ts'
import type { HostError } from '#workers/runtime/host-services.ts'
import { addedFields } from './added-fields.ts'
import type { Refused } from './combine-answers.ts'
import { forward } from './forward.ts'
import type { Handed, WorkerWorld } from './hand-to-worker.ts'
import { incomingIds } from './incoming-ids.ts'
import { prepareForward } from './prepare-forward.ts'

/** What became of a forward that a Worker asked for. */
export type Onward =
  /** Delivered, or promised. `messageId`: the Message-ID header, or what stands for it. */
  | {
      readonly kind: 'taken'
      readonly messageId: string
      readonly forward: WorkerRun['forwards'][number]
    }
  /** By the destination, for good. */
  | { readonly kind: 'refused'; readonly error: HostError; readonly answer: SmtpAnswer }
  /** It was not attempted, or may be attempted again. */
  | { readonly kind: 'failed'; readonly error: HostError }

const NUL: HostError = {
  code: 'E_DELIVERY_FAILED',
  message: 'forward(): the message contains NUL, and cannot be forwarded as it is.',
}

/** The same as for a rule that forwards: verified destinations alone, and the Worker waits for the real delivery. */
export async function forwardByWorker(
  world: WorkerWorld,
  { incoming, recipient, domain, judged, routed }: Handed,
  destination: Address,
  headers: readonly (readonly [name: string, value: string])[],
): Promise<Onward> {
  const { authentication, body, judgement } = judged
  if (body === 'holds-nul') return { kind: 'failed', error: NUL }
  const verified = await world.destinations.verified(domain.accountId, [foldAddress(destination)])
  if (verified.size === 0) return { kind: 'failed', error: unverified(destination) }
  const fields = addedFields(headers)
  if (typeof fields !== 'string') return { kind: 'failed', error: hostErrorOf(fields) }
  const order = await prepareForward(world, incoming, recipient, {
    ...{ routed, authentication, body, onward: { destination, fields } },
    tellsSender: judgement.provesSender,
  })
  if ('kind' in order) {
    return { kind: 'failed', error: deliveryFailed(`forward(): ${order.answer.text}.`) }
  }
  const acted = await forward(world, order)
  switch (acted.kind) {
    case 'taken': {
      const { id, headerMessageId } = order
      const messageId = headerMessageId || `<${id}@${domain.name}>`
      return { kind: 'taken', messageId, forward: { destination, messageId: id } }
    }
    case 'refused': {
      await recordRefusal(world, acted, { ...incomingIds(incoming, recipient), message: order.id })
      const { code, enhanced, text } = acted.answer
      const said = `${code} ${enhanced} ${text}`
      const error = deliveryFailed(`forward(): ${destination} was refused: ${said}`)
      return { kind: 'refused', error, answer: acted.answer }
    }
    case 'not-now': {
      const message = `forward(): ${acted.answer.text}.`
      return { kind: 'failed', error: { code: 'E_INTERNAL_SERVER_ERROR', message } }
    }
  }
}

/** The Worker is told, and the sender by the Worker. */
async function recordRefusal({ log }: WorkerWorld, refused: Refused, ids: object): Promise<void> {
  try {
    await refused.record(true)
  } catch (error) {
    if (!(error instanceof StoreFull)) throw error
    log.error({ err: error, ...ids }, 'act: the disk is full, a refused forward has no event')
  }
}

function deliveryFailed(message: string): HostError {
  // `workerEnd` knows it again by its words, and cuts longer ones.
  return { code: 'E_DELIVERY_FAILED', message: message.slice(0, 900).toWellFormed() }
}

function unverified(destination: Address): HostError {
  const message = `forward(): ${destination} is no verified destination address of this account. Add it, and have its owner confirm the mail that it gets.`
  return { code: 'E_RECIPIENT_NOT_ALLOWED', message }
}
