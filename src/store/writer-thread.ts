/** The one thread that writes to SQLite. In: batches of sets. Out: what became of each batch, one message each.
 *  Promise: a batch reported as written is on disk. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { BatchWriter } from './batch-writer.ts'
import { isBroken } from './sqlite-error.ts'
import { openToWrite } from './sqlite-file.ts'
import { Upkeep } from './upkeep.ts'
import type { BatchOutcome, WriteBatch } from './write-batch.ts'

export interface WriterOptions {
  readonly directory: string
  readonly maxPages: number | undefined
}

export type ToWriter = WriteBatch | 'close'
export type FromWriter = BatchOutcome | { readonly kind: 'ready' }

const IDLE_MS = 500

function serve(port: MessagePort, options: WriterOptions): void {
  const database = openToWrite(options.directory, options.maxPages)
  const writer = new BatchWriter(database)
  const upkeep = new Upkeep(database)
  const send = (message: FromWriter) => port.postMessage(message)

  const maintain = (work: () => boolean): boolean => {
    try {
      return work()
    } catch (error) {
      // Anything less than broken is a full disk or a lock in the way, and will be tried again.
      if (isBroken(error)) send({ kind: 'broken', message: `upkeep: ${String(error)}` })
      return false
    }
  }
  const idle = setTimeout(() => {
    if (maintain(() => upkeep.whenIdle())) idle.refresh()
  }, IDLE_MS)

  port.on('message', (message: ToWriter) => {
    if (message === 'close') {
      clearTimeout(idle)
      database.close()
      port.close()
      return
    }
    send(writer.write(message))
    maintain(() => upkeep.afterBatch())
    idle.refresh()
  })
  send({ kind: 'ready' })
}

if (parentPort !== null) serve(parentPort, workerData)
