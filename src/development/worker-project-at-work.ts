import { isDeepStrictEqual } from 'node:util'
import { readProject, type WorkerProject } from './worker-project.ts'
import { type Bundle, type Bundler, openBundler } from './worker-project-bundle.ts'
import { deployProject } from './worker-project-deploy.ts'
import { openProjectWatch } from './worker-project-watch.ts'
import { type WorkerProjectsWorld, WorkerProjectUnusable } from './worker-projects.ts'

/** One folder, and what runs of it. */
export interface ProjectAtWork extends AsyncDisposable {
  readonly folder: string
  readonly name: string
  readonly project: WorkerProject
  readonly handlers: readonly string[]
  /** Why what is in the folder does not run; undefined where it does. */
  readonly problem: string | undefined
  /** Whether a version runs, be it an older one. */
  readonly runs: boolean
  /** Sentences for its owner. */
  readonly remarks: readonly string[]
  origin: Bundle['origin']
  /** Brings into the instance what is there. False where it cannot be. */
  load(): Promise<boolean>
  /** The same after a change, and says what came of it. */
  reload(): Promise<void>
  /** `onChange` is called for each change that may count. */
  watch(onChange: () => void): Promise<void>
}

/** Throws WorkerProjectUnusable where the configuration is wrong. */
export async function openProjectAtWork(world: WorkerProjectsWorld, folder: string): Promise<ProjectAtWork> {
  const first = await readProject(folder)
  if ('faults' in first) throw new WorkerProjectUnusable(first.faults.join('\n'))
  let project = first
  let bundler: Bundler = await openBundler(project)
  let inputs: readonly string[] = []
  let bundle: Bundle | undefined
  let problem: string | undefined
  let remarks: readonly string[] = project.remarks
  // Of an earlier start.
  const { accountId, workers } = world
  const there = await workers.worker(accountId, project.name)
  const version = there && (await workers.versionRecord(there, there.currentVersionId))
  let handlers = version?.code.handlers ?? []
  let runs = there !== undefined
  let onChange: () => void = () => undefined
  const say = (text: string) => world.print(`[${project.name}] ${text}\n`)
  const watching = openProjectWatch({
    ...{ folder, onProblem: say },
    onChange: () => onChange(),
  })

  async function readAgain(): Promise<readonly string[]> {
    const read = await readProject(folder)
    if ('faults' in read) return read.faults
    if (!isDeepStrictEqual(bundledBy(read), bundledBy(project))) {
      await bundler[Symbol.asyncDispose]()
      bundler = await openBundler(read)
    }
    project = read
    return []
  }

  /** Undefined where nothing came of it, and `problem` says why. */
  async function bring(): Promise<{ readonly isNew: boolean } | undefined> {
    const faults = await readAgain()
    if (faults.length > 0) {
      problem = faults.join('\n')
      return undefined
    }
    const { outcome, warnings, ...bundled } = await bundler.bundle()
    inputs = bundled.inputs
    if ('errors' in outcome) {
      problem = outcome.errors
      return undefined
    }
    const deployed = await deployProject(world, project, outcome)
    if ('fault' in deployed) {
      problem = withHint(deployed.fault, project)
      return undefined
    }
    ;({ handlers } = deployed)
    remarks = [...project.remarks, ...(warnings === '' ? [] : [warnings]), ...deployed.remarks]
    bundle = outcome
    runs = true
    problem = undefined
    return { isNew: deployed.isNew }
  }

  const look = () =>
    watching.look({
      files: [...project.files, ...inputs],
      everything: problem !== undefined,
    })

  return {
    folder,
    get name() {
      return project.name
    },
    get project() {
      return project
    },
    get handlers() {
      return handlers
    },
    get problem() {
      return problem
    },
    get runs() {
      return runs
    },
    get remarks() {
      return remarks
    },
    origin: (line, column) => bundle?.origin(line, column),

    load: async () => (await bring()) !== undefined,

    async reload() {
      const before = { problem, remarks }
      const began = performance.now()
      try {
        const brought = await bring()
        const took = `${Math.round(performance.now() - began)} ms`
        if (problem !== undefined && problem !== before.problem) {
          say(`${marked(problem)}\n`)
          say(runs ? `not reloaded; the version before runs on` : 'does not run yet')
        }
        for (const remark of remarks) if (!before.remarks.includes(remark)) say(`▲ ${remark}`)
        if (brought?.isNew) say(`reloaded in ${took}`)
        else if (brought && before.problem !== undefined) say('is right again; what runs is the same')
      } catch (error) {
        say(`✘ reloading failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
      }
      await look()
    },

    async watch(listener) {
      onChange = listener
      await look()
    },

    async [Symbol.asyncDispose]() {
      watching[Symbol.dispose]()
      await bundler[Symbol.asyncDispose]()
    },
  }
}

/** As esbuild marks its own. */
export function marked(problem: string): string {
  return problem.startsWith('✘') ? problem.trim() : `✘ ${problem.trim()}`
}

/** What the bundler is made for. */
function bundledBy({ folder, main, build, compatibilityFlags }: WorkerProject) {
  const { rules, define, alias, tsconfig, minify, keep_names, jsx_factory, jsx_fragment } = build
  return [
    ...[folder, main, compatibilityFlags.includes('nodejs_compat'), rules, define, alias],
    ...[tsconfig, minify, keep_names, jsx_factory, jsx_fragment],
  ]
}

function withHint(fault: string, { compatibilityFlags }: WorkerProject): string {
  const lacksNode =
    /No such module "node:|"node:\w+"/.test(fault) && !compatibilityFlags.includes('nodejs_compat')
  return lacksNode ? `${fault}\nModules of Node need "compatibility_flags": ["nodejs_compat"].` : fault
}
