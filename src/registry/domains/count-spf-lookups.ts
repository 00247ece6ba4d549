import type { Lookup } from '#net/resolver.ts'
import { asksDns, isSpfText, parseSpf, reachedTerms, SPF_LOOKUPS } from '#protocol/spf-record.ts'

/** What an SPF record costs its verifiers in the worst case (RFC 7208 §4.6.4). */
export interface SpfLookups {
  /** Terms that ask DNS, those of included records with them. */
  readonly lookups: number
  /** Names that did not answer: what they include is not counted. */
  readonly unanswered: readonly string[]
}

// A hostile record may include without end; past this the exact number says nothing more.
const COUNTED = SPF_LOOKUPS * 3
// Each name that does not answer costs its asker seconds.
const UNANSWERED = 2

/** Counts, and asks `txt` for each included record. More than `SPF_LOOKUPS` and every verifier answers permerror. */
export async function countSpfLookups(
  text: string,
  txt: (name: string) => Promise<Lookup<string>>,
): Promise<SpfLookups> {
  const unanswered: string[] = []
  let lookups = 0

  async function count(record: string, way: readonly string[]): Promise<void> {
    for (const term of reachedTerms(parseSpf(record) ?? []).filter(asksDns)) {
      if (lookups >= COUNTED) return
      lookups += 1
      const name = term.value?.toLowerCase().replace(/\.$/, '') ?? ''
      const follows = term.name === 'include' || term.name === 'redirect'
      // What a macro names depends on the sender (§7); a loop is cut where it closes, and is over the limit by itself.
      if (!follows || name === '' || name.includes('%')) continue
      if (way.includes(name)) {
        lookups = COUNTED
        return
      }
      if (unanswered.length >= UNANSWERED) {
        unanswered.push(name)
        continue
      }
      const answer = await txt(name)
      if (answer.kind === 'temporary-failure') unanswered.push(name)
      const included = answer.kind === 'found' ? answer.records.find(isSpfText) : undefined
      if (included !== undefined) await count(included, [...way, name])
    }
  }

  await count(text, [])
  return { lookups, unanswered }
}
