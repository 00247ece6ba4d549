import { Button } from '@cloudflare/kumo/components/button'
import {
  CaretLeftIcon,
  CaretRightIcon,
  MagnifyingGlassMinusIcon,
  MagnifyingGlassPlusIcon,
} from '@phosphor-icons/react'
import { type ReactNode, useState } from 'react'
import { type RangeStep, stepTimeRange, timeRangeText } from './time-range.ts'

interface RangeStepsProps {
  /** As parseTimeRange reads it. */
  readonly value: string
  readonly lengths: readonly string[]
  /** How long a range may be, and how far back it may begin, in ms. */
  readonly longestMs: number
  readonly keptMs: number
  readonly onChange: (range: string) => void
  /** What chooses a range; it stands between the steps. */
  readonly children: ReactNode
}

const STEPS = {
  earlier: ['Earlier', CaretLeftIcon],
  later: ['Later', CaretRightIcon],
  wider: ['Wider', MagnifyingGlassMinusIcon],
  narrower: ['Narrower', MagnifyingGlassPlusIcon],
} as const

/** Moves a time range, and looks closer or from farther away: by keyboard as by mouse. */
export function RangeSteps({ value, onChange, children, ...limits }: RangeStepsProps) {
  const [opened] = useState(() => Date.now())
  const [said, setSaid] = useState('')

  function step(step: RangeStep) {
    const next = stepTimeRange(value, step, { ...limits, now: Date.now() })
    if (next === undefined) return
    setSaid(timeRangeText(next))
    onChange(next)
  }

  function button(name: RangeStep) {
    const [label, Icon] = STEPS[name]
    const isEnd = stepTimeRange(value, name, { ...limits, now: opened }) === undefined
    return (
      <Button
        shape="square"
        aria-label={label}
        title={label}
        icon={<Icon />}
        // One that were disabled would lose the focus to nothing, where the last step has just been made.
        aria-disabled={isEnd}
        className={isEnd ? 'cursor-default opacity-50' : ''}
        onClick={() => step(name)}
      />
    )
  }

  return (
    <div role="group" aria-label="Time" className="flex min-w-0 flex-wrap gap-1">
      {button('earlier')}
      {children}
      {button('later')}
      {button('wider')}
      {button('narrower')}
      <span role="status" className="sr-only">
        {said}
      </span>
    </div>
  )
}
