/** What a rate looks like in a setting. */
export const RATE = 'a number and s, min, h or d, such as 10/s, 600/min or 20/h'

const UNITS: Readonly<Record<string, number>> = { s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000 }

/** `600/min`; undefined for what is none. */
export function parseRate(text: string): { readonly count: number; readonly perMs: number } | undefined {
  const [, digits = '', unit = ''] = /^([1-9]\d{0,8})\/(s|min|h|d)$/.exec(text.trim()) ?? []
  const perMs = UNITS[unit]
  return perMs === undefined ? undefined : { count: Number(digits), perMs }
}
