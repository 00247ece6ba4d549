import { availableParallelism } from 'node:os'
import type { ArrivedMail, Authentication, SenderSession, SpfVerdict } from './authentication.ts'
import { isLarge, type Task, VerifyingThread, type VerifyingThreadOptions } from './verifying-thread.ts'

/** Authenticate: what a message proves of its origin. In: messages of strangers, with what their session told. Out: the
 *  verdicts of SPF, DKIM, DMARC and ARC.
 *  Promise: every call answers within its time, whatever the message and its DNS do; neither holds up the process, and
 *  the work is done in a bounded number of threads and of memory. What could not be found out is told apart from what is
 *  not so. What follows from a verdict is decided elsewhere. */
export interface Authenticator {
  /** `spf`: what `checkSender` said of the same session, which is then not asked again. `unavailable`: too many wait, or
   *  the message took a thread too long. It may be tried again later. Rejects where a file cannot be read. */
  authenticate(
    mail: ArrivedMail,
    known?: { readonly spf?: SpfVerdict | undefined },
  ): Promise<Authentication | 'unavailable'>
  /** SPF alone, before there is a message. */
  checkSender(session: SenderSession): Promise<SpfVerdict | 'unavailable'>
  /** Ends the threads; what is under way is `unavailable`. */
  close(): Promise<void>
}

export interface AuthenticatorOptions extends VerifyingThreadOptions {
  readonly threads?: number
  /** Tasks that a thread has in hand at once: most of the time each waits for DNS. One of them at most reads a file. */
  readonly perThread?: number
  readonly waiting?: number
}

/** One verifies more than a core signs, and costs 40 MB: the others are for the doors, the store and the signatures. */
const HALF_THE_CORES = Math.max(1, Math.floor(availableParallelism() / 2))

export function openAuthenticator(options: AuthenticatorOptions): Authenticator {
  const { threads = HALF_THE_CORES, perThread = 8, waiting = 200 } = options
  const pool: VerifyingThread[] = []
  /** Those that read a file wait apart, so that the others need not wait for them. */
  const queues: { readonly small: Task[]; readonly large: Task[] } = { small: [], large: [] }
  let closed = false

  function next(): void {
    startOf(queues.small, roomyThread)
    startOf(queues.large, () => roomyThread(({ large }) => large === 0))
  }

  function startOf(queue: Task[], findThread: () => VerifyingThread | undefined): void {
    for (let task = queue[0]; task !== undefined; task = queue[0]) {
      const thread = findThread()
      if (thread === undefined) return
      queue.shift()
      thread.take(task)
    }
  }

  function roomyThread(fits: (thread: VerifyingThread) => boolean = () => true): VerifyingThread | undefined {
    const idlest = pool.filter(fits).toSorted((one, other) => one.load - other.load)[0]
    if (idlest?.load === 0) return idlest
    if (pool.length < threads) return startThread()
    return idlest && idlest.load < perThread ? idlest : undefined
  }

  function startThread(): VerifyingThread {
    const thread = new VerifyingThread(options, {
      done: next,
      gone: () => {
        pool.splice(pool.indexOf(thread), 1)
        next()
      },
    })
    pool.push(thread)
    return thread
  }

  function enqueue(task: Task): void {
    const queue = isLarge(task) ? queues.large : queues.small
    if (closed || queue.length >= waiting) return task.resolve('unavailable')
    queue.push(task)
    next()
  }

  return {
    authenticate: (mail, { spf } = {}) =>
      new Promise((resolve, reject) => enqueue({ kind: 'verify', mail, spf, resolve, reject })),
    checkSender: (session) =>
      new Promise((resolve, reject) => enqueue({ kind: 'check-sender', session, resolve, reject })),
    async close() {
      closed = true
      for (const queue of [queues.small, queues.large]) {
        for (const task of queue.splice(0)) task.resolve('unavailable')
      }
      await Promise.all(pool.map((thread) => thread.end()))
    },
  }
}
