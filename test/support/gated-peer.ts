import type { TestContext } from 'node:test'
import type { DataSink } from '#smtp/handler.ts'
import type { Reply } from '#smtp/reply.ts'
import { startSmtpServer } from './smtp-server.ts'

/** A server that says nothing to the end of a content before it is told to. */
export interface GatedPeer {
  readonly port: number
  /** Contents whose end was not answered yet. */
  readonly waiting: () => number
  /** Contents that were answered 250, without their dots. */
  readonly taken: Buffer[]
  /** Answers all that wait, and from now on each at once. */
  open(reply?: Reply): void
}

const KEPT: Reply = { code: 250, enhanced: '2.0.0', text: 'Kept' }

export async function startGatedPeer(t: TestContext): Promise<GatedPeer> {
  const gate = Promise.withResolvers<Reply>()
  const taken: Buffer[] = []
  let waiting = 0
  function data(): DataSink {
    const chunks: Buffer[] = []
    return {
      write: (chunk) => void chunks.push(Buffer.from(chunk)),
      async end() {
        waiting += 1
        const reply = await gate.promise
        waiting -= 1
        if (reply.code < 300) taken.push(Buffer.concat(chunks))
        return reply
      },
      abort: () => undefined,
    }
  }
  const { port } = await startSmtpServer(t, { handler: { data } })
  t.after(() => gate.resolve(KEPT))
  return { port, taken, waiting: () => waiting, open: (reply = KEPT) => gate.resolve(reply) }
}
