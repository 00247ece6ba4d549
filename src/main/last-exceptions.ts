import { LRUCache } from 'lru-cache'
import { record, type WorkerTrace } from '#workers/runtime/worker-trace.ts'

type Exception = WorkerTrace['exceptions'][number]

/** What requests to Workers failed with lately, by the name that their door gave them (`cf-ray`): an answer says no more
 *  than that something failed, and its trace follows it. */
export function openLastExceptions({ kept = 100, waitMs = 500 } = {}) {
  const known = new LRUCache<string, Exception>({ max: kept })
  const waiting = new Map<string, (exception: Exception | undefined) => void>()
  return {
    note({ event, exceptions: [exception] }: WorkerTrace): void {
      const ray = record(record(event['request'])?.['headers'])?.['cf-ray']
      if (typeof ray !== 'string') return
      if (exception) known.set(ray, exception)
      waiting.get(ray)?.(exception)
    },

    /** Undefined where there was none, or its trace is late. */
    of(ray: string): Promise<Exception | undefined> {
      const there = known.get(ray)
      if (there) return Promise.resolve(there)
      const { promise, resolve } = Promise.withResolvers<Exception | undefined>()
      const timer = setTimeout(() => resolve(undefined), waitMs)
      waiting.set(ray, resolve)
      return promise.finally(() => {
        clearTimeout(timer)
        waiting.delete(ray)
      })
    },
  }
}

export type LastExceptions = ReturnType<typeof openLastExceptions>
