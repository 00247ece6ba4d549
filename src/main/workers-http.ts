import { openLocalEvents } from '#ingress/workers/local-email.ts'
import { openWorkersDoor } from '#ingress/workers/workers-door.ts'
import type { Kept } from './kept.ts'
import { statusClass } from './metered.ts'
import type { Receiving } from './receiving.ts'
import type { Registries } from './registries.ts'
import type { WorkersAtWork } from './workers.ts'
import type { WorkersDevelopment } from './workers-development.ts'

/** The HTTP door of Workers, with what a development instance has besides. */
export async function openWorkersHttp({
  kept: { config, log, metrics, now },
  registries: { workers, development },
  receiving: { inbox },
  workersAtWork: { runtime, fetchWorker, exceptions },
  workersDevelopment,
}: {
  readonly kept: Kept
  readonly registries: Registries
  readonly receiving: Receiving
  readonly workersAtWork: WorkersAtWork
  readonly workersDevelopment: WorkersDevelopment
}) {
  const { accountId } = development
  const places = () => workersDevelopment?.places()
  const door = await openWorkersDoor({
    port: config.WORKERS_PORT,
    at: (host, path) => workers.at(host, path),
    fetchWorker: (place, request) => fetchWorker(place, request),
    onAnswer: (status) => metrics.workersHttp({ status: statusClass(status) }),
    log,
    development: {
      local: () => places()?.[0],
      async workers() {
        const subdomain = await workers.subdomain(accountId)
        const at = (name: string) => `http://${name}.${subdomain}.${workers.host}:${door.port}`
        const all = await workers.list(accountId)
        return all.map(({ name, onSubdomain }) => ({ name, url: onSubdomain ? at(name) : undefined }))
      },
      problem: (place) => workersDevelopment?.problem(place),
      exceptionOf: (ray) => exceptions.of(ray),
      events: openLocalEvents({
        ...{ accountId, workers, runtime, now },
        keep: (content, envelope) => inbox.add(content, envelope),
        places,
        note: (place, text) => workersDevelopment?.console.note(place, text),
      }),
    },
  })
  return door
}
