import { type AddressInfo, createServer, type Socket } from 'node:net'
import { z } from 'zod'
import { answerParent } from './child.ts'
import { monotonicMs } from './clock.ts'

/** A counting SMTP server in a process of its own. It takes every message, keeps none, and counts copies by the id
 *  in X-Bench-Id (else Message-ID). It is no more of SMTP than a well-behaved client needs, so that it costs little
 *  beside what is measured. In: questions of the bench. Out: the answers below. */
export const SinkQuestion = z.discriminatedUnion('ask', [
  z.object({ ask: z.literal('port') }),
  z.object({ ask: z.literal('progress'), phase: z.string() }),
  z.object({ ask: z.literal('copies'), phase: z.string() }),
])
export const SinkPort = z.number()
/** `lastNewAt` is when the last id arrived that was not here before, on the monotonic clock; 0 for never. */
export const SinkProgress = z.object({
  distinct: z.number(),
  copies: z.number(),
  lastNewAt: z.number(),
  cpuSeconds: z.number(),
})
export const SinkCopies = z.array(z.tuple([z.string(), z.number()]))

/** What arrived of one phase: the part of an id before `-`, which keeps the warm-up apart from the measured run. */
interface Phase {
  readonly copies: Map<string, number>
  total: number
  lastNewAt: number
}

const CRLF = Buffer.from('\r\n')
const HEADER_END = Buffer.from('\r\n\r\n')
const FINAL_DOT = Buffer.from('\r\n.\r\n')
const NOTHING = Buffer.alloc(0)

const phases = new Map<string, Phase>()

if (import.meta.main) {
  const server = createServer({ noDelay: true }, serve)
  const port = new Promise<number>((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)),
  )
  answerParent((asked) => {
    const question = SinkQuestion.parse(asked)
    if (question.ask === 'port') return port
    const { copies, total, lastNewAt } = phase(question.phase)
    if (question.ask === 'copies') return [...copies]
    const { user, system } = process.cpuUsage()
    return { distinct: copies.size, copies: total, lastNewAt, cpuSeconds: (user + system) / 1e6 }
  })
}

function serve(socket: Socket): void {
  let pending: Buffer = NOTHING
  let inContent = false
  // Peers drop connections as they like; all that counts is what had its final dot.
  socket.on('error', () => socket.destroy())
  socket.write('220 sink.example ESMTP\r\n')
  socket.on('data', (chunk: Buffer) => {
    // A mark may straddle two chunks, so the search starts a little before the new one.
    let from = Math.max(0, pending.length - FINAL_DOT.length)
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
    let replies = ''
    for (;;) {
      const mark = inContent ? FINAL_DOT : CRLF
      const end = pending.indexOf(mark, from)
      if (end === -1) break
      if (inContent) {
        count(pending.subarray(0, end))
        inContent = false
        replies += '250 2.0.0 Ok\r\n'
      } else {
        const verb = pending.toString('latin1', 0, Math.min(end, 4)).toUpperCase()
        inContent = verb === 'DATA'
        replies += answer(verb)
        if (verb === 'QUIT') socket.end(replies)
      }
      pending = pending.subarray(end + mark.length)
      from = 0
    }
    if (replies !== '' && !socket.writableEnded) socket.write(replies, 'latin1')
  })
}

function answer(verb: string): string {
  switch (verb) {
    case 'EHLO':
      return '250-sink.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 31457280\r\n'
    case 'DATA':
      return '354 Go on\r\n'
    case 'QUIT':
      return '221 2.0.0 Bye\r\n'
    case 'HELO':
    case 'MAIL':
    case 'RCPT':
    case 'RSET':
    case 'NOOP':
      return '250 2.0.0 Ok\r\n'
    default:
      return '502 5.5.2 Not known here\r\n'
  }
}

function count(content: Buffer): void {
  const headerEnd = content.indexOf(HEADER_END)
  const header = content.toString('latin1', 0, headerEnd === -1 ? content.length : headerEnd)
  const id =
    /^x-bench-id:\s*<?([^\s>]+)/im.exec(header)?.[1] ??
    /^message-id:\s*<?([^\s>]+)/im.exec(header)?.[1] ??
    '-'
  const seen = phase(id.slice(0, Math.max(0, id.indexOf('-'))))
  const before = seen.copies.get(id) ?? 0
  seen.copies.set(id, before + 1)
  seen.total++
  if (before === 0) seen.lastNewAt = monotonicMs()
}

function phase(name: string): Phase {
  const known = phases.get(name)
  if (known !== undefined) return known
  const fresh: Phase = { copies: new Map(), total: 0, lastNewAt: 0 }
  phases.set(name, fresh)
  return fresh
}
