import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import type { MimeView, PartContent, Unreadable } from './read-mime.ts'
import type { ReadAnswer, ReadRequest } from './read-mime-worker.ts'
import { openTurns } from './turns.ts'

/** Takes messages apart in a thread of its own, one after the other, so that no message can hold up the server.
 *  In: how to get the source of a message, asked when its turn comes, so that those who wait hold no memory.
 *  Out: its texts and parts, or why it cannot be shown; undefined where there is no such message or part; `busy` where
 *  too many wait. Rejects with the reason of a signal that was aborted before the turn came: that work is dropped.
 *  Promise: every call answers, at the latest when the calls before it are done and its own time is over. */
export interface MimeReader {
  view(source: Source, gone?: AbortSignal): Promise<MimeView | Unreadable | 'busy' | undefined>
  part(
    source: Source,
    partId: string,
    gone?: AbortSignal,
  ): Promise<PartContent | Unreadable | 'busy' | undefined>
  /** As a page, for `PREVIEW_HEADERS`. */
  preview(
    source: Source,
    gone?: AbortSignal,
  ): Promise<{ readonly page: string } | Unreadable | 'busy' | undefined>
  close(): Promise<void>
}

export type Source = () => Promise<Buffer | undefined>

export interface MimeReaderOptions {
  /** How long one message may take, in milliseconds. */
  readonly timeLimitMs?: number
  /** How many messages may wait for their turn. */
  readonly maxWaiting?: number
}

/** For JavaScript objects. Contents lie outside this memory and are bounded by the size of a message. */
const HEAP_MB = 512

export function openMimeReader({
  timeLimitMs = 5_000,
  maxWaiting = 100,
}: MimeReaderOptions = {}): MimeReader {
  const turns = openTurns({ atOnce: 1, waiting: maxWaiting })
  let worker: Worker | undefined
  let done: Promise<unknown> = Promise.resolve()
  let closed = false

  const start = async () => {
    const started = await startWorker()
    started.once('exit', () => {
      if (worker === started) worker = undefined
    })
    return started
  }
  const end = async () => {
    const ending = worker
    worker = undefined
    await ending?.terminate()
  }
  const read = async (source: Source, request: (raw: Uint8Array<ArrayBuffer>) => ReadRequest) => {
    const raw = await source()
    if (raw === undefined) return undefined
    if (!closed) worker ??= await start()
    if (closed || worker === undefined) return CLOSING
    // Copied, because the thread takes over the memory that it is given.
    const answer = await ask(worker, request(new Uint8Array(raw)), timeLimitMs)
    if ('unreadable' in answer) await end()
    return answer
  }
  const inTurn = <T>(task: () => Promise<T>, gone: AbortSignal | undefined): Promise<T | 'busy'> => {
    const result = turns.take(task, gone)
    done = Promise.allSettled([done, result])
    return result
  }

  return {
    view: (source, gone) =>
      inTurn(async () => {
        const answer = await read(source, (raw) => ({ kind: 'view', raw }))
        return answer !== undefined && 'kind' in answer ? viewOf(answer) : answer
      }, gone),
    part: (source, partId, gone) =>
      inTurn(async () => {
        const answer = await read(source, (raw) => ({ kind: 'part', raw, partId }))
        return answer !== undefined && 'kind' in answer ? partOf(answer) : answer
      }, gone),
    preview: (source, gone) =>
      inTurn(async () => {
        const answer = await read(source, (raw) => ({ kind: 'preview', raw }))
        return answer !== undefined && 'kind' in answer ? previewOf(answer) : answer
      }, gone),
    async close() {
      closed = true
      await end()
      await done
      await end()
    },
  }
}

const CLOSING: Unreadable = { unreadable: 'The inbox is closing.' }

/** A thread that has loaded its parser, so that the time limit is the message's alone. */
async function startWorker(): Promise<Worker> {
  const worker = new Worker(new URL('./read-mime-worker.ts', import.meta.url), {
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
  })
  await once(worker, 'message')
  // Whoever waits for an answer learns of a failure; of one between two answers nobody needs to.
  worker.on('error', () => undefined)
  // A thread that waits for work must not keep the process alive.
  worker.unref()
  return worker
}

/** After an `unreadable` the thread is of no further use: it is busy, or gone. */
async function ask(
  worker: Worker,
  request: ReadRequest,
  timeLimitMs: number,
): Promise<ReadAnswer | Unreadable> {
  const answered = new AbortController()
  const { signal } = answered
  try {
    worker.postMessage(request, [request.raw.buffer])
    return await Promise.race([
      once(worker, 'message', { signal }).then(([answer]) => answer as ReadAnswer),
      once(worker, 'exit', { signal }).then(() => CLOSING),
      delay(timeLimitMs, tooSlow(timeLimitMs), { signal }),
    ])
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY')
      return { unreadable: 'Taking the message apart needs more memory than it may have.' }
    throw error
  } finally {
    answered.abort()
  }
}

function tooSlow(timeLimitMs: number): Unreadable {
  return { unreadable: `Taking the message apart took more than ${timeLimitMs / 1000} s.` }
}

function viewOf(answer: ReadAnswer): MimeView | Unreadable {
  if (answer.kind === 'view') return answer.view
  throw unexpected(answer)
}

function partOf(answer: ReadAnswer): PartContent | Unreadable | undefined {
  if (answer.kind === 'part') return answer.part
  throw unexpected(answer)
}

function previewOf(answer: ReadAnswer): { readonly page: string } | Unreadable {
  if (answer.kind === 'preview') return answer.preview
  throw unexpected(answer)
}

function unexpected(answer: ReadAnswer): Error {
  return new Error('The thread that takes messages apart failed', {
    cause: answer.kind === 'fault' ? answer.error : answer,
  })
}
