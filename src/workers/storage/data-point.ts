/** What `writeDataPoint` says. Several indexes are taken, as the specification's own example has them. */
export interface DataPoint {
  readonly indexes: readonly string[]
  readonly blobs: readonly string[]
  readonly doubles: readonly number[]
}

/** The same as a Worker says it; nothing of it is known. */
export interface DataPointWish {
  readonly indexes?: unknown
  readonly blobs?: unknown
  readonly doubles?: unknown
}

export const MOST_VALUES = 20
const LARGEST_INDEX = 96
const LARGEST_BLOBS = 16_384

/** The one place that knows what a dataset takes. Null counts as nothing said, octets as UTF-8. */
export function readDataPoint(wish: DataPointWish): DataPoint | { readonly detail: string } {
  const indexes = readTexts(wish.indexes, 'indexes')
  if ('detail' in indexes) return indexes
  const blobs = readTexts(wish.blobs, 'blobs')
  if ('detail' in blobs) return blobs
  const doubles = readNumbers(wish.doubles)
  if ('detail' in doubles) return doubles
  if (indexes.texts.some((text) => Buffer.byteLength(text) > LARGEST_INDEX)) {
    return { detail: `An index may have ${LARGEST_INDEX} octets.` }
  }
  const octets = blobs.texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0)
  if (octets > LARGEST_BLOBS) {
    return { detail: `The blobs together may have ${LARGEST_BLOBS} octets; these have ${octets}.` }
  }
  return { indexes: indexes.texts, blobs: blobs.texts, doubles: doubles.numbers }
}

export function isDataset(name: string): boolean {
  return /^[A-Za-z0-9_-]{1,64}$/.test(name)
}

function readTexts(given: unknown, name: string): { readonly texts: string[] } | { readonly detail: string } {
  const list = listOf(given)
  if (!list) return { detail: `${name} must be an array of at most ${MOST_VALUES}.` }
  const texts: string[] = []
  for (const value of list) {
    const text = textOf(value)
    if (text === undefined) return { detail: `${name} must be strings or octets.` }
    // PostgreSQL's JSON and text have no room for it.
    texts.push(text.toWellFormed())
  }
  return { texts }
}

function readNumbers(given: unknown): { readonly numbers: number[] } | { readonly detail: string } {
  const list = listOf(given)
  if (!list) return { detail: `doubles must be an array of at most ${MOST_VALUES}.` }
  const numbers: number[] = []
  for (const value of list) {
    if (typeof value !== 'number' || !Number.isFinite(value)) return { detail: 'doubles must be numbers.' }
    numbers.push(value)
  }
  return { numbers }
}

function listOf(given: unknown): readonly unknown[] | undefined {
  if (given === undefined || given === null) return []
  return Array.isArray(given) && given.length <= MOST_VALUES ? given : undefined
}

function textOf(value: unknown): string | undefined {
  if (value === null || value === undefined) return ''
  if (typeof value === 'string') return value
  if (value instanceof Uint8Array || value instanceof ArrayBuffer) return new TextDecoder().decode(value)
  return undefined
}
