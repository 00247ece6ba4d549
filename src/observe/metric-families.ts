import { Counter, Gauge, Histogram, Registry } from 'prom-client'

/** Families of figures for Prometheus, with labels that stay few. In: figures as they come, and functions that read
 *  others when somebody asks. Out: the text format. Promise: a family has a bounded number of series, whatever its labels
 *  are given; a reading that fails or hangs costs itself alone. */
export interface MetricFamilies {
  readonly counter: <Label extends string>(family: Family<Label>) => Count<Label>
  /** `buckets` in the unit of the family, from the lowest on. */
  readonly histogram: <Label extends string>(
    family: Family<Label>,
    buckets: readonly number[],
  ) => Observe<Label>
  /** What is read when somebody asks; each reader gives series of its own. */
  readonly gauge: <Label extends string>(family: Family<Label>) => Watch<Label>
  /** Everything, as Prometheus reads it. Whoever asks while it is written gets the same. */
  readonly text: () => Promise<string>
  readonly contentType: string
}

export interface Family<Label extends string> {
  /** Without the prefix: `deliveries_total`. */
  readonly name: string
  /** What it says, and what to do about it. */
  readonly help: string
  readonly labels: readonly Label[]
}

export type Labels<Label extends string> = Readonly<Record<Label, string>>

export type Count<Label extends string> = (labels: Labels<Label>, by?: number) => void
export type Observe<Label extends string> = (labels: Labels<Label>, value: number) => void
export type Watch<Label extends string> = (read: () => Readings<Label> | Promise<Readings<Label>>) => void

export type Readings<Label extends string> = readonly {
  readonly labels: Labels<Label>
  readonly value: number
}[]

const PREFIX = 'posthorn_'
/** Past these everything new is counted as 'other'. */
const MOST_SERIES = 500
/** So long a reading may take. */
const READING_MS = 3000

export function openMetricFamilies(): MetricFamilies {
  const registry = new Registry()
  const registers = [registry]
  const failures = new Counter({
    ...{ name: `${PREFIX}readings_failed_total`, labelNames: ['family'] as const, registers },
    help: 'Readings for this page that failed or took too long; their family is not on it. Look at the log and at the database.',
  })
  const readings: (() => Promise<void>)[] = []
  let writing: Promise<string> | undefined

  const settings = <Label extends string>({ name, help, labels }: Family<Label>) => ({
    ...{ name: PREFIX + name, help, labelNames: [...labels], registers },
  })

  async function write(): Promise<string> {
    try {
      await Promise.all(readings.map((read) => read()))
      return await registry.metrics()
    } finally {
      writing = undefined
    }
  }

  return {
    counter(family) {
      const counter = new Counter(settings(family))
      // From the start, so that a rate over it exists before the first one.
      if (family.labels.length === 0) counter.inc(0)
      const seriesOf = bounded(family.labels, (labels) => counter.labels(labels))
      return (labels, by = 1) => seriesOf(labels).inc(by)
    },

    histogram(family, buckets) {
      const histogram = new Histogram({ ...settings(family), buckets: [...buckets] })
      const seriesOf = bounded(family.labels, (labels) => histogram.labels(labels))
      return (labels, value) => seriesOf(labels).observe(value)
    },

    gauge(family) {
      const gauge = new Gauge(settings(family))
      const readers: Parameters<Watch<(typeof family.labels)[number]>>[0][] = []
      readings.push(async () => {
        gauge.reset()
        for (const read of readers) {
          try {
            const found = await inTime(Promise.resolve(read()))
            for (const { labels, value } of found.slice(0, MOST_SERIES)) gauge.labels(labels).set(value)
          } catch {
            failures.inc({ family: PREFIX + family.name })
          }
        }
      })
      return (read) => void readers.push(read)
    },

    text: () => (writing ??= write()),
    contentType: registry.contentType,
  }
}

/** Each series is looked up by its labels once. */
function bounded<Label extends string, Series>(
  names: readonly Label[],
  open: (labels: Labels<Label>) => Series,
): (labels: Labels<Label>) => Series {
  const known = new Map<string, Series>()
  // Of all names, which the table of families gives.
  const others = Object.fromEntries(names.map((name) => [name, 'other'])) as Labels<Label>
  return (labels) => {
    let key = ''
    for (const name of names) key += `${labels[name]}\n`
    const found = known.get(key)
    if (found) return found
    if (known.size >= MOST_SERIES) return open(others)
    const series = open(labels)
    known.set(key, series)
    return series
  }
}

async function inTime<T>(reading: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error('a reading took too long')), READING_MS)
  try {
    return await Promise.race([reading, late.promise])
  } finally {
    clearTimeout(timer)
  }
}
