import { inside } from './zone-contents.ts'

/** The names below a zone's own under which all its other records lie: what is to be delegated to us where the zone
 *  itself stays elsewhere. What stands at the zone's own name cannot be delegated alone. */
export function delegatedNames(zoneName: string, records: readonly { readonly name: string }[]): string[] {
  const begins = records
    // A star is delegated with the name that it stands under.
    .map(({ name }) => name.replace(/^\*\./, ''))
    .filter((name) => name !== zoneName && inside(name, zoneName))
    .toSorted((one, other) => one.length - other.length)
  const kept: string[] = []
  for (const name of begins) if (!kept.some((above) => inside(name, above))) kept.push(name)
  return kept.toSorted()
}
