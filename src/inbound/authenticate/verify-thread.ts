import { parentPort } from 'node:worker_threads'
import type { Authentication } from './authentication.ts'
import type { DnsAnswer, DnsQuestion } from './dns-question.ts'
import { verifyMail } from './verify-mail.ts'

/** A message for the thread, which takes over the memory of its content, or an answer to one of its questions. */
export type ToThread =
  | {
      readonly kind: 'verify'
      readonly id: number
      readonly content: Uint8Array<ArrayBuffer>
      readonly remoteAddress: string
      readonly helo: string | undefined
      readonly mailFrom: string
    }
  | { readonly kind: 'answer'; readonly question: number; readonly answer: DnsAnswer }

/** `ready` comes once and unasked, when the thread has loaded what it needs. `fault` is a bug. */
export type FromThread =
  | { readonly kind: 'ready' }
  | ({ readonly kind: 'question'; readonly id: number; readonly question: number } & DnsQuestion)
  | { readonly kind: 'verified'; readonly id: number; readonly authentication: Authentication }
  | { readonly kind: 'fault'; readonly id: number; readonly error: unknown }

const port = parentPort
const asked = new Map<number, (answer: DnsAnswer) => void>()
let questions = 0

function tell(message: FromThread): void {
  port?.postMessage(message)
}

async function verify({ id, content, ...session }: ToThread & { kind: 'verify' }): Promise<void> {
  const ask = (question: DnsQuestion) =>
    new Promise<DnsAnswer>((resolve) => {
      const number = ++questions
      asked.set(number, resolve)
      tell({ kind: 'question', id, question: number, ...question })
    })
  try {
    const authentication = await verifyMail({ ...session, content: Buffer.from(content.buffer) }, ask)
    tell({ kind: 'verified', id, authentication })
  } catch (error) {
    tell({ kind: 'fault', id, error })
  }
}

port?.on('message', (message: ToThread) => {
  if (message.kind === 'verify') void verify(message)
  else {
    asked.get(message.question)?.(message.answer)
    asked.delete(message.question)
  }
})
tell({ kind: 'ready' })
