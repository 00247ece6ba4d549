import { randomBytes } from 'node:crypto'
import type { EmailHost } from './host-services.ts'
import type { Exception, WorkerTrace } from './worker-trace.ts'

/** How `email()` ended, as the Worker's side says it. */
export interface Verdict {
  /** Of `setReject()`. */
  readonly reason?: string
  readonly exception?: Exception
}

/** One message in the hands of a Worker. */
export interface EmailInvocation {
  readonly host: EmailHost
  /** Where the header was too long to travel with the request. */
  readonly headers: readonly (readonly [string, string])[]
  readonly settle: (verdict: Verdict) => void
  readonly traced: (trace: Pick<WorkerTrace, 'outcome' | 'logs' | 'exceptions' | 'eventTimestamp'>) => void
}

/** The messages that a process has in its hands. A token opens one of them, until its handler is over; what it logged
 *  comes after that, since `waitUntil()` may go on. */
export class Invocations {
  readonly #open = new Map<string, EmailInvocation>()
  readonly #untraced = new Map<string, EmailInvocation['traced']>()
  readonly #cancelled = new Set<string>()

  begin(invocation: EmailInvocation): string {
    const token = randomBytes(16).toString('hex')
    this.#open.set(token, invocation)
    this.#untraced.set(token, invocation.traced)
    return token
  }

  open(token: string): EmailInvocation | undefined {
    return this.#open.get(token)
  }

  /** Nothing is done for it any more. */
  end(token: string): void {
    this.#open.delete(token)
  }

  /** Once. */
  takeUntraced(token: string): EmailInvocation['traced'] | undefined {
    const traced = this.#untraced.get(token)
    this.#untraced.delete(token)
    return traced
  }

  /** A batch or cron that is not waited for any more. workerd calls its end a good one. */
  cancelled(event: WorkerTrace['event']): void {
    this.#cancelled.add(nameOf(event))
  }

  /** Once. */
  takeCancelled(event: WorkerTrace['event']): boolean {
    return this.#cancelled.delete(nameOf(event))
  }
}

/** Which of those that are under way, as far as its event tells. */
function nameOf({ queue, batchSize, cron, scheduledTime }: WorkerTrace['event']): string {
  return JSON.stringify([queue, batchSize, cron, scheduledTime])
}
