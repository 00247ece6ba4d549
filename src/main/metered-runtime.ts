import type { Metrics } from '#observe/metrics.ts'
import type { Runtime } from '#workers/runtime/runtime.ts'

type Event = 'email' | 'fetch' | 'queue' | 'scheduled'

/** The runtime with somebody beside it who measures how long each invocation takes, until it has an outcome. */
export function meteredRuntime(runtime: Runtime, { workerSeconds }: Pick<Metrics, 'workerSeconds'>): Runtime {
  function measured<Args extends readonly unknown[], Outcome extends { readonly kind: string }>(
    event: Event,
    invoke: (...args: Args) => Promise<Outcome>,
  ) {
    return async (...args: Args): Promise<Outcome> => {
      const started = performance.now()
      let outcome = 'error'
      try {
        const ended = await invoke(...args)
        outcome = ended.kind
        return ended
      } finally {
        workerSeconds({ event, outcome }, (performance.now() - started) / 1000)
      }
    }
  }

  return {
    ...runtime,
    email: measured('email', (...of: Parameters<Runtime['email']>) => runtime.email(...of)),
    fetch: measured('fetch', (...of: Parameters<Runtime['fetch']>) => runtime.fetch(...of)),
    queue: measured('queue', (...of: Parameters<Runtime['queue']>) => runtime.queue(...of)),
    scheduled: measured('scheduled', (...of: Parameters<Runtime['scheduled']>) => runtime.scheduled(...of)),
  }
}
