import { ContentBuffer, type MemoryBudget, memoryBudget } from '#smtp/content-buffer.ts'
import type { DataSink, SmtpHandler, SmtpSession } from '#smtp/handler.ts'
import type { Reply } from '#smtp/reply.ts'
import { StoreFull } from '#store/store.ts'
import type { Inbox } from './inbox.ts'

export interface ReceiverOptions {
  readonly inbox: Inbox
  /** Recipients at this domain are the simulator's. */
  readonly simulator?: { readonly domain: string; readonly handler: SmtpHandler }
  /** Octets of content held at once, over all sessions. */
  readonly memoryLimit?: number
}

const DEFAULT_MEMORY = 256 * 1024 * 1024

// RFC 3463 §3.4: X.3.1, the mail system is full; RFC 5321 §4.2.3: 452, insufficient system storage.
const FULL: Reply = { code: 452, enhanced: '4.3.1', text: 'The disk of the inbox is full, try again later' }
const BUSY: Reply = {
  code: 452,
  enhanced: '4.3.1',
  text: 'Too much mail is arriving at once, try again later',
}
// RFC 5321 §4.5.3.1.10: a client sends the recipients refused with 452 in a transaction of their own.
const ONE_KIND: Reply = {
  code: 452,
  enhanced: '4.5.3',
  text: 'Simulated and other recipients do not share a transaction',
}

/** The sandbox as an SMTP server: every recipient is right and every message goes to the inbox as it is, without trace
 *  fields, so that what is seen there is what was sent. Its 250 comes when the message is on disk. */
export function createReceiver({
  inbox,
  simulator,
  memoryLimit = DEFAULT_MEMORY,
}: ReceiverOptions): SmtpHandler {
  const budget = memoryBudget(memoryLimit)
  const simulated = (recipient: string | undefined) =>
    simulator !== undefined && recipient?.toLowerCase().endsWith(`@${simulator.domain}`) === true

  return {
    connect: (session) => simulator?.handler.connect?.(session),
    mail: (session, from, parameters) => simulator?.handler.mail?.(session, from, parameters),
    rcpt(session, to, parameters) {
      const [first] = session.envelope.to
      if (first !== undefined && simulated(first) !== simulated(to)) return ONE_KIND
      return simulated(to) ? simulator?.handler.rcpt?.(session, to, parameters) : undefined
    },
    data(session) {
      if (simulator && simulated(session.envelope.to[0])) return simulator.handler.data(session)
      return receive(session, inbox, budget)
    },
    close: (session) => simulator?.handler.close?.(session),
  }
}

function receive({ envelope }: SmtpSession, inbox: Inbox, budget: MemoryBudget): DataSink {
  const { from = '', to } = envelope
  const gathered = new ContentBuffer(budget)
  let fits = true
  return {
    write(chunk) {
      if (!fits) return
      fits = gathered.append(chunk)
      if (!fits) gathered.release()
    },
    async end() {
      if (!fits) return BUSY
      try {
        const { ID } = await inbox.add(gathered.content, { from, to: [...to] })
        return { code: 250, enhanced: '2.0.0', text: `Kept in the inbox as ${ID}` }
      } catch (error) {
        if (error instanceof StoreFull) return FULL
        throw error
      } finally {
        gathered.release()
      }
    },
    abort: () => gathered.release(),
  }
}
