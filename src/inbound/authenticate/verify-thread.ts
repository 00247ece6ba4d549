import { parentPort } from 'node:worker_threads'
import type { Content } from '#model/content.ts'
import type { Authentication, SenderSession, SpfVerdict } from './authentication.ts'
import { checkSpf } from './check-spf.ts'
import { type DnsAnswer, type DnsQuestion, dnsFunction } from './dns-question.ts'
import { verifyMail } from './verify-mail.ts'

/** A message for the thread, which takes over the memory of its content or reads its file; a sender without one; or an
 *  answer to one of its questions. */
export type ToThread =
  | ({
      readonly kind: 'verify'
      readonly id: number
      readonly content: ThreadContent
      readonly spf: SpfVerdict | undefined
      readonly trustedSealers: readonly string[]
    } & SenderSession)
  | ({ readonly kind: 'check-sender'; readonly id: number } & SenderSession)
  | { readonly kind: 'answer'; readonly question: number; readonly answer: DnsAnswer }

/** `Content` as it passes between threads, which know no Buffer. */
export type ThreadContent =
  | { readonly kind: 'memory'; readonly bytes: Uint8Array<ArrayBuffer> }
  | Extract<Content, { kind: 'file' }>

/** `ready` comes once and unasked, when the thread has loaded what it needs. `fault` is a bug. */
export type FromThread =
  | { readonly kind: 'ready' }
  | ({ readonly kind: 'question'; readonly id: number; readonly question: number } & DnsQuestion)
  | { readonly kind: 'verified'; readonly id: number; readonly authentication: Authentication }
  | { readonly kind: 'sender-checked'; readonly id: number; readonly spf: SpfVerdict }
  | { readonly kind: 'fault'; readonly id: number; readonly error: unknown }

const port = parentPort
const asked = new Map<number, (answer: DnsAnswer) => void>()
let questions = 0

function tell(message: FromThread): void {
  port?.postMessage(message)
}

async function work(message: Exclude<ToThread, { kind: 'answer' }>): Promise<void> {
  const { id } = message
  const ask = (question: DnsQuestion) =>
    new Promise<DnsAnswer>((resolve) => {
      const number = ++questions
      asked.set(number, resolve)
      tell({ kind: 'question', id, question: number, ...question })
    })
  try {
    if (message.kind === 'check-sender') {
      tell({ kind: 'sender-checked', id, spf: await checkSpf(message, dnsFunction(ask)) })
      return
    }
    const { content, spf, trustedSealers, ...session } = message
    const mail = { ...session, content: ofThread(content) }
    tell({ kind: 'verified', id, authentication: await verifyMail(mail, { ask, spf, trustedSealers }) })
  } catch (error) {
    tell({ kind: 'fault', id, error })
  }
}

function ofThread(content: ThreadContent): Content {
  return content.kind === 'file' ? content : { kind: 'memory', bytes: Buffer.from(content.bytes.buffer) }
}

port?.on('message', (message: ToThread) => {
  if (message.kind !== 'answer') void work(message)
  else {
    asked.get(message.question)?.(message.answer)
    asked.delete(message.question)
  }
})
tell({ kind: 'ready' })
