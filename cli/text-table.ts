/** Rows in columns. The last column is cut at the width, where there is one. */
export function textTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  width: number | undefined,
): string {
  const cells = [head, ...rows].map((row) => row.map(plain))
  const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)))
  return cells
    .map((row) => {
      const line = row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd()
      return width !== undefined && line.length > width ? `${line.slice(0, width - 1)}…` : line
    })
    .join('\n')
}

/** What strangers wrote, as it may stand in a terminal: no controls, which could do anything there, and nothing that
 *  turns the direction of the text around. */
export function plain(text: string): string {
  // oxlint-disable-next-line no-control-regex -- controls are what it looks for
  return text.replaceAll(/[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, '·')
}

/** How far from now, in the largest unit that says it: `in 12m`, `3h ago`. */
export function fromNow(iso: string | null, now: number): string {
  if (iso === null) return ''
  const ms = Date.parse(iso) - now
  const text = lengthOf(Math.abs(ms))
  if (text === '0s') return 'now'
  return ms > 0 ? `in ${text}` : `${text} ago`
}

function lengthOf(ms: number): string {
  const seconds = Math.round(ms / 1000)
  if (seconds < 120) return `${seconds}s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 120) return `${minutes}m`
  const hours = Math.round(minutes / 60)
  return hours < 48 ? `${hours}h` : `${Math.round(hours / 24)}d`
}

export function number(n: number): string {
  return n.toLocaleString('en-US')
}
