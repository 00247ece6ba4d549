import type { Taken } from '#inbound/feedback/came-back.ts'
import type { Feedback } from '#inbound/feedback/feedback.ts'
import type { FeedbackAddress } from '#inbound/feedback/returned-to.ts'
import type { Log } from '#observe/log.ts'
import { readHeader } from '#protocol/read-header.ts'
import { ContentBuffer, type MemoryBudget } from '#smtp/content-buffer.ts'
import type { DataSink, SmtpSession } from '#smtp/handler.ts'
import type { Reply } from '#smtp/reply.ts'

export interface ReceiveWorld {
  readonly feedback: Feedback
  readonly memory: MemoryBudget
  readonly log: Log
}

// RFC 5321 §4.2.3: 452, insufficient system storage.
const BUSY: Reply = {
  code: 452,
  enhanced: '4.3.1',
  text: 'Too much mail is arriving at once, try again later',
}
// RFC 5321 §6.3
const LOOP: Reply = { code: 554, enhanced: '5.4.6', text: 'Too many hops: the message seems to loop' }

const REPLIES = {
  taken: { code: 250, enhanced: '2.0.0', text: 'Ok' },
  unsettled: {
    code: 451,
    enhanced: '4.3.2',
    text: 'The delivery that this is about is being settled, try again later',
  },
  'dns-failed': {
    code: 451,
    enhanced: '4.4.3',
    text: 'DNS could not be asked about the sender, try again later',
  },
  busy: BUSY,
} as const satisfies Record<Taken, Reply>

/** More than any way through the world has; loops have them all. */
const MOST_HOPS = 30
const HEADER_LIMITS = { fields: 1000, bytes: 256 * 1024 }

/** Gathers one mail that came back and hands it to feedback. It is kept nowhere. */
export function receiveReturned(session: SmtpSession, to: FeedbackAddress, world: ReceiveWorld): DataSink {
  const gathered = new ContentBuffer(world.memory)
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
        return await take(session, to, gathered.content, world)
      } finally {
        gathered.release()
      }
    },
    abort: () => gathered.release(),
  }
}

async function take(
  { remoteAddress, helo, envelope }: SmtpSession,
  to: FeedbackAddress,
  content: Buffer,
  { feedback, log }: ReceiveWorld,
): Promise<Reply> {
  if (hopsOf(content) > MOST_HOPS) {
    log.info({ peer: remoteAddress }, 'mx: returned mail with too many hops')
    return LOOP
  }
  const mail = {
    content: { kind: 'memory', bytes: content },
    remoteAddress,
    helo,
    mailFrom: envelope.from ?? '',
  } as const
  return REPLIES[await feedback.take({ to, ...mail })]
}

function hopsOf(content: Buffer): number {
  const { fields } = readHeader(content, 0, HEADER_LIMITS)
  return fields.filter(({ name }) => name.toLowerCase() === 'received').length
}
