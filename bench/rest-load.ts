import { z } from 'zod'
import { sendResult } from '#contract/sending.ts'
import { answerParent } from './child.ts'
import { openDialogue, type Reader } from './dialogue.ts'
import { type Connection, Job, type Outcome, runLoad } from './load.ts'
import { restTemplate, Template } from './message.ts'

/** Load over REST: `POST /accounts/{id}/email/sending/send` on kept connections, one message a request.
 *  It speaks HTTP on the bare socket: 12 µs a message, where node:http with an Agent took 18. */
export const RestJob = Job.extend({ path: z.string(), token: z.string() })
export type RestJob = z.infer<typeof RestJob>

const STATUS_LINE = Buffer.from('HTTP/1.1 ')
const HEAD_END = Buffer.from('\r\n\r\n')

const Answer = z.object({ success: z.literal(true), result: sendResult })

if (import.meta.main) {
  answerParent((asked) => {
    const job = RestJob.parse(asked)
    return runLoad(job, () => openConnection(job))
  })
}

async function openConnection(job: RestJob): Promise<Connection> {
  const body = restTemplate(job.phase)
  const request = new Template(
    `POST ${job.path} HTTP/1.1\r\nHost: ${job.host}:${job.port}\r\nAuthorization: Bearer ${job.token}\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
  const dialogue = await openDialogue({ host: job.host, port: job.port })
  return {
    send: async (sequence) => judge(await dialogue.ask(request.fill(sequence), readResponse)),
    close: () => dialogue.close(),
  }
}

interface Response {
  readonly status: number
  readonly body: string
}

const readResponse: Reader<Response> = (bytes) => {
  if (!bytes.subarray(0, STATUS_LINE.length).equals(STATUS_LINE.subarray(0, bytes.length))) {
    throw new Error(`Not HTTP: ${bytes.toString('latin1', 0, 100)}`)
  }
  const headEnd = bytes.indexOf(HEAD_END)
  if (headEnd === -1) return undefined
  const head = bytes.toString('latin1', 0, headEnd)
  const bodyLength = /^content-length:\s*(\d+)/im.exec(head)?.[1]
  if (bodyLength === undefined) throw new Error(`A response without Content-Length: ${head}`)
  const start = headEnd + HEAD_END.length
  const length = start + Number(bodyLength)
  if (bytes.length < length) return undefined
  return {
    answer: { status: Number(head.slice(9, 12)), body: bytes.toString('utf8', start, length) },
    length,
  }
}

function judge({ status, body }: Response): Outcome {
  const answer = status === 200 ? Answer.safeParse(JSON.parse(body)) : undefined
  if (answer?.success !== true || answer.data.result.permanent_bounces.length > 0) {
    return { accepted: false, answer: `${status} ${body.slice(0, 300)}` }
  }
  const { delivered, queued } = answer.data.result
  return { accepted: true, delivered: delivered.length, queued: queued.length }
}
