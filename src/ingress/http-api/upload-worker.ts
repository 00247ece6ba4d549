import type { WorkerBinding } from '#model/worker.ts'
import { shownBinding } from '#registry/workers/version-secrets.ts'
import type { Upload, WantedBinding } from '#registry/workers/worker.ts'
import type { Outcome } from '#registry/workers/workers.ts'
import { openBodyBudget } from './body-budget.ts'
import { bindingBody } from './read-binding.ts'
import { readWorkerUpload } from './read-worker-upload.ts'
import type { Call, Fault } from './serve-operation.ts'
import { explainWorkerFault, unfit } from './workers-faults.ts'
import { authorOf, noteWorker, scriptName, type WorkersWorld } from './workers-world.ts'

/** All modules of a Worker together, and what frames them. */
const LARGEST_UPLOAD = 26 * 1_048_576

/** In lower case, as a label of a host name may be, and with the underscores that people have in theirs. */
const NAME = /^[a-z0-9_][a-z0-9_-]{0,62}$/

/** Takes uploads of Workers, for both operations that have one. */
export function openUploads(world: WorkersWorld) {
  const { workers, accounts, now } = world

  /** What a binding names and the account does not have. */
  async function lacking(accountId: string, bindings: readonly WantedBinding[]): Promise<Fault | undefined> {
    for (const [index, binding] of bindings.entries()) {
      const pointer = `/bindings/${index}`
      if (binding.type === 'kv_namespace' && !(await world.hasKvNamespace(accountId, binding.namespaceId))) {
        const message = `Binding '${binding.name}': KV namespace '${binding.namespaceId}' not found.`
        return { ...unfit(message, `${pointer}/namespace_id`), code: 10041 }
      }
      if (binding.type === 'queue' && !(await world.hasQueue(accountId, binding.queueName))) {
        const message = `Binding '${binding.name}': Queue '${binding.queueName}' does not exist.`
        return { ...unfit(message, `${pointer}/queue_name`), code: 11000 }
      }
    }
    return undefined
  }

  return {
    large: { limit: LARGEST_UPLOAD, bodies: openBodyBudget(4 * LARGEST_UPLOAD) },

    async take(
      call: Call<unknown, Uint8Array>,
      options: { readonly deploy: boolean; readonly create: boolean },
    ): Promise<Outcome | Fault> {
      const { accountId, by, body, contentType } = call
      const name = scriptName(call)
      // wrangler asks for what it may change first, and so should hear of the name before anything else.
      if (!NAME.test(name)) {
        const message = `'${name.slice(0, 100)}' is no name of a Worker: small letters, digits, '-' and '_', 63 at most.`
        return { status: 400, code: 10016, message }
      }
      if (!options.create && !(await workers.worker(accountId, name)))
        return explainWorkerFault({ kind: 'unknown-worker' })
      const read = await readWorkerUpload(body, contentType, now())
      if ('status' in read) return read
      const lacks = await lacking(accountId, read.upload.bindings)
      if (lacks) return lacks
      const made = await workers.upload(
        read.upload,
        {
          ...{ accountId, name, author: await authorOf(by, accounts), ...options },
          ...(options.deploy && { settings: read.settings }),
        },
        ({ worker, version, before }) => [
          noteWorker(call, now(), {
            ...{ verb: before ? (options.deploy ? 'deploy' : 'upload') : 'create', worker },
            ...(before && { before: { version_id: before.currentVersionId } }),
            after: { version_id: version.id, ...noted(read.upload) },
          }),
        ],
      )
      return 'kind' in made ? explainWorkerFault(made) : made
    },
  }
}

/** What of an upload stands in the audit log: no code, no secrets. */
function noted({ compatibilityDate, bindings }: Upload): object {
  const named = bindings.filter((binding): binding is WorkerBinding => binding.type !== 'inherit')
  return {
    compatibility_date: compatibilityDate,
    bindings: named.map((binding) => {
      const { name, type } = bindingBody(shownBinding(binding))
      return { name, type }
    }),
  }
}
