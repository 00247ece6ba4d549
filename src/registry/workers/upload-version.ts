import type { WorkerBinding, WorkerVersion } from '#model/worker.ts'
import { newId } from '#store/id.ts'
import { addVersion, WORKERS_PER_ACCOUNT } from './add-version.ts'
import { isBindingFault, resolveBindings } from './resolve-bindings.ts'
import { readBindings } from './version-row.ts'
import type { Upload, Worker } from './worker.ts'
import { codeOf, dropModules, keepModules } from './worker-code.ts'
import { findWorker } from './worker-row.ts'
import type { Outcome, RecordVersion, TriedOut, UploadFault, UploadOptions, WorkersWorld } from './workers.ts'

// Each lost race means that somebody else's version came to be.
const RACES = 10

/** Makes a version of an upload: its modules are on the disk before the one commit that gives it its place. */
export async function uploadVersion(
  world: WorkersWorld,
  upload: Upload,
  options: UploadOptions,
  record: RecordVersion,
): Promise<Outcome | UploadFault> {
  const { store } = world
  const { accountId, name, author, deploy, create, settings } = options
  const codeId = newId()
  const first = await prepare(world, upload, options)
  if ('kind' in first) return first
  const triedOut = await tried(world, upload, { ...options, bindings: first.bindings })
  if ('kind' in triedOut) return triedOut
  const code = codeOf(codeId, upload, triedOut)
  let made: Outcome | undefined
  try {
    await keepModules(store, codeId, upload.modules)
    let prepared = first
    for (let race = 0; race < RACES && !made; race++) {
      if (race > 0) {
        const again = await prepare(world, upload, options)
        if ('kind' in again) return again
        prepared = again
      }
      const { before, bindings } = prepared
      made = await addVersion(
        world,
        {
          ...{ accountId, name, before, bindings, author, deploy: deploy || create },
          ...{ code: { record: code, kept: false }, annotations: upload.annotations },
          ...(settings && { settings }),
        },
        record,
      )
      if (!made && !before && !(await findWorker(store, accountId, name)))
        return { kind: 'too-many-workers', limit: WORKERS_PER_ACCOUNT }
    }
  } finally {
    if (!made) await dropModules(store, codeId)
  }
  if (!made) throw new Error(`uploading a version lost ${RACES} races in a row`)
  return made
}

interface Prepared {
  readonly before: Worker | undefined
  readonly bindings: readonly WorkerBinding[]
}

async function prepare(
  world: WorkersWorld,
  upload: Upload,
  { accountId, name, create }: UploadOptions,
): Promise<Prepared | UploadFault> {
  const before = await findWorker(world.store, accountId, name)
  if (!before && !create) return { kind: 'unknown-worker' }
  const had = before ? await readBindings(world, accountId, before.latestVersionId) : []
  const bindings = resolveBindings(upload, had)
  if (isBindingFault(bindings)) return bindings
  for (const binding of bindings) {
    if (binding.type !== 'service' || binding.service === name) continue
    if (!(await findWorker(world.store, accountId, binding.service)))
      return { kind: 'unknown-service', name: binding.name, service: binding.service }
  }
  return { before, bindings }
}

async function tried(
  { tryOut }: WorkersWorld,
  upload: Upload,
  { accountId, name, bindings }: UploadOptions & Pick<Prepared, 'bindings'>,
): Promise<TriedOut | UploadFault> {
  if (!tryOut) return { handlers: [], startupMs: 1 }
  const { mainModule, modules, compatibilityDate, compatibilityFlags } = upload
  // Of no version yet: an id that nothing else has.
  const id = crypto.randomUUID()
  const version: WorkerVersion = {
    ...{ id, accountId, scriptName: name, mainModule, modules, bindings },
    ...{ compatibilityDate, compatibilityFlags },
  }
  const outcome = await tryOut(version)
  return 'detail' in outcome ? { kind: 'does-not-start', detail: outcome.detail } : outcome
}
