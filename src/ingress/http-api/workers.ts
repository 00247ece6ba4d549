import type { FastifyInstance } from 'fastify'
import {
  deleteScript,
  deleteService,
  editScriptSettings,
  getScriptSettings,
  getService,
  getSettings,
  listScripts,
  putScript,
} from '#contract/workers.ts'
import type { Worker } from '#registry/workers/worker.ts'
import { apiTime } from './api-time.ts'
import { bindingBody } from './read-binding.ts'
import { settingsOf } from './read-worker-upload.ts'
import { noteRule } from './rule-body.ts'
import { type Answer, type Call, type Fault, serveOperation } from './serve-operation.ts'
import { openUploads } from './upload-worker.ts'
import { scriptBody, settingsBody, uploadedBody } from './worker-bodies.ts'
import { NO_SCRIPT } from './workers-faults.ts'
import { findScript, noteWorker, scriptName, type WorkersWorld } from './workers-world.ts'

/** `…/workers/scripts` and `…/workers/services`: what `wrangler deploy` and `wrangler delete` call (clients.md §3). */
export function workerRoutes(
  api: FastifyInstance,
  world: WorkersWorld,
  uploads: ReturnType<typeof openUploads>,
): void {
  const { workers, workerRules, now } = world

  /** The newest version is the one that clients compare with. */
  async function newest(worker: Worker) {
    const version = await workers.versionRecord(worker, worker.latestVersionId)
    return version ?? NO_SCRIPT
  }

  serveOperation(api, { operation: listScripts, world }, async ({ accountId }) => {
    const all = await workers.list(accountId)
    const versions = await Promise.all(all.map(async (worker) => ({ worker, version: await newest(worker) })))
    return {
      result: versions.flatMap(({ worker, version }) =>
        'status' in version ? [] : [scriptBody(worker, version)],
      ),
    }
  })

  serveOperation(api, { operation: putScript, world, large: uploads.large }, async (call) => {
    const made = await uploads.take(call, { deploy: true, create: true })
    return 'status' in made ? made : { result: uploadedBody(made.worker, made.version) }
  })

  serveOperation(api, { operation: getService, world }, async (call) => {
    const worker = await findScript(world, call)
    const version = worker ? await newest(worker) : NO_SCRIPT
    if (!worker || 'status' in version) return NO_SCRIPT
    const times = { created_on: apiTime(worker.createdAt), modified_on: apiTime(worker.modifiedAt) }
    const environment = { environment: 'production', ...times }
    return {
      result: {
        ...{ id: worker.name, ...times },
        default_environment: { ...environment, script: scriptBody(worker, version) },
        environments: [environment],
      },
    }
  })

  serveOperation(api, { operation: getSettings, world }, async (call) => {
    const worker = await findScript(world, call)
    const version = worker ? await newest(worker) : NO_SCRIPT
    if (!worker || 'status' in version) return NO_SCRIPT
    return {
      result: {
        ...settingsBody(worker),
        bindings: version.bindings.map(bindingBody),
        compatibility_date: version.code.compatibilityDate,
        compatibility_flags: [...version.code.compatibilityFlags],
        usage_model: 'standard' as const,
        annotations: { ...version.annotations },
      },
    }
  })

  serveOperation(api, { operation: getScriptSettings, world }, async (call) => {
    const worker = await findScript(world, call)
    return worker ? { result: settingsBody(worker) } : NO_SCRIPT
  })

  serveOperation(api, { operation: editScriptSettings, world }, async (call) => {
    const { accountId, body } = call
    const changed = await workers.changeSettings(
      { accountId, name: scriptName(call) },
      settingsOf(body),
      ({ before, after }) => [
        noteWorker(call, now(), {
          ...{ verb: 'update', worker: before, before: before.settings },
          ...(after && { after: after.settings }),
        }),
      ],
    )
    return changed ? { result: settingsBody(changed) } : NO_SCRIPT
  })

  for (const operation of [deleteScript, deleteService])
    serveOperation(api, { operation, world }, (call) => remove(call, call.query.force ?? false))

  async function remove(call: Call<unknown, unknown>, force: boolean): Promise<Answer<{ id: string }>> {
    const { accountId, by } = call
    const worker = await findScript(world, call)
    if (!worker) return NO_SCRIPT
    const references = force ? [] : await workers.references(accountId, worker.name)
    if (references.length > 0) return inUse(references)
    const at = now()
    const rules = await workerRules.leadingTo(accountId, worker.name)
    const note = noteRule(by.audit, { accountId, at })
    const removed = await workers.remove(worker, () => [
      noteWorker(call, at, { verb: 'delete', worker, before: { tag: worker.id } }),
      ...rules.flatMap((before) => {
        const { after, write } = workerRules.switchOff(accountId, before)
        return [write, ...note({ before, after })]
      }),
    ])
    return removed ? { result: { id: worker.name } } : NO_SCRIPT
  }
}

function inUse(references: readonly string[]): Fault {
  const message = `These Workers call this one: ${references.slice(0, 10).join(', ')}. Delete it with force=true.`
  return { status: 400, code: 10064, message }
}
