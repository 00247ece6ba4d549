import type { FastifyInstance } from 'fastify'
import {
  bulkSecrets,
  deleteSecret,
  getSecret,
  listSecrets,
  patchLatestVersion,
  putSecret,
  type SecretBody,
} from '#contract/workers.ts'
import type { SecretWish } from '#registry/workers/change-secrets.ts'
import type { VersionRecord } from '#registry/workers/worker.ts'
import type { Outcome } from '#registry/workers/workers.ts'
import { type Call, type Fault, serveOperation } from './serve-operation.ts'
import { wholeVersionBody } from './worker-bodies.ts'
import { explainWorkerFault, NO_SCRIPT } from './workers-faults.ts'
import { authorOf, findScript, noteWorker, scriptName, type WorkersWorld } from './workers-world.ts'

/** `…/scripts/{script_name}/secrets`, and those of a version that does not run yet. Their texts come in and are never told. */
export function workerSecretRoutes(api: FastifyInstance, world: WorkersWorld): void {
  const { workers, accounts, now } = world

  serveOperation(api, { operation: listSecrets, world }, async (call) => {
    const all = await secretsOf(call)
    return 'status' in all ? all : { result: [...all] }
  })

  serveOperation(api, { operation: getSecret, world }, async (call) => {
    const all = await secretsOf(call)
    if ('status' in all) return all
    const name = call.params['secret_name'] ?? ''
    const found = all.find((each) => each.name === name)
    return found
      ? { result: found }
      : explainWorkerFault({ kind: 'unknown-secret', name: name.slice(0, 100) })
  })

  serveOperation(api, { operation: putSecret, world }, async (call) => {
    const { name, text } = call.body
    const made = await change(call, new Map([[name, text]]))
    return 'status' in made ? made : { result: { name, type: 'secret_text' as const } }
  })

  serveOperation(api, { operation: deleteSecret, world }, async (call) => {
    const made = await change(call, new Map([[call.params['secret_name'] ?? '', null]]), { strict: true })
    return 'status' in made ? made : { result: null }
  })

  serveOperation(api, { operation: bulkSecrets, world }, async (call) => {
    const changes = Object.entries(call.body.secrets).map(
      ([name, secret]) => [name, secret?.text ?? null] as const,
    )
    const made = await change(call, new Map(changes))
    return 'status' in made ? made : { result: secretBodies(made.version) }
  })

  serveOperation(api, { operation: patchLatestVersion, world }, async (call) => {
    const { env, annotations } = call.body
    const changes = Object.entries(env).map(([name, secret]) => [name, secret?.text ?? null] as const)
    const said = Object.entries(annotations).filter((each): each is [string, string] => each[1] !== undefined)
    const how = { deploy: false, annotations: Object.fromEntries(said) }
    const made = await change(call, new Map(changes), how)
    return 'status' in made ? made : { result: wholeVersionBody(made.version) }
  })

  /** Of the newest version, which the next one inherits them from. */
  async function secretsOf(call: Call<unknown, unknown>): Promise<readonly SecretBody[] | Fault> {
    const worker = await findScript(world, call)
    const version = worker && (await workers.versionRecord(worker, worker.latestVersionId))
    return version ? secretBodies(version) : NO_SCRIPT
  }

  async function change(
    call: Call<unknown, unknown>,
    changes: ReadonlyMap<string, string | null>,
    how: Partial<Pick<SecretWish, 'strict' | 'deploy' | 'annotations'>> = {},
  ): Promise<Outcome | Fault> {
    const { accountId, by } = call
    const author = await authorOf(by, accounts)
    const wish = { accountId, name: scriptName(call), changes, author, strict: false, deploy: true, ...how }
    const made = await workers.changeSecrets(wish, ({ worker, version, before }) => {
      const named = (gone: boolean) =>
        [...changes].flatMap(([name, text]) => ((text === null) === gone ? [name] : []))
      return [
        noteWorker(call, now(), {
          ...{ verb: 'secrets', worker },
          ...(before && { before: { version_id: before.currentVersionId } }),
          after: { version_id: version.id, set: named(false), removed: named(true) },
        }),
      ]
    })
    return 'kind' in made ? explainWorkerFault(made) : made
  }
}

function secretBodies({ bindings }: VersionRecord): SecretBody[] {
  return bindings.flatMap(({ name, type }) => (type === 'secret_text' ? [{ name, type }] : []))
}
