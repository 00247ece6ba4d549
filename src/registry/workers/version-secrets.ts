import type { WorkerBinding } from '#model/worker.ts'
import type { Vault } from '#vault/vault.ts'
import type { ShownBinding } from './worker.ts'

/** Bindings as a version's row has them: in the clear what is no secret, and the secrets sealed in their place. */
export interface StoredBindings {
  readonly bindings: string
  readonly secrets: string | null
}

interface VersionPlace {
  readonly versionId: string
  readonly accountId: string
}

export function sealBindings(
  vault: Vault,
  place: VersionPlace,
  bindings: readonly WorkerBinding[],
): StoredBindings {
  const secrets = bindings.flatMap((binding) =>
    binding.type === 'secret_text' ? [[binding.name, binding.text] as const] : [],
  )
  return {
    bindings: JSON.stringify(bindings.map(shownBinding)),
    secrets: secrets.length === 0 ? null : vault.seal(JSON.stringify(secrets), sealedAs(place)),
  }
}

export function openBindings(vault: Vault, place: VersionPlace, stored: StoredBindings): WorkerBinding[] {
  const texts = new Map<string, string>(
    stored.secrets === null ? [] : JSON.parse(vault.open(stored.secrets, sealedAs(place)).toString('utf8')),
  )
  return readShown(stored).map((binding) => {
    if (binding.type !== 'secret_text') return binding
    const text = texts.get(binding.name)
    if (text === undefined) throw new Error(`version ${place.versionId} lacks the text of a secret`)
    return { ...binding, text }
  })
}

/** What its owner may see. */
export function readShown({ bindings }: Pick<StoredBindings, 'bindings'>): ShownBinding[] {
  // Written by `sealBindings` alone.
  return JSON.parse(bindings)
}

export function shownBinding(binding: WorkerBinding): ShownBinding {
  if (binding.type !== 'secret_text') return binding
  const { name, type } = binding
  return { name, type }
}

function sealedAs({ versionId, accountId }: VersionPlace) {
  return { table: 'worker_version', row: versionId, account: accountId }
}
