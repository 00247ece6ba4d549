import { createPrivateKey } from 'node:crypto'
import { z } from 'zod'
import { hashBody } from '#protocol/dkim-body-hash.ts'
import { coverOwn, splitFields } from '#protocol/dkim-header.ts'
import { signCovered } from '#protocol/dkim-sign.ts'
import { answerParent } from './child.ts'
import type { Dialogue } from './dialogue.ts'
import { ForwardJob, forwardEnvelope } from './forward-load.ts'
import { type Connection, runLoad } from './load.ts'
import { benchId } from './message.ts'
import { replies, sessionOpener } from './smtp-session.ts'

/** Large messages, all at once: each connection sends its content but for the final dot and waits until all have, so that
 *  the server has all of them in hand. All share one body. */
export const LargeJob = ForwardJob.extend({ bytes: z.number().int() })
type LargeJob = z.infer<typeof LargeJob>

const PIECE = 64 * 1024
const LINE = `${'0123456789abcdef'.repeat(4)}\r\n`

if (import.meta.main) {
  answerParent((asked) => {
    const job = LargeJob.parse(asked)
    const body = Buffer.alloc(job.bytes - (job.bytes % LINE.length), LINE)
    const bodyHash = hashBody(body)
    const together = barrier(job.connections)
    const open = sessionOpener(job)
    return runLoad(job, async () => largeConnection(job, { body, bodyHash, together }, await open()))
  })
}

interface Shared {
  readonly body: Buffer
  readonly bodyHash: string
  readonly together: () => Promise<void>
}

function largeConnection(
  job: LargeJob,
  { body, bodyHash, together }: Shared,
  dialogue: Dialogue,
): Connection {
  return {
    async send(sequence) {
      const answers = await dialogue.ask(forwardEnvelope(job, sequence), replies(3))
      const refusal = answers.find((answer, i) => !answer.startsWith(i === 2 ? '354' : '2'))
      if (refusal !== undefined) throw new Error(`A large message was not even heard: ${refusal}`)
      await dialogue.write(Buffer.from(await signedHeader(job, sequence, bodyHash)))
      for (let at = 0; at < body.length; at += PIECE) await dialogue.write(body.subarray(at, at + PIECE))
      await together()
      const [final = ''] = await dialogue.ask('.\r\n', replies(1))
      return final.startsWith('2')
        ? { accepted: true, delivered: 0, queued: 1 }
        : { accepted: false, answer: final }
    },
    close: () => dialogue.close(),
  }
}

async function signedHeader({ phase, from, signing }: LargeJob, sequence: number, bodyHash: string) {
  const id = benchId(phase, sequence)
  const fields = [`From: ${from}`, 'Subject: A large message', `Message-ID: <${id}@${signing.domain}>`]
  const header = [...fields, `X-Bench-Id: ${id}`].join('\r\n')
  const identity = { ...signing, key: createPrivateKey(signing.key) }
  const signature = await signCovered(coverOwn(splitFields(header)), { bodyHash, identity, at: new Date() })
  return `${signature}${header}\r\n\r\n`
}

/** Resolves for all once so many wait; and then again from the beginning. */
function barrier(count: number): () => Promise<void> {
  let open = Promise.withResolvers<void>()
  let waiting = 0
  return () => {
    const { promise, resolve } = open
    if (++waiting === count) {
      waiting = 0
      open = Promise.withResolvers()
      resolve()
    }
    return promise
  }
}
