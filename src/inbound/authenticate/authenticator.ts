import { Worker } from 'node:worker_threads'
import type { Resolver } from '#net/resolver.ts'
import type { ArrivedMail, Authentication } from './authentication.ts'
import { answerDns, type DnsAnswer } from './dns-question.ts'
import type { FromThread, ToThread } from './verify-thread.ts'

/** Authenticate: what a message proves of its origin. In: messages of strangers, with what their session told. Out: SPF
 *  and DKIM verdicts.
 *  Promise: every call answers within its time, whatever the message and its DNS do; neither holds up the process, and
 *  the work is done in a bounded number of threads. What could not be found out is told apart from what is not so. */
export interface Authenticator {
  /** `unavailable`: too many wait, or the message took a thread too long. It may be tried again later. */
  authenticate(mail: ArrivedMail): Promise<Authentication | 'unavailable'>
  /** Ends the threads; what is under way is `unavailable`. */
  close(): Promise<void>
}

export interface AuthenticatorOptions {
  readonly resolver: Resolver
  readonly threads?: number
  /** Messages that a thread has in hand at once: most of the time each waits for DNS. */
  readonly perThread?: number
  readonly waiting?: number
  /** How long DNS may take for one message; then it has failed for now. RFC 7208 §4.6.4 wants 20 s at least. */
  readonly dnsMs?: number
  /** How long a thread may then take with what it has. */
  readonly graceMs?: number
}

/** For JavaScript objects. Contents lie outside this memory. */
const HEAP_MB = 256

interface Task {
  readonly mail: ArrivedMail
  readonly resolve: (result: Authentication | 'unavailable') => void
  readonly reject: (error: Error) => void
}

export function openAuthenticator(options: AuthenticatorOptions): Authenticator {
  const { threads = 2, perThread = 8, waiting = 200 } = options
  const pool: VerifyThread[] = []
  const queue: Task[] = []
  let closed = false

  function next(): void {
    for (let task = queue[0]; task !== undefined; task = queue[0]) {
      const thread = roomyThread()
      if (thread === undefined) return
      queue.shift()
      thread.take(task)
    }
  }

  function roomyThread(): VerifyThread | undefined {
    const idlest = pool.toSorted((one, other) => one.load - other.load)[0]
    if (idlest?.load === 0) return idlest
    if (pool.length < threads) return startThread()
    return idlest && idlest.load < perThread ? idlest : undefined
  }

  function startThread(): VerifyThread {
    const thread = new VerifyThread(options, {
      done: next,
      gone: () => {
        pool.splice(pool.indexOf(thread), 1)
        next()
      },
    })
    pool.push(thread)
    return thread
  }

  return {
    authenticate: (mail) =>
      new Promise((resolve, reject) => {
        if (closed || queue.length >= waiting) return resolve('unavailable')
        queue.push({ mail, resolve, reject })
        next()
      }),
    async close() {
      closed = true
      for (const task of queue.splice(0)) task.resolve('unavailable')
      await Promise.all(pool.map((thread) => thread.end()))
    },
  }
}

interface Running extends Task {
  readonly timer: NodeJS.Timeout
  /** Resolves when DNS has had its time. */
  readonly dnsOver: Promise<DnsAnswer>
}

const OUT_OF_TIME: DnsAnswer = { code: 'ESERVFAIL' }

/** One thread and the messages that it has. It is ended when one of them takes it too long, and with it the others. */
class VerifyThread {
  readonly #resolver: Resolver
  readonly #dnsMs: number
  readonly #graceMs: number
  readonly #worker: Worker
  readonly #on: { readonly done: () => void; readonly gone: () => void }
  readonly #running = new Map<number, Running>()
  #count = 0

  constructor(
    { resolver, dnsMs = 20_000, graceMs = 10_000 }: AuthenticatorOptions,
    on: { readonly done: () => void; readonly gone: () => void },
  ) {
    this.#resolver = resolver
    this.#dnsMs = dnsMs
    this.#graceMs = graceMs
    this.#on = on
    this.#worker = new Worker(new URL('./verify-thread.ts', import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
    })
    // Its 'exit' follows, also when it ran out of memory.
    this.#worker.on('error', () => undefined)
    this.#worker.on('exit', () => this.#lose())
    this.#worker.on('message', (message: FromThread) => void this.#hear(message))
  }

  get load(): number {
    return this.#running.size
  }

  take(task: Task): void {
    const id = ++this.#count
    const over = Promise.withResolvers<DnsAnswer>()
    const timer = setTimeout(() => {
      over.resolve(OUT_OF_TIME)
      const running = this.#running.get(id)
      const grace = setTimeout(() => void this.end(), this.#graceMs)
      if (running) this.#running.set(id, { ...running, timer: grace })
      else clearTimeout(grace)
    }, this.#dnsMs)
    this.#running.set(id, { ...task, timer, dnsOver: over.promise })
    this.#worker.ref()
    const { content, ...session } = task.mail
    // Copied, because the thread takes over the memory that it is given.
    const copy = new Uint8Array(content)
    this.#tell({ kind: 'verify', id, content: copy, ...session }, [copy.buffer])
  }

  async end(): Promise<void> {
    await this.#worker.terminate()
  }

  #tell(message: ToThread, memory: ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, memory)
  }

  async #hear(message: FromThread): Promise<void> {
    // A thread that waits for work must not keep the process alive.
    if (message.kind === 'ready') return this.#rest()
    const running = this.#running.get(message.id)
    if (running === undefined) return
    if (message.kind === 'question') {
      const answer = await Promise.race([this.#ask(message), running.dnsOver])
      this.#tell({ kind: 'answer', question: message.question, answer })
      return
    }
    clearTimeout(running.timer)
    this.#running.delete(message.id)
    if (message.kind === 'verified') running.resolve(message.authentication)
    else running.reject(new Error('The thread that verifies mail failed', { cause: message.error }))
    this.#rest()
    this.#on.done()
  }

  /** A resolver that breaks its promise not to reject must not leave a message waiting. */
  async #ask(question: FromThread & { kind: 'question' }): Promise<DnsAnswer> {
    try {
      return await answerDns(this.#resolver, question)
    } catch {
      return OUT_OF_TIME
    }
  }

  #rest(): void {
    if (this.#running.size === 0) this.#worker.unref()
  }

  #lose(): void {
    for (const { timer, resolve } of this.#running.values()) {
      clearTimeout(timer)
      resolve('unavailable')
    }
    this.#running.clear()
    this.#on.gone()
  }
}
