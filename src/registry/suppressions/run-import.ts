import { setImmediate as yieldToOthers } from 'node:timers/promises'
import { foldAddress } from '#model/address.ts'
import type { ManualAddition } from './add-suppressions.ts'
import type { ImportLine } from './import-suppressions.ts'
import { isFault, readWish, type WishFields } from './read-wish.ts'
import { type ManualSuppression, type RecordSuppressions, scopeValue } from './suppression.ts'
import type { Suppressions } from './suppressions.ts'

/** What is said of one entry of a request or a file. `fault` is a sentence where nothing was added or found. */
export type Verdict =
  | { readonly status: 'processed'; readonly wish: ManualSuppression; readonly id: string }
  | { readonly status: 'skipped'; readonly wish: ManualSuppression; readonly fault: string }
  | { readonly status: 'invalid'; readonly fault: string }
  | { readonly status: 'duplicate' }

export interface ImportCounts {
  readonly total: number
  readonly processed: number
  readonly deduplicated: number
  readonly invalid: number
  readonly skipped: number
}

export interface ImportReport extends ImportCounts {
  /** The first of them; `faultsLeftOut` says how many more there are. */
  readonly faults: readonly ImportFault[]
  readonly faultsLeftOut: number
}

export interface ImportFault {
  readonly line: number
  readonly email?: string | undefined
  readonly status: 'invalid' | 'skipped'
  readonly detail: string
}

/** Lines of a file, at most. */
export const MOST_ENTRIES = 100_000
const MOST_FAULTS = 1000
/** In one commit. */
const BATCH = 1000

interface Importing {
  readonly suppressions: Suppressions
  readonly accountId: string
  readonly now: number
  /** Places (address and scope) that this request has named already. */
  readonly seen: Set<string>
  /** What goes into the commit of each batch. */
  readonly record?: RecordSuppressions | undefined
}

/** A verdict for each of a thousand entries at most, in their order; what is new and valid goes into one commit. */
export async function addWishes(
  { suppressions, accountId, now, seen, record }: Importing,
  entries: readonly WishFields[],
): Promise<readonly Verdict[]> {
  const verdicts: Verdict[] = []
  const fresh: { readonly index: number; readonly wish: ManualSuppression }[] = []
  for (const [index, fields] of entries.entries()) {
    const wish = readWish(fields, now)
    if (isFault(wish)) {
      verdicts[index] = { status: 'invalid', fault: wish.detail }
      continue
    }
    const place = `${foldAddress(wish.email)} ${scopeValue(wish.scope)}`
    if (seen.has(place)) verdicts[index] = { status: 'duplicate' }
    else fresh.push({ index, wish })
    seen.add(place)
  }
  const additions = await suppressions.addManyManual(
    accountId,
    fresh.map(({ wish }) => wish),
    record,
  )
  for (const [position, { index, wish }] of fresh.entries()) {
    const addition = additions[position]
    if (!addition) throw new Error('an added suppression has no outcome')
    verdicts[index] = verdictOf(addition, wish)
  }
  return verdicts
}

/** What somebody added by hand may be added again; what came by itself, or from the operator, is not replaced. */
function verdictOf({ suppression, kind }: ManualAddition, wish: ManualSuppression): Verdict {
  if (kind === 'added' || suppression.reason === 'manual') {
    return { status: 'processed', wish, id: suppression.id }
  }
  const fault = `There is an active entry of this address already, for the reason ${suppression.reason}; it stays as it is.`
  return { status: 'skipped', wish, fault }
}

/** Adds all entries of a file, a thousand per commit, and lets others work in between; `too-many` before anything is
 *  added. If it breaks off, what was committed stays, and the same file may be brought again. */
export async function runImport(
  suppressions: Suppressions,
  accountId: string,
  {
    lines,
    now,
    expiresAt,
    record,
  }: {
    readonly lines: Iterable<ImportLine>
    readonly now: number
    /** Of entries that give none. */
    readonly expiresAt?: string | undefined
    /** What goes into the commit of each batch. */
    readonly record?: RecordSuppressions
  },
): Promise<ImportReport | 'too-many'> {
  const all = await collect(lines)
  if (!all) return 'too-many'
  const importing = { suppressions, accountId, now, seen: new Set<string>(), record }
  const counts = { processed: 0, duplicate: 0, invalid: 0, skipped: 0 }
  const faults: ImportFault[] = []
  for (let start = 0; start < all.length; start += BATCH) {
    const batch = all.slice(start, start + BATCH)
    const entries = batch.flatMap((line) =>
      'fields' in line ? [{ ...line.fields, expiresAt: line.fields.expiresAt ?? expiresAt }] : [],
    )
    const verdicts = (await addWishes(importing, entries)).values()
    for (const line of batch) {
      const { email, verdict } =
        'fields' in line
          ? { email: line.fields.email, verdict: verdicts.next().value }
          : { email: line.email, verdict: { status: 'invalid', fault: line.detail } as const }
      if (!verdict) throw new Error('an entry of a file has no verdict')
      counts[verdict.status] += 1
      if ('fault' in verdict) {
        if (faults.length < MOST_FAULTS)
          faults.push({
            line: line.line,
            email: email?.slice(0, 320),
            status: verdict.status,
            detail: verdict.fault,
          })
      }
    }
  }
  const { processed, invalid, skipped, duplicate: deduplicated } = counts
  const faultsLeftOut = invalid + skipped - faults.length
  return { total: all.length, processed, deduplicated, invalid, skipped, faults, faultsLeftOut }
}

/** Undefined where there are too many. */
async function collect(lines: Iterable<ImportLine>): Promise<readonly ImportLine[] | undefined> {
  const all: ImportLine[] = []
  for (const line of lines) {
    if (all.length === MOST_ENTRIES) return undefined
    all.push(line)
    if (all.length % BATCH === 0) await yieldToOthers()
  }
  return all
}
