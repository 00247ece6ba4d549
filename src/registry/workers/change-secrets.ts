import type { WorkerBinding } from '#model/worker.ts'
import { addVersion } from './add-version.ts'
import { isBindingFault, resolveBindings } from './resolve-bindings.ts'
import { findVersion, readBindings } from './version-row.ts'
import type { Author } from './worker.ts'
import { findWorker } from './worker-row.ts'
import type { Outcome, RecordVersion, SecretFault, WorkersWorld } from './workers.ts'

const RACES = 10

/** Secrets by name; null takes one away. */
type SecretChanges = ReadonlyMap<string, string | null>

export interface SecretWish {
  readonly accountId: string
  readonly name: string
  readonly changes: SecretChanges
  readonly author: Author
  /** Taking away what is not there is a fault. */
  readonly strict: boolean
  /** Whether the version runs at once. */
  readonly deploy: boolean
  readonly annotations?: Readonly<Record<string, string>>
}

/** Makes a version of the newest that differs in secrets alone. */
export async function changeSecrets(
  world: WorkersWorld,
  wish: SecretWish,
  record: RecordVersion,
): Promise<Outcome | SecretFault> {
  const { accountId, name, changes, author, strict, deploy, annotations } = wish
  for (let race = 0; race < RACES; race++) {
    const before = await findWorker(world.store, accountId, name)
    if (!before) return { kind: 'unknown-worker' }
    // The original's rule: a change of a secret must not deploy what was only uploaded.
    if (deploy && before.latestVersionId !== before.currentVersionId) return { kind: 'latest-not-deployed' }
    const latest = await findVersion(world.store, before, before.latestVersionId)
    if (!latest) continue
    const had = await readBindings(world, accountId, latest.id)
    const changed = withSecrets(had, changes, strict)
    if ('kind' in changed) return changed
    const bindings = resolveBindings({ bindings: changed, keep: [] }, [])
    if (isBindingFault(bindings)) return bindings
    const made = await addVersion(
      world,
      {
        ...{ accountId, name, before, bindings, author, deploy },
        ...{ code: { record: latest.code, kept: true } },
        annotations: { 'workers/triggered_by': 'secret', ...annotations },
      },
      record,
    )
    if (made) return made
  }
  throw new Error(`changing secrets lost ${RACES} races in a row`)
}

function withSecrets(
  had: readonly WorkerBinding[],
  changes: SecretChanges,
  strict: boolean,
): readonly WorkerBinding[] | SecretFault {
  const bindings = new Map(had.map((binding) => [binding.name, binding]))
  for (const [name, text] of changes) {
    const before = bindings.get(name)
    if (before && before.type !== 'secret_text') return { kind: 'name-taken', name, by: before.type }
    if (text !== null) bindings.set(name, { name, type: 'secret_text', text })
    else if (!bindings.delete(name) && strict) return { kind: 'unknown-secret', name }
  }
  return [...bindings.values()]
}
