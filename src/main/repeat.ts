import type { Log } from '#observe/log.ts'

/** Runs a task again and again, never twice at once; a failure is told and changes nothing about the next run. */
export function repeat(ms: number, task: () => Promise<unknown>, log: Log): Disposable {
  let busy = false
  const timer = setInterval(() => {
    if (busy) return
    busy = true
    task()
      .catch((error: unknown) => log.error({ err: error }, 'a periodic task failed, it runs again'))
      .finally(() => {
        busy = false
      })
  }, ms)
  return { [Symbol.dispose]: () => clearInterval(timer) }
}
