import type { Duplex } from 'node:stream'
import type { Log } from '#observe/log.ts'
import { closeFrame, pingFrame, pongFrame, textFrame, webSocketReader } from '#protocol/web-socket.ts'
import type { FoundTail, TailEnd } from '#workers/tails/tails.ts'

/** Of what is on its way to a reader. */
const MOST_BEHIND = 1_048_576
/** Until a client has answered that the connection is to end. */
const GRACE_MS = 2000

/** RFC 6455 §7.4.1. wrangler stops at 1000 and comes back after everything else. */
const ENDS: Readonly<Record<TailEnd, readonly [code: number, reason: string]>> = {
  expired: [1000, 'The tail has expired.'],
  gone: [1000, 'The tail was deleted.'],
  replaced: [1000, 'The tail is read elsewhere.'],
  closing: [1001, 'The server stops.'],
}

interface SessionWorld {
  readonly log: Log
  readonly beatMs: number
}

/** A tail on its way over a WebSocket whose hands are shaken once `head` is written. False where the tail has ended
 *  meanwhile, and then nothing was. */
export function beginTailSession(
  socket: Duplex,
  { tail, head }: { readonly tail: FoundTail; readonly head: string },
  { log, beatMs }: SessionWorld,
): boolean {
  /** Since the beat before. */
  let isHeard = true
  let isOver = false

  const leave = tail.read({
    tell: (event) => write(textFrame(event)),
    end: (why) => end(...ENDS[why]),
  })
  if (!leave) return false
  socket.write(head)

  function write(frame: Buffer): void {
    if (isOver) return
    if (socket.writableLength > MOST_BEHIND) end(1013, 'Too slow: read faster, or filter.')
    else socket.write(frame)
  }

  function end(code: number, reason: string): void {
    if (isOver) return
    isOver = true
    leave?.()
    socket.write(closeFrame(code, reason))
    // §7.1.1: the server is the one that closes, as soon as its client knows.
    setTimeout(() => socket.destroy(), GRACE_MS).unref()
  }

  const listen = webSocketReader()
  socket.on('data', (chunk: Buffer) => {
    isHeard = true
    for (const heard of listen(chunk)) {
      if (heard.kind === 'ping') write(pongFrame(heard.payload))
      else if (heard.kind === 'fault') end(heard.code, heard.reason)
      else {
        end(1000, '')
        socket.end()
      }
    }
  })
  socket.on('end', () => socket.destroy())

  async function beat(): Promise<void> {
    // Nothing was said to the ping before this one: nobody is there.
    if (!isHeard) return void socket.destroy()
    isHeard = false
    write(pingFrame())
    if (!(await tail.isAllowed())) end(1008, 'The token does not allow it any more.')
  }
  const beats = setInterval(() => {
    // While the store is away nobody can tell; the next beat asks again.
    beat().catch((error: unknown) => log.warn({ err: error }, 'http: a tail’s token could not be checked'))
  }, beatMs).unref()
  socket.once('close', () => {
    clearInterval(beats)
    isOver = true
    leave()
  })
  return true
}
