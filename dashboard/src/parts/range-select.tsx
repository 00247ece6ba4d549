import { Input } from '@cloudflare/kumo/components/input'
import { Select } from '@cloudflare/kumo/components/select'
import { useState } from 'react'
import { fieldText } from './field-text.ts'
import { FormDialog } from './form-dialog.tsx'
import { parseTimeRange, spanOf, timeRangeBetween, timeRangeText } from './time-range.ts'

interface RangeSelectProps {
  /** As parseTimeRange reads it. */
  readonly value: string
  /** The lengths to choose from. */
  readonly lengths: readonly string[]
  readonly onChange: (range: string) => void
  /** How long a range of one's own may be, in ms. */
  readonly longestMs: number
}

const CUSTOM = 'custom'
const DAY = { kind: 'last', last: '24h', ms: 86_400_000 } as const

/** Chooses a time range: a length that ends now, or any two moments. */
export function RangeSelect({ value, lengths, onChange, longestMs }: RangeSelectProps) {
  const [shown, setShown] = useState<{ readonly from: number; readonly to: number }>()
  const offered = lengths.includes(value) ? lengths : [...lengths, value]
  const items = [
    ...offered.map((range) => ({ value: range, label: timeRangeText(range) })),
    { value: CUSTOM, label: 'Custom…' },
  ]
  async function choose(form: FormData) {
    const [from, to] = ['from', 'to'].map((name) => Date.parse(fieldText(form, name)))
    if (from === undefined || to === undefined || !(from < to))
      throw new Error('The end must be after the start.')
    if (to - from > longestMs)
      throw new Error(`A range has ${Math.floor(longestMs / 86_400_000)} days at most.`)
    onChange(timeRangeBetween(from, to))
  }

  return (
    <>
      <Select
        aria-label="Time range"
        value={value}
        items={items}
        onValueChange={(chosen) => {
          if (chosen === CUSTOM) setShown(spanOf(parseTimeRange(value) ?? DAY, Date.now()))
          else if (chosen !== null) onChange(chosen)
        }}
      >
        {items.map(({ value, label }) => (
          <Select.Option key={value} value={value}>
            {label}
          </Select.Option>
        ))}
      </Select>
      <FormDialog
        open={shown !== undefined}
        onOpenChange={() => setShown(undefined)}
        title="Custom time range"
        lead="In your own time zone."
        action="Show"
        onSubmit={choose}
      >
        {shown && (
          <>
            <Input label="From" name="from" type="datetime-local" defaultValue={local(shown.from)} required />
            <Input label="To" name="to" type="datetime-local" defaultValue={local(shown.to)} required />
          </>
        )}
      </FormDialog>
    </>
  )
}

/** As such an input has it: in the viewer's zone, to the minute. */
function local(at: number): string {
  return new Date(at - new Date(at).getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}
