const whole = new Intl.NumberFormat()
const percent = new Intl.NumberFormat(undefined, { style: 'percent', maximumFractionDigits: 1 })
const signed = new Intl.NumberFormat(undefined, {
  ...({ style: 'percent', maximumFractionDigits: 0, signDisplay: 'exceptZero' } as const),
})

export const countText = (count: number): string => whole.format(count)

export const shareText = (part: number, all: number): string => (all === 0 ? '–' : percent.format(part / all))

export const rateText = (rate: number | null): string => (rate === null ? '–' : percent.format(rate))

/** "+12%"; undefined where there was nothing to grow from. */
export function changeText(now: number, before: number): string | undefined {
  return before === 0 ? undefined : signed.format((now - before) / before)
}
