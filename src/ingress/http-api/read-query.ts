/** A query's parameters, each once. Out: the name of one that stands twice. */
export function readQuery(query: unknown): ReadonlyMap<string, string> | { readonly twice: string } {
  const values = new Map<string, string>()
  for (const [name, value] of Object.entries(query ?? {})) {
    if (typeof value !== 'string') return { twice: name }
    values.set(name, value)
  }
  return values
}
