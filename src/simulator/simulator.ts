import { LRUCache } from 'lru-cache'
import type { DataSink, SmtpHandler, SmtpSession } from '#smtp/handler.ts'
import type { Reply } from '#smtp/reply.ts'
import type { LateReports } from './late-reports.ts'

/** The simulator: recipients whose fate their local part names, at any domain and with any `+label`, in the sandbox
 *  and in production alike. In: SMTP sessions. Out: the scripted replies.
 *  Promise: what it answers 250 to was kept first; nothing it does holds up another session; its memory is bounded. */
export interface SimulatorOptions {
  /** Called with each message before its 250; when it rejects, the answer is 451. */
  readonly keep?: (message: SimulatedMessage) => Promise<void>
  /** How long `slow` takes, in milliseconds. */
  readonly slowMs?: number
  /** Tells what `late-bounce` and `complaint` have to tell; without it they refuse. */
  readonly reports?: LateReports
}

export interface SimulatedMessage {
  readonly from: string
  readonly to: readonly string[]
  /** CRLF line ends, without dot-stuffing. */
  readonly content: Buffer
}

export type SimulatedName =
  | 'delivered'
  | 'bounce'
  | 'softbounce'
  | 'deferred'
  | 'full'
  | 'policy'
  | 'slow'
  | 'disconnect'
  | 'suppressed'
  | 'late-bounce'
  | 'complaint'

/** Every simulated recipient and what happens to mail for it, in one line. */
export const SIMULATED: readonly { readonly name: SimulatedName; readonly explanation: string }[] = [
  { name: 'delivered', explanation: 'Accepts the message.' },
  { name: 'bounce', explanation: 'Refuses the recipient for good: 550 5.1.1, no such mailbox.' },
  {
    name: 'softbounce',
    explanation: 'Refuses twice for now with 451 4.3.2, then accepts; counted for each return path.',
  },
  {
    name: 'deferred',
    explanation: 'Refuses for now with 451 4.3.2, every time, until the delivery expires.',
  },
  { name: 'full', explanation: 'Refuses for now with 452 4.2.2, mailbox full, every time.' },
  {
    name: 'policy',
    explanation: 'Refuses for good with 550 5.7.1, against a policy; says nothing about the mailbox.',
  },
  { name: 'slow', explanation: 'Accepts the message after some seconds.' },
  { name: 'disconnect', explanation: 'Takes the content and closes the connection without a reply.' },
  {
    name: 'suppressed',
    explanation: 'Meant to be on your suppression list; mail that gets here all the same bounces: 550 5.1.1.',
  },
  {
    name: 'late-bounce',
    explanation: 'Accepts the message, then reports by mail to its return path that it bounced: 5.1.1.',
  },
  {
    name: 'complaint',
    explanation: 'Accepts the message, then sends a signed complaint to its CFBL-Address.',
  },
]

const NO_SUCH_MAILBOX: Reply = { code: 550, enhanced: '5.1.1', text: 'Simulated: no such mailbox' }
const NOT_NOW: Reply = { code: 451, enhanced: '4.3.2', text: 'Simulated: not accepting mail at the moment' }
const NOT_HERE: Reply = { code: 550, enhanced: '5.3.5', text: 'Not simulated here: nobody sends the report' }
const TOO_MANY: Reply = { code: 452, enhanced: '4.3.1', text: 'Too many reports wait, try again later' }
const ACCEPTED: Reply = { code: 250, enhanced: '2.0.0', text: 'Simulated: accepted' }
const UNKNOWN: Reply = {
  code: 550,
  enhanced: '5.1.1',
  text: `No such simulated recipient; there are ${SIMULATED.map(({ name }) => name).join(', ')}`,
}

/** What RCPT is answered; undefined accepts. `softbounce` counts, and reports need somebody to send them: these are
 *  decided apart. */
const AT_RCPT = {
  delivered: undefined,
  bounce: NO_SUCH_MAILBOX,
  softbounce: undefined,
  deferred: NOT_NOW,
  full: { code: 452, enhanced: '4.2.2', text: 'Simulated: mailbox full' },
  policy: { code: 550, enhanced: '5.7.1', text: 'Simulated: refused by policy' },
  slow: undefined,
  disconnect: undefined,
  suppressed: NO_SUCH_MAILBOX,
  'late-bounce': undefined,
  complaint: undefined,
} as const satisfies Record<SimulatedName, Reply | undefined>

const SOFT_BOUNCES = 2
/** Return paths whose soft bounces are remembered. One that is forgotten bounces twice more. */
const REMEMBERED = 10_000

export function createSimulator(options: SimulatorOptions = {}): SmtpHandler {
  const { keep = async () => {}, slowMs = 5000, reports } = options
  const softBounces = new LRUCache<string, number>({ max: REMEMBERED })

  function bounceSoftly(key: string): Reply | undefined {
    const before = softBounces.get(key) ?? 0
    if (before >= SOFT_BOUNCES) return undefined
    softBounces.set(key, before + 1)
    return NOT_NOW
  }

  return {
    rcpt(session, to) {
      const name = simulatedName(to)
      if (name === undefined) return UNKNOWN
      if (isReported(name)) return reports === undefined ? NOT_HERE : reports.room ? undefined : TOO_MANY
      return name === 'softbounce' ? bounceSoftly(softKey(session.envelope.from, to)) : AT_RCPT[name]
    },

    data(session): DataSink {
      const chunks: Buffer[] = []
      return {
        write: (chunk) => {
          chunks.push(chunk)
        },
        end: () => finish(session, Buffer.concat(chunks)),
        abort: () => {
          chunks.length = 0
        },
      }
    },
  }

  async function finish(session: SmtpSession, content: Buffer): Promise<Reply> {
    const { from = '', to } = session.envelope
    const names = new Set(to.map(simulatedName))
    if (names.has('disconnect')) session.destroy()
    else {
      if (names.has('slow')) await delay(slowMs)
      await keep({ from, to, content })
      for (const recipient of to) {
        softBounces.delete(softKey(from, recipient))
        const name = simulatedName(recipient)
        if (name && isReported(name)) reports?.schedule(name, { returnPath: from, recipient, content })
      }
    }
    return ACCEPTED
  }
}

/** The fate that a recipient's local part names, its `+label` left out; undefined for a name we do not know. */
export function simulatedName(recipient: string): SimulatedName | undefined {
  const local = recipient.slice(0, recipient.lastIndexOf('@')).toLowerCase()
  const name = local.split('+', 1)[0]
  return SIMULATED.find((simulated) => simulated.name === name)?.name
}

function isReported(name: SimulatedName): name is 'late-bounce' | 'complaint' {
  return name === 'late-bounce' || name === 'complaint'
}

/** Each delivery has its own return path; the null sender has one for all, so the recipient counts too. */
function softKey(from: string | undefined, to: string): string {
  return `${from ?? ''} ${to}`.toLowerCase()
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}
