import { open } from 'node:fs/promises'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { z } from 'zod'
import { answerParent } from './child.ts'
import { monotonicMs } from './clock.ts'

/** A counting SMTP server in a process of its own. It takes every message, keeps none, and counts copies by the id
 *  in X-Bench-Id (else Message-ID). It is no more of SMTP than a well-behaved client needs, so that it costs little
 *  beside what is measured. Asked to, it writes messages to a file, and syncs that before it answers, once for all that
 *  ended meanwhile. In: questions of the bench. Out: the answers below. */
export const SinkQuestion = z.discriminatedUnion('ask', [
  z.object({ ask: z.literal('port') }),
  z.object({ ask: z.literal('sync'), file: z.string() }),
  z.object({ ask: z.literal('progress'), phase: z.string() }),
  z.object({ ask: z.literal('copies'), phase: z.string() }),
])
export const SinkSyncs = z.literal('syncs')
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
/** Octets from the start of a content in which its id is looked for. */
const HEAD = 64 * 1024

const phases = new Map<string, Phase>()
let file: SyncedFile | undefined

if (import.meta.main) {
  const server = createServer({ noDelay: true }, serve)
  const port = new Promise<number>((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)),
  )
  answerParent((asked) => {
    const question = SinkQuestion.parse(asked)
    if (question.ask === 'port') return port
    if (question.ask === 'sync') {
      file = openSyncedFile(question.file)
      return 'syncs'
    }
    const { copies, total, lastNewAt } = phase(question.phase)
    if (question.ask === 'copies') return [...copies]
    const { user, system } = process.cpuUsage()
    return { distinct: copies.size, copies: total, lastNewAt, cpuSeconds: (user + system) / 1e6 }
  })
}

function serve(socket: Socket): void {
  let pending: Buffer = NOTHING
  /** The start of the content that is arriving. */
  let head: Buffer | undefined
  let reading = false
  // Peers drop connections as they like; all that counts is what had its final dot.
  socket.on('error', () => socket.destroy())
  socket.write('220 sink.example ESMTP\r\n')
  socket.on('data', (chunk: Buffer) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
    if (!reading) void read()
  })

  async function read(): Promise<void> {
    reading = true
    let replies = ''
    const say = () => {
      if (replies !== '' && !socket.writableEnded) socket.write(replies, 'latin1')
      replies = ''
    }
    for (;;) {
      if (head !== undefined) {
        if (!takeContent(head)) break
        if (file !== undefined) {
          say()
          await file.synced()
        }
        count(head)
        head = undefined
        replies += '250 2.0.0 Ok\r\n'
      } else {
        const end = pending.indexOf(CRLF)
        if (end === -1) break
        const verb = pending.toString('latin1', 0, Math.min(end, 4)).toUpperCase()
        pending = pending.subarray(end + CRLF.length)
        if (verb === 'DATA') head = NOTHING
        replies += answer(verb)
        if (verb === 'QUIT') socket.end(replies)
      }
    }
    say()
    reading = false
  }

  /** Whether its final dot was there. What may be the start of one stays pending. */
  function takeContent(before: Buffer): boolean {
    const dot = pending.indexOf(FINAL_DOT)
    const end = dot === -1 ? Math.max(0, pending.length - FINAL_DOT.length + 1) : dot
    const piece = pending.subarray(0, end)
    pending = pending.subarray(dot === -1 ? end : end + FINAL_DOT.length)
    file?.add(piece)
    if (before.length < HEAD) head = before.length === 0 ? piece : Buffer.concat([before, piece])
    return dot !== -1
  }
}

/** A file that grows at its end. */
interface SyncedFile {
  add(piece: Buffer): void
  /** Resolves when all that was added is on disk. */
  synced(): Promise<void>
}

function openSyncedFile(path: string): SyncedFile {
  const opened = open(path, 'w')
  let waiting: Buffer[] = []
  let next: PromiseWithResolvers<void> | undefined
  let running = false

  async function run(): Promise<void> {
    running = true
    const handle = await opened
    while (next !== undefined) {
      const [pieces, done] = [waiting, next]
      waiting = []
      next = undefined
      await handle.appendFile(Buffer.concat(pieces))
      await handle.datasync()
      done.resolve()
    }
    running = false
  }

  return {
    add: (piece) => void waiting.push(piece),
    synced() {
      next ??= Promise.withResolvers()
      const { promise } = next
      if (!running) void run()
      return promise
    },
  }
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
