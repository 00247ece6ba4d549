import { Worker } from 'node:worker_threads'
import type { Resolver, ReverseLookup } from '#net/resolver.ts'
import type { ArrivedMail, Authentication, SenderSession, SpfVerdict } from './authentication.ts'
import { answerDns, type DnsAnswer } from './dns-question.ts'
import type { FromThread, ThreadContent, ToThread } from './verify-thread.ts'

export interface VerifyingThreadOptions {
  readonly resolver: Resolver & Partial<ReverseLookup>
  /** How long DNS may take for one message; then it has failed for now. RFC 7208 §4.6.4 wants 20 s at least. */
  readonly dnsMs?: number
  /** How long a thread may then take with what it has. */
  readonly graceMs?: number
  /** Domains whose ARC sets are believed. */
  readonly trustedSealers?: readonly string[]
}

/** What a thread is given to do. */
export type Task = {
  readonly reject: (error: Error) => void
} & (
  | {
      readonly kind: 'verify'
      readonly mail: ArrivedMail
      readonly spf: SpfVerdict | undefined
      readonly resolve: (result: Authentication | 'unavailable') => void
    }
  | {
      readonly kind: 'check-sender'
      readonly session: SenderSession
      readonly resolve: (result: SpfVerdict | 'unavailable') => void
    }
)

interface Running {
  readonly task: Task
  readonly timer: NodeJS.Timeout
  /** Resolves when DNS has had its time. */
  readonly dnsOver: Promise<DnsAnswer>
}

/** For JavaScript objects; contents lie outside this memory. What is young is swept often, since it is what grows. */
const HEAP = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 8 }
const OUT_OF_TIME: DnsAnswer = { code: 'ESERVFAIL' }

export function isLarge(task: Task): boolean {
  return task.kind === 'verify' && task.mail.content.kind === 'file'
}

/** One thread and the tasks that it has. It is ended when one of them takes it too long, and with it the others. */
export class VerifyingThread {
  readonly #options: VerifyingThreadOptions
  readonly #worker: Worker
  readonly #on: { readonly done: () => void; readonly gone: () => void }
  readonly #running = new Map<number, Running>()
  #large = 0
  #count = 0

  constructor(options: VerifyingThreadOptions, on: { readonly done: () => void; readonly gone: () => void }) {
    this.#options = options
    this.#on = on
    this.#worker = new Worker(new URL('./verify-thread.ts', import.meta.url), {
      resourceLimits: HEAP,
    })
    // Its 'exit' follows, also when it ran out of memory.
    this.#worker.on('error', () => undefined)
    this.#worker.on('exit', () => this.#lose())
    this.#worker.on('message', (message: FromThread) => void this.#hear(message))
  }

  get load(): number {
    return this.#running.size
  }

  /** Tasks that read a file. */
  get large(): number {
    return this.#large
  }

  take(task: Task): void {
    const id = ++this.#count
    const over = Promise.withResolvers<DnsAnswer>()
    const { dnsMs = 20_000, graceMs = 10_000, trustedSealers = [] } = this.#options
    const timer = setTimeout(() => {
      over.resolve(OUT_OF_TIME)
      const running = this.#running.get(id)
      const grace = setTimeout(() => void this.end(), graceMs)
      if (running) this.#running.set(id, { ...running, timer: grace })
      else clearTimeout(grace)
    }, dnsMs)
    this.#running.set(id, { task, timer, dnsOver: over.promise })
    if (isLarge(task)) this.#large++
    this.#worker.ref()
    if (task.kind === 'check-sender') {
      this.#tell({ kind: 'check-sender', id, ...task.session })
      return
    }
    const { mail, spf } = task
    const { remoteAddress, helo, mailFrom } = mail
    const { content, memory } = forThread(mail)
    const session = { remoteAddress, helo, mailFrom }
    this.#tell({ kind: 'verify', id, content, spf, trustedSealers, ...session }, memory)
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
    const { task, timer } = running
    clearTimeout(timer)
    this.#running.delete(message.id)
    if (isLarge(task)) this.#large--
    if (message.kind === 'verified' && task.kind === 'verify') task.resolve(message.authentication)
    else if (message.kind === 'sender-checked' && task.kind === 'check-sender') task.resolve(message.spf)
    else {
      const cause = message.kind === 'fault' ? message.error : undefined
      task.reject(new Error('The thread that verifies mail failed', { cause }))
    }
    this.#rest()
    this.#on.done()
  }

  /** A resolver that breaks its promise not to reject must not leave a message waiting. */
  async #ask(question: FromThread & { kind: 'question' }): Promise<DnsAnswer> {
    try {
      return await answerDns(this.#options.resolver, question)
    } catch {
      return OUT_OF_TIME
    }
  }

  #rest(): void {
    if (this.#running.size === 0) this.#worker.unref()
  }

  #lose(): void {
    for (const { task, timer } of this.#running.values()) {
      clearTimeout(timer)
      task.resolve('unavailable')
    }
    this.#running.clear()
    this.#on.gone()
  }
}

function forThread({ content }: ArrivedMail): {
  readonly content: ThreadContent
  readonly memory: ArrayBuffer[]
} {
  if (content.kind === 'file') return { content, memory: [] }
  // Copied, because the thread takes over the memory that it is given.
  const bytes = new Uint8Array(content.bytes)
  return { content: { kind: 'memory', bytes }, memory: [bytes.buffer] }
}
