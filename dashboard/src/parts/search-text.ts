/** What an address says of a parameter, as text; nothing where it is empty or no text, for others write addresses too.
 *  The router reads digits as a number. */
export function searchText(value: unknown): string | undefined {
  const text = typeof value === 'number' ? String(value) : value
  return typeof text === 'string' && text !== '' ? text : undefined
}

/** The same of a count from 1 on. */
export function searchCount(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 1 ? value : undefined
}
