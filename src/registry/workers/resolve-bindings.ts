import type { WorkerBinding } from '#model/worker.ts'
import type { Upload } from './worker.ts'

export type BindingFault =
  | { readonly kind: 'nothing-to-inherit'; readonly name: string; readonly from: string }
  | { readonly kind: 'too-many-bindings'; readonly limit: number }

/** Twice the original's variables, and bindings of every other kind among them. */
export const MOST_BINDINGS = 256

/** What a new version is bound to: what its upload names, what that inherits, and what it keeps of the version
 *  `before` without naming it. */
export function resolveBindings(
  { bindings, keep }: Pick<Upload, 'bindings' | 'keep'>,
  before: readonly WorkerBinding[],
): readonly WorkerBinding[] | BindingFault {
  const had = new Map(before.map((binding) => [binding.name, binding]))
  const resolved: WorkerBinding[] = []
  for (const wanted of bindings) {
    if (wanted.type !== 'inherit') {
      resolved.push(wanted)
      continue
    }
    const { name, from } = wanted
    const inherited = had.get(from)
    if (!inherited) return { kind: 'nothing-to-inherit', name, from }
    resolved.push({ ...inherited, name })
  }
  const named = new Set(bindings.map(({ name }) => name))
  const kept = before.filter(({ name, type }) => keep.includes(type) && !named.has(name))
  const all = [...resolved, ...kept]
  return all.length > MOST_BINDINGS ? { kind: 'too-many-bindings', limit: MOST_BINDINGS } : all
}

export function isBindingFault(resolved: readonly WorkerBinding[] | BindingFault): resolved is BindingFault {
  return 'kind' in resolved
}
