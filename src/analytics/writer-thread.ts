/** The one thread that writes history on SQLite. In: batches of the outbox, and days to forget. Out: an answer to each,
 *  in order. Promise: a batch that was answered without an error is on disk, whole, and each of its events once. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { openToWrite } from '#store/sqlite-file.ts'
import { Upkeep } from '#store/upkeep.ts'
import { isAboutContent } from './about-content.ts'
import { dayOf } from './day.ts'
import { HistoryWriter } from './history-writer.ts'
import type { OutboxEvent } from './outbox-event.ts'

export type ToHistory =
  /** Events without their parsed detail: to clone it costs a multiple of parsing it again. */
  | { readonly kind: 'take'; readonly events: readonly StrippedEvent[] }
  /** Everything from before a time, which is the start of a day. */
  | { readonly kind: 'forget'; readonly before: number }
  | { readonly kind: 'close' }

export type FromHistory =
  | { readonly kind: 'ready' | 'done' }
  | { readonly kind: 'failed'; readonly message: string; readonly isAboutContent: boolean }

export type StrippedEvent = Omit<OutboxEvent, 'detail'>

const IDLE_MS = 500

function serve(port: MessagePort, directory: string): void {
  const database = openToWrite(directory, undefined)
  const writer = new HistoryWriter(database)
  const upkeep = new Upkeep(database)
  const idle = setTimeout(() => {
    try {
      if (upkeep.whenIdle()) idle.refresh()
    } catch {
      // A full disk, or a lock in the way: it will be tried again after the next batch, which tells of anything worse.
    }
  }, IDLE_MS)

  const serveOne = (message: Exclude<ToHistory, { readonly kind: 'close' }>) => {
    if (message.kind === 'take') writer.take(message.events.map(unstrip))
    else {
      while (writer.forgetOne(dayOf(message.before))) upkeep.afterBatch()
      writer.forgetCounts(message.before)
    }
    upkeep.afterBatch()
  }
  port.on('message', (message: ToHistory) => {
    if (message.kind === 'close') {
      clearTimeout(idle)
      database.close()
      port.close()
      return
    }
    const send = (answer: FromHistory) => port.postMessage(answer)
    try {
      serveOne(message)
      send({ kind: 'done' })
    } catch (error) {
      send({ kind: 'failed', message: String(error), isAboutContent: isAboutContent(error) })
    }
    idle.refresh()
  })
  port.postMessage({ kind: 'ready' } satisfies FromHistory)
}

function unstrip(event: StrippedEvent): OutboxEvent {
  // The events room wrote it as such.
  return { ...event, detail: JSON.parse(event.detailJson) }
}

if (parentPort !== null) serve(parentPort, String(workerData))
