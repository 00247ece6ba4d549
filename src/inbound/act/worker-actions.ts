import { foldAddress } from '#model/address.ts'
import { isAddress, parseAddress } from '#protocol/address.ts'
import type { EmailHost, HostError, MadeMessage } from '#workers/runtime/host-services.ts'
import { forwardByWorker, type Onward } from './forward-by-worker.ts'
import type { Handed, WorkerWorld } from './hand-to-worker.ts'
import { incomingIds } from './incoming-ids.ts'
import { replyByWorker } from './reply-by-worker.ts'
import type { DoneByWorker } from './worker-end.ts'

/** What a Worker may do with one message, while it has it. */
export interface WorkerActions {
  readonly host: EmailHost
  /** Ends that. Resolves once everything that it asked for is over; never rejects. */
  settle(): Promise<DoneByWorker>
}

const OVER: HostError = {
  code: 'E_INTERNAL_SERVER_ERROR',
  message: 'The message is settled: its handler has returned.',
}
const BROKEN: HostError = { code: 'E_INTERNAL_SERVER_ERROR', message: 'Internal server error' }

/** As many destinations as an account may have (platform-limits.md). */
const MOST_FORWARDS = 200
const TOO_MANY: HostError = {
  code: 'E_TOO_MANY_RECIPIENTS',
  message: `forward(): the message goes to ${MOST_FORWARDS} destinations already.`,
}

export function openWorkerActions(world: WorkerWorld, handed: Handed): WorkerActions {
  /** By folded address: the same destination twice is one. */
  const forwards = new Map<string, Promise<Onward>>()
  let reply: Promise<MadeMessage | HostError> | undefined
  let isOver = false

  function broken(error: unknown): HostError {
    const { incoming, recipient, scriptName } = handed
    const ids = { ...incomingIds(incoming, recipient), worker: scriptName }
    world.log.error({ err: error, ...ids }, 'act: what a Worker asked for failed inside')
    return BROKEN
  }

  async function onward(...of: Parameters<EmailHost['forward']>): Promise<Onward> {
    const [rcptTo, headers] = of
    const destination = parseAddress(rcptTo)
    if (!isAddress(destination)) {
      const message = `forward(): ${JSON.stringify(rcptTo.slice(0, 100))} is no address: ${destination.detail}`
      return { kind: 'failed', error: { code: 'E_VALIDATION_ERROR', message } }
    }
    const key = foldAddress(destination)
    const known = forwards.get(key)
    if (known) return known
    if (forwards.size >= MOST_FORWARDS) return { kind: 'failed', error: TOO_MANY }
    const made = forwardByWorker(world, handed, destination, headers).catch(
      (error: unknown): Onward => ({ kind: 'failed', error: broken(error) }),
    )
    forwards.set(key, made)
    const came = await made
    // Nothing has become of it: it may be tried again, with other headers perhaps.
    if (came.kind === 'failed') forwards.delete(key)
    return came
  }

  return {
    host: {
      async forward(rcptTo, headers) {
        if (isOver) return OVER
        const came = await onward(rcptTo, headers)
        return came.kind === 'taken' ? { messageId: came.messageId } : came.error
      },

      async reply(message) {
        if (isOver) return OVER
        if (reply) return ALREADY
        reply = replyByWorker(world, handed, message).catch(broken)
        const made = await reply
        if ('code' in made) reply = undefined
        return made
      },
    },

    async settle() {
      isOver = true
      const came = await Promise.all(forwards.values())
      const made = await reply
      return {
        forwards: came.flatMap((one) => (one.kind === 'taken' ? [one.forward] : [])),
        refusals: came.flatMap((one) =>
          one.kind === 'refused' ? [{ message: one.error.message, answer: one.answer }] : [],
        ),
        ...(made && 'messageId' in made && { reply: made.messageId }),
      }
    },
  }
}

const ALREADY: HostError = {
  code: 'E_REPLY_ALREADY_SENT',
  message: 'reply(): a message can be replied to once, and has been.',
}
