import { useEffect, useState } from 'react'

const whole = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' })
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto', style: 'short' })
const STEPS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000],
] as const

interface MomentProps {
  /** RFC 3339, or ms since 1970. */
  readonly at: string | number
  /** "3 min. ago"; the whole time stands in its tooltip. */
  readonly ago?: boolean
}

/** A time in the viewer's zone. */
export function Moment({ at, ago = false }: MomentProps) {
  const time = new Date(at)
  const text = whole.format(time)
  return (
    <time
      dateTime={time.toISOString()}
      title={`${text} (${time.toISOString()})`}
      className="whitespace-nowrap"
    >
      {ago ? <Ago time={time.getTime()} /> : text}
    </time>
  )
}

function Ago({ time }: { readonly time: number }) {
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 10_000)
    return () => clearInterval(timer)
  }, [])
  const difference = time - Math.max(now, time > now && time - now < 10_000 ? time : now)
  const [unit, size] = STEPS.find(([, size]) => Math.abs(difference) >= size) ?? STEPS[3]
  const count = difference / size
  // What ends in a week ends in seven days, also a second later.
  return relative.format(count > 0 ? Math.round(count) : Math.trunc(count), unit)
}
