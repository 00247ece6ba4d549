import type { Workers } from '#registry/workers/workers.ts'
import type { WorkerPlace } from '#workers/runtime/host-services.ts'
import { readLocalMessage } from './read-local-message.ts'
import { type LocalReport, type LocalRunWorld, localReport, runLocalMessage } from './run-local-message.ts'

export interface TriedMessage {
  readonly from: string
  readonly to: string
  readonly raw: Buffer
}

/** `gone`: there is no such Worker. */
export type Tried =
  | { readonly kind: 'ran'; readonly report: LocalReport }
  | { readonly kind: 'unfit'; readonly detail: string; readonly field?: 'from' | 'to' | 'raw' }
  | { readonly kind: 'gone' }
  | { readonly kind: 'busy' }

export type TryMessage = (place: WorkerPlace, message: TriedMessage) => Promise<Tried>

/** Each is in memory whole. */
const MOST_AT_ONCE = 16

/** Has the Worker's owner try it with a message, by the rules of those that are brought by hand in development: what it
 *  forwards and replies goes to the inbox, whoever it is for. */
export function openTryMessage(
  world: LocalRunWorld & { readonly workers: Pick<Workers, 'current'> },
): TryMessage {
  let atWork = 0
  return async ({ accountId, scriptName }, { from, to, raw }) => {
    const message = readLocalMessage({ from, to }, raw)
    if ('detail' in message) return { kind: 'unfit', ...message }
    if (atWork >= MOST_AT_ONCE) return { kind: 'busy' }
    atWork++
    try {
      const version = await world.workers.current(accountId, scriptName)
      if (!version) return { kind: 'gone' }
      return { kind: 'ran', report: await localReport(await runLocalMessage(world, version, message)) }
    } finally {
      atWork--
    }
  }
}
