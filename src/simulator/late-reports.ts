import { composeBounce, composeComplaint, type Simulated } from './compose-report.ts'

/** What the simulator tells after it has accepted: a bounce or a complaint, by mail. In: messages that it took. Out:
 *  mail from the null sender, to the return path or to where the message wants complaints.
 *  Promise: a bounded number wait; each is sent once, and again only while it is put off; nothing is reported about
 *  mail from the null sender, so no report begets another. */
export interface LateReports {
  /** False where as many wait as may. */
  readonly room: boolean
  schedule(kind: 'late-bounce' | 'complaint', about: Omit<Simulated, 'at'>): void
  /** Forgets what waits, and waits for what is being sent. */
  close(): Promise<void>
}

export interface LateReportsOptions {
  /** Sends one mail over SMTP, from the null sender. `later`: the answer was 4yz. Must lead to our own MX only: who sent
   *  the message chose the address. */
  readonly send: (mail: {
    readonly to: string
    readonly content: Buffer
  }) => Promise<'sent' | 'refused' | 'later'>
  /** The message with its DKIM signature, by the domain of `complaintsFrom`. */
  readonly sign: (content: Buffer) => Promise<Buffer>
  /** Who bounces: a host name. */
  readonly host: string
  /** Who complains: an address. */
  readonly complaintsFrom: string
  /** Where a complaint goes about a message that names no address. */
  readonly complaintsTo: string
  /** How long after its 250, in milliseconds. */
  readonly delayMs?: number
  readonly now: () => number
  readonly onError: (error: unknown) => void
}

const MOST_WAITING = 1000
/** The delivery may still be on its way to the disk of whoever sent it. */
const TRIES = 8

export function openLateReports(options: LateReportsOptions): LateReports {
  const { send, sign, host, complaintsFrom, complaintsTo, delayMs = 500, now, onError } = options
  const timers = new Set<NodeJS.Timeout>()
  const running = new Set<Promise<void>>()
  let closed = false

  function after(ms: number, task: () => Promise<void>): void {
    const timer = setTimeout(() => {
      timers.delete(timer)
      const run = task().catch(onError)
      running.add(run)
      void run.finally(() => running.delete(run))
    }, ms)
    timers.add(timer)
  }

  async function deliver(mail: { to: string; content: Buffer }, tries: number): Promise<void> {
    const answer = await send(mail)
    if (answer === 'later' && tries < TRIES && !closed) {
      after(delayMs * 2 ** tries, () => deliver(mail, tries + 1))
    }
  }

  return {
    get room() {
      return timers.size + running.size < MOST_WAITING
    },
    schedule(kind, about) {
      if (about.returnPath === '' || closed) return
      const simulated = { ...about, at: new Date(now()) }
      const mail =
        kind === 'late-bounce'
          ? { to: about.returnPath, content: composeBounce(simulated, host) }
          : composeComplaint(simulated, { reporter: complaintsFrom, otherwise: complaintsTo })
      after(delayMs, async () => {
        const content = kind === 'complaint' ? await sign(mail.content) : mail.content
        await deliver({ to: mail.to, content }, 0)
      })
    },
    async close() {
      closed = true
      for (const timer of timers) clearTimeout(timer)
      timers.clear()
      await Promise.all(running)
    },
  }
}
