import { openWorkerConsole } from '#development/worker-project-console.ts'
import { openWorkerProjects, type WorkerProjects } from '#development/worker-projects.ts'
import type { WorkerPlace } from '#workers/runtime/host-services.ts'
import type { Kept } from './kept.ts'
import type { Registries } from './registries.ts'
import type { WorkersStorage } from './workers-storage.ts'

/** Workers in folders of this machine, where any were named: what they print, and what brings them in once Workers can
 *  run. */
export function openWorkersDevelopment(
  { config }: Kept,
  { workers, rules, development }: Registries,
  { kv, queues }: WorkersStorage,
) {
  const [first, ...others] = config.WORKER
  if (first === undefined) return undefined
  let projects: WorkerProjects | undefined
  const print = (text: string): void => void process.stdout.write(text)
  return {
    console: openWorkerConsole({
      ...{ directory: config.DATA, print },
      origin: (...of) => projects?.origin(...of),
    }),
    places: () => projects?.places,
    problem: (place: WorkerPlace) => projects?.problem(place),
    async open(opened: AsyncDisposableStack): Promise<WorkerProjects> {
      const { accountId, zone } = development
      const folders = [first, ...others]
      projects = await openWorkerProjects({ folders, accountId, zone, workers, kv, queues, rules, print })
      return opened.use(projects)
    },
  }
}

export type WorkersDevelopment = ReturnType<typeof openWorkersDevelopment>
