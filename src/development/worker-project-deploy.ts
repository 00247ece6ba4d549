import { isDeepStrictEqual } from 'node:util'
import { isAddress, parseAddress } from '#protocol/address.ts'
import type { PlannedChange } from '#registry/routes/plan-rules.ts'
import type { CatchAll, RuleAction } from '#registry/routes/rule.ts'
import type { RuleFault } from '#registry/routes/rules.ts'
import type { Upload, Worker } from '#registry/workers/worker.ts'
import type { UploadFault } from '#registry/workers/workers.ts'
import { newQueue } from '#workers/storage/queue-consumers.ts'
import type { WorkerProject } from './worker-project.ts'
import type { Bundle } from './worker-project-bundle.ts'
import type { WorkerProjectsWorld } from './worker-projects.ts'

type World = Pick<WorkerProjectsWorld, 'accountId' | 'workers' | 'kv' | 'queues' | 'rules'>

export interface Deployed {
  readonly worker: Worker
  readonly handlers: readonly string[]
  /** False where the same ran already. */
  readonly isNew: boolean
  /** Sentences for its owner. */
  readonly remarks: readonly string[]
}

/** Brings a project into the instance's account, with all that its configuration names: as `wrangler deploy` does, and
 *  besides it makes what is not there yet. */
export async function deployProject(
  world: World,
  project: WorkerProject,
  bundle: Bundle,
): Promise<Deployed | { readonly fault: string }> {
  const { accountId, workers } = world
  for (const binding of project.bindings)
    if (binding.type === 'queue') await ensureQueue(world, binding.queueName)
  const upload: Upload = {
    ...{ mainModule: bundle.mainModule, modules: bundle.modules },
    ...{ compatibilityDate: project.compatibilityDate, compatibilityFlags: project.compatibilityFlags },
    ...{ bindings: [...project.bindings, ...(await kvBindings(world, project))], keep: [] },
    annotations: { 'workers/triggered_by': 'upload' },
  }
  const { name } = project
  const before = await runningAs(world, name, upload)
  const made =
    before ??
    (await workers.upload(
      upload,
      { accountId, name, author: AUTHOR, deploy: true, create: true },
      NOTHING_MORE,
    ))
  if ('kind' in made) return { fault: explain(made) }
  const reached = made.worker.onSubdomain || (await workers.changeSubdomain(made.worker, true, NOTHING_MORE))
  const worker = reached === true ? made.worker : (reached ?? made.worker)
  if (!isDeepStrictEqual(worker.crons, project.crons))
    await workers.changeCrons(worker, project.crons, NOTHING_MORE)
  return {
    ...{ worker, handlers: made.version.code.handlers, isNew: before === undefined },
    remarks: [...(await setConsumers(world, project)), ...(await setRules(world, project, worker))],
  }
}

const AUTHOR = { id: 'development', email: 'posthorn dev' }
const NOTHING_MORE = () => []

/** The upload is compared with what runs: a start without a change makes no version. */
async function runningAs({ accountId, workers }: World, name: string, upload: Upload) {
  const [worker, current] = [await workers.worker(accountId, name), await workers.current(accountId, name)]
  if (!worker || !current || worker.latestVersionId !== current.id) return undefined
  const version = await workers.versionRecord(worker, current.id)
  const { mainModule, compatibilityDate, compatibilityFlags } = upload
  const wanted = { mainModule, compatibilityDate, compatibilityFlags, ...partsOf(upload) }
  const has = {
    ...{ mainModule: current.mainModule, compatibilityDate: current.compatibilityDate },
    ...{ compatibilityFlags: current.compatibilityFlags, ...partsOf(current) },
  }
  return version && isDeepStrictEqual(wanted, has) ? { worker, version } : undefined
}

function partsOf({ modules, bindings }: Pick<Upload, 'modules' | 'bindings'>) {
  const byName = (one: { readonly name: string }, other: { readonly name: string }) =>
    one.name < other.name ? -1 : 1
  return {
    modules: modules
      .map(({ name, type, content }) => ({ name, type, content: Buffer.from(content) }))
      .sort(byName),
    bindings: [...bindings].sort(byName),
  }
}

function explain(fault: UploadFault): string {
  switch (fault.kind) {
    case 'does-not-start':
      return `The Worker does not start: ${fault.detail}`
    case 'unknown-service':
      return `services: ${fault.name} needs the Worker ${fault.service}, which is not here; name its folder with --worker too, before this one`
    case 'too-many-workers':
      return `There are ${fault.limit} Workers, and no room for more.`
    case 'too-many-bindings':
      return `A Worker may have ${fault.limit} bindings and variables.`
    case 'nothing-to-inherit':
    case 'unknown-worker':
      throw new Error(`an upload that makes its Worker, and inherits nothing: ${fault.kind}`)
  }
}

/** An id that is not one of this instance's stands for a namespace of that name: Workers that name the same id share
 *  it, as they do with wrangler. */
async function kvBindings({ accountId, kv }: World, { name, kv: wanted }: WorkerProject) {
  if (wanted.length === 0) return []
  const page = { order: 'title', direction: 'asc', offset: 0, limit: 1000 } as const
  const { namespaces } = await kv.listNamespaces(accountId, page)
  const known = new Map(namespaces.flatMap(({ id, title }) => [[title, id] as const, [id, id] as const]))
  const bindings = []
  for (const { binding, id } of wanted) {
    const title = id ?? `${name}-${binding.toLowerCase()}`
    let namespaceId = known.get(title)
    if (namespaceId === undefined) {
      const made = await kv.createNamespace(accountId, title, NOTHING_MORE)
      if (typeof made === 'string') throw new Error(`the namespace ${title} cannot be made: ${made}`)
      namespaceId = made.id
      known.set(title, namespaceId)
    }
    bindings.push({ name: binding, type: 'kv_namespace' as const, namespaceId })
  }
  return bindings
}

async function ensureQueue({ accountId, queues }: World, name: string) {
  const there = await queues.queueNamed(accountId, name)
  if (there) return there
  const made = await queues.createQueue(accountId, newQueue(name), NOTHING_MORE)
  const found = made === 'name-taken' ? await queues.queueNamed(accountId, name) : made
  if (!found || found === 'too-many') throw new Error(`the queue ${name} cannot be made`)
  return found
}

/** A queue has one consumer; who is named last has it. */
async function setConsumers(world: World, { name: scriptName, consumers }: WorkerProject) {
  const { accountId, queues } = world
  const remarks: string[] = []
  for (const { queue: name, ...settings } of consumers) {
    const queue = await ensureQueue(world, name)
    const place = { accountId, queueId: queue.id }
    const wish = { scriptName, ...settings }
    const { consumer } = queue
    if (!consumer) await queues.addConsumer(place, wish, NOTHING_MORE)
    else if (!isDeepStrictEqual({ ...consumer, ...wish }, consumer))
      await queues.changeConsumer(place, { id: consumer.id, wish }, NOTHING_MORE)
    if (consumer && consumer.scriptName !== scriptName)
      remarks.push(
        `the queue ${name} had the consumer ${consumer.scriptName}, whose place ${scriptName} takes`,
      )
  }
  return remarks
}

/** The mail for `addresses` comes to the Worker, and what it gave up does not any more. */
async function setRules(world: World, project: WorkerProject, { id: ownerWorkerTag, name }: Worker) {
  const { accountId, rules } = world
  const action: RuleAction = { type: 'worker', name }
  const remarks: string[] = []
  const left = { addresses: [...project.addresses], catchAlls: [...project.catchAlls] }
  for (;;) {
    const plan = await rules.plan(accountId, {
      ...{ ownerWorkerTag, maySee: () => true },
      rules: left.addresses.map((address) => ({ address, action })),
      catchAlls: left.catchAlls.map((domain) => ({ domain, action })),
    })
    if (plan.kind === 'planned') {
      for (const { zoneId, changes } of plan.zones)
        for (const change of changes)
          remarks.push(...(await applyChange(world, { zoneId, change, action, ownerWorkerTag })))
      return remarks
    }
    const { target } = plan
    remarks.push(`addresses: ${target} ${WHY[plan.kind]}`)
    left.addresses = left.addresses.filter((address) => address !== target)
    left.catchAlls = left.catchAlls.filter((domain) => `*@${domain}` !== target)
  }
}

const WHY = {
  'unknown-domain': 'is at no domain that takes mail here; add the domain to POSTHORN_DEV_ZONES',
  'named-twice': 'is there twice',
  'subdomain-catch-all': 'is of a subdomain: the catch-all of its domain has that mail',
} as const

async function applyChange(
  { accountId, rules }: World,
  {
    zoneId,
    change: { type, target, remote },
    action,
    ownerWorkerTag,
  }: { zoneId: string; change: PlannedChange; action: RuleAction; ownerWorkerTag: string },
): Promise<readonly string[]> {
  const scope = { accountId, zoneId }
  const managed = { source: 'wrangler', ownerWorkerTag } as const
  const isCatchAll = target.startsWith('*@')
  let done: object | RuleFault
  if (isCatchAll) {
    const off = {
      action: { type: 'drop' },
      enabled: false,
      name: '',
      managed: { source: 'api', ownerWorkerTag: null },
    } as const
    const wish = type === 'deleted' ? off : { action, managed, enabled: true }
    done = await rules.setCatchAll(scope, { domain: undefined, wish }, NOTHING_MORE)
  } else if (type === 'deleted') {
    done = await rules.remove(scope, remote?.id ?? '', NOTHING_MORE)
  } else {
    const address = parseAddress(target)
    if (!isAddress(address)) throw new Error('a plan names the addresses that it was asked for')
    const wish = { address, action, managed, enabled: true }
    done = remote
      ? await rules.update(scope, { id: remote.id, wish }, NOTHING_MORE)
      : await rules.create(scope, wish, NOTHING_MORE)
  }
  if ('kind' in done) return [`addresses: ${target} cannot be had: ${done.kind}`]
  return type === 'conflict'
    ? [`addresses: ${target} was somebody else's (${whose(remote)}), and is this Worker's now`]
    : []
}

function whose(remote: PlannedChange['remote'] | CatchAll): string {
  if (remote?.action.type === 'forward') return `forwarded to ${remote.action.to}`
  return remote?.action.type === 'worker' ? `the Worker ${remote.action.name}` : 'dropped'
}
