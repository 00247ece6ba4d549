import type { WorkerRun } from '#model/routing.ts'
import type { SmtpAnswer } from '#model/smtp-answer.ts'
import { withoutControls } from '#protocol/fold.ts'
import type { Failure } from '#workers/runtime/host-services.ts'
import type { Exception } from '#workers/runtime/worker-trace.ts'

/** How a handler ended, in the words of the runtime. */
export type HandlerOutcome =
  | { readonly kind: 'handled' }
  | { readonly kind: 'rejected'; readonly reason: string }
  | ({ readonly kind: 'exception' } & Exception)
  | Failure
  | 'no-worker'

/** What was done of what it asked for. */
export interface DoneByWorker {
  readonly forwards: WorkerRun['forwards']
  /** Forwards that the destination refused for good: what the Worker was told, and what the sender would be. */
  readonly refusals: readonly { readonly message: string; readonly answer: SmtpAnswer }[]
  /** Message-ID. */
  readonly reply?: string
}

export interface WorkerEnd {
  readonly type: 'handled' | 'rejected' | 'failed'
  readonly acted:
    | { readonly kind: 'taken' }
    | { readonly kind: 'refused'; readonly answer: SmtpAnswer }
    | { readonly kind: 'not-now'; readonly answer: SmtpAnswer }
  readonly run: WorkerRun
  readonly reason?: string
}

const MOST_REASON = 400
const MOST_MESSAGE = 1000
const MOST_STACK = 4000

const NO_WORKER: SmtpAnswer = {
  code: 451,
  enhanced: '4.3.0',
  text: 'What handles mail for this address is not available, try again later',
}

const FAILED: SmtpAnswer = {
  code: 451,
  enhanced: '4.3.0',
  text: 'What handles mail for this address has failed, try again later',
}

/** What a handler's end means for the sender and for the log. A failure leaves the message with the sender, unless
 *  somebody has it already: then the next attempt would be a second copy. */
export function workerEnd(scriptName: string, outcome: HandlerOutcome, done: DoneByWorker): WorkerEnd {
  const { forwards, refusals, reply } = done
  const did = { forwards, ...(reply !== undefined && { reply }) }
  const isForwarded = forwards.length > 0
  if (outcome !== 'no-worker' && outcome.kind === 'handled') {
    return { type: 'handled', acted: { kind: 'taken' }, run: { scriptName, outcome: 'handled', ...did } }
  }
  if (outcome !== 'no-worker' && outcome.kind === 'rejected') {
    const text = cut(withoutControls(outcome.reason).trim(), MOST_REASON) || 'Rejected'
    return {
      type: 'rejected',
      acted: { kind: 'refused', answer: { code: 550, enhanced: '5.7.1', text } },
      run: { scriptName, outcome: 'rejected', ...did },
      reason: isForwarded ? `${text} (it was forwarded before that, and stays so)` : text,
    }
  }
  const error = errorOf(outcome)
  // The destination has decided: the sender need not come again to hear it.
  const refusal = isForwarded ? undefined : refusals.find(({ message }) => message === error.message)
  return {
    type: 'failed',
    acted: isForwarded
      ? { kind: 'taken' }
      : refusal
        ? { kind: 'refused', answer: refusal.answer }
        : { kind: 'not-now', answer: isAbsent(outcome) ? NO_WORKER : FAILED },
    run: { scriptName, outcome: outcome === 'no-worker' ? 'missing' : outcome.kind, error, ...did },
    reason: `${cut(withoutControls(`${error.name}: ${error.message}`), MOST_REASON)}${
      isForwarded ? ' (it was forwarded before that: the sender was answered 250)' : ''
    }`,
  }
}

type Failed = Exclude<HandlerOutcome, { readonly kind: 'handled' | 'rejected' }>

const NAMES = {
  unavailable: 'UNAVAILABLE',
  crashed: 'CRASHED',
  timeout: 'TIMEOUT',
  'exceeded-cpu': 'EXCEEDED_CPU',
  'exceeded-memory': 'EXCEEDED_MEMORY',
} as const satisfies Record<Failure['kind'], string>

function errorOf(outcome: Failed): Exception {
  if (outcome === 'no-worker') return { name: 'NO_WORKER', message: 'The account has no such Worker.' }
  const message = cut(outcome.message, MOST_MESSAGE)
  if (outcome.kind !== 'exception') return { name: NAMES[outcome.kind], message }
  const { name, stack } = outcome
  return {
    name: cut(name, MOST_REASON),
    message,
    ...(stack !== undefined && { stack: cut(stack, MOST_STACK) }),
  }
}

function isAbsent(outcome: Failed): boolean {
  return outcome === 'no-worker' || outcome.kind === 'unavailable'
}

function cut(text: string, most: number): string {
  return text.slice(0, most).toWellFormed()
}
