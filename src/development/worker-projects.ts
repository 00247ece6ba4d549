/** A developer's Workers: folders with code, at work in this instance. In: folders, and every change in them. Out:
 *  Workers in the instance's account, with the queues, namespaces, crons and rules that their configurations name.
 *  Promise: what is wrong is said with its file and place, and the version before runs on. */
import type { Rules } from '#registry/routes/rules.ts'
import type { Workers } from '#registry/workers/workers.ts'
import type { WorkerPlace } from '#workers/runtime/host-services.ts'
import type { Kv } from '#workers/storage/kv.ts'
import type { Queues } from '#workers/storage/queues.ts'
import type { ProjectAtWork } from './worker-project-at-work.ts'
import { type ProjectDoors, projectsText } from './worker-projects-text.ts'

export interface WorkerProjectsWorld {
  /** Absolute; one at least. */
  readonly folders: readonly string[]
  readonly accountId: string
  /** A domain that has mail here, for examples. */
  readonly zone: string
  readonly workers: Workers
  readonly kv: Pick<Kv, 'listNamespaces' | 'createNamespace'>
  readonly queues: Pick<Queues, 'queueNamed' | 'createQueue' | 'addConsumer' | 'changeConsumer'>
  readonly rules: Pick<Rules, 'plan' | 'create' | 'update' | 'remove' | 'setCatchAll'>
  /** Takes whole lines, with their ends. */
  readonly print: (text: string) => void
}

export interface WorkerProjects extends AsyncDisposable {
  /** Their Workers, in the order of the folders. Plain `localhost` is the first one's. */
  readonly places: readonly WorkerPlace[]
  /** Why nothing of a Worker runs yet: its code was never right. */
  problem(place: WorkerPlace): string | undefined
  /** Where a place in a Worker's main module came from. */
  origin(place: WorkerPlace, line: number, column: number): string | undefined
  /** Once every door is open, and the banner is out: says where the Workers are, and works on with what changes. */
  begin(doors: ProjectDoors): Promise<void>
}

/** A folder that cannot be worked with at all, in sentences for whoever named it. */
export class WorkerProjectUnusable extends Error {
  override readonly name = 'WorkerProjectUnusable'
}

/** Whether the configurations can be worked with: for the start, before anything opens. Throws WorkerProjectUnusable. */
export async function checkWorkerProjects(folders: readonly string[]): Promise<void> {
  if (folders.length === 0) return
  const { readProject } = await import('./worker-project.ts')
  const named = new Map<string, string>()
  const wrong: string[] = []
  for (const folder of new Set(folders)) {
    const read = await readProject(folder)
    if ('faults' in read) {
      wrong.push(...read.faults.map((fault) => `--worker ${folder}: ${fault}`))
      continue
    }
    const other = named.get(read.name)
    const same = `has the name of ${other}, ${read.name}; each needs one of its own`
    if (other !== undefined) wrong.push(`--worker ${folder}: ${same}`)
    named.set(read.name, folder)
  }
  if (wrong.length > 0) throw new WorkerProjectUnusable(wrong.join('\n'))
}

/** A name for the account that is easier to write than its id. */
const SUBDOMAIN = 'dev'

/** `checkWorkerProjects` found nothing. Code that is wrong is told of by `begin`, and waited for. */
export async function openWorkerProjects(world: WorkerProjectsWorld): Promise<WorkerProjects> {
  const { accountId, workers, print } = world
  // With all that reads and bundles: an instance without projects loads none of it.
  const { openProjectAtWork } = await import('./worker-project-at-work.ts')
  if ((await workers.subdomain(accountId)) === accountId)
    await workers.chooseSubdomain(accountId, SUBDOMAIN, [])
  await using opening = new AsyncDisposableStack()
  const projects: ProjectAtWork[] = []
  for (const folder of new Set(world.folders)) {
    projects.push(opening.use(await openProjectAtWork(world, folder)))
  }
  // One that calls another comes after it; what still waits for nobody is told of.
  let waiting = projects
  for (let round = 0; waiting.length > 0 && round < projects.length; round++) {
    const failed: ProjectAtWork[] = []
    for (const project of waiting) if (!(await project.load())) failed.push(project)
    if (failed.length === waiting.length) break
    waiting = failed
  }
  let turn = Promise.resolve()
  const waits = new Set<ProjectAtWork>()
  // One that waits will see what changed since.
  const inTurn = (project: ProjectAtWork): void => {
    if (waits.has(project)) return
    waits.add(project)
    turn = turn.then(() => {
      waits.delete(project)
      return project.reload()
    })
  }
  const opened = opening.move()
  const find = (place: WorkerPlace) =>
    place.accountId === accountId ? projects.find(({ name }) => name === place.scriptName) : undefined

  return {
    get places() {
      return projects.map(({ name }) => ({ accountId, scriptName: name }))
    },
    problem(place) {
      const project = find(place)
      return project?.runs ? undefined : project?.problem
    },
    origin: (place, line, column) => find(place)?.origin(line, column),
    async begin(doors) {
      const subdomain = await workers.subdomain(accountId)
      print(projectsText(projects, { ...doors, zone: world.zone, host: `${subdomain}.${workers.host}` }))
      for (const project of projects) await project.watch(() => inTurn(project))
    },
    async [Symbol.asyncDispose]() {
      await turn
      await opened.disposeAsync()
    },
  }
}
