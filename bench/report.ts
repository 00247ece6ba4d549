import type { EmptyHandlerRound } from './empty-handler.ts'
import type { FaultsRound } from './faults-round.ts'
import type { IdleRound } from './idle-round.ts'
import type { LargeRound } from './large-round.ts'
import type { RoundResult } from './round.ts'

/** Numbers of several rounds as a person reads them. */

export interface Measured extends RoundResult {
  /** RSA-2048 signatures a second of one core, taken just before and just after the round. */
  readonly rsaPerSecond: number
  /** Median of appending 16 KiB safely, just before and just after. */
  readonly fsyncMs: number
  /** Messages a second as a share of the RSA rate. */
  readonly rsaShare: number
}

export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

export interface Summary {
  readonly perSecond: Spread
  readonly rsaPerSecond: Spread
  readonly rsaShare: Spread
  readonly fsyncMs: Spread
  readonly othersCores: Spread
  readonly cpuPer1000: Spread
  readonly peakMiB: Spread
  readonly p50: Spread
  readonly p99: Spread
  readonly lost: number
  readonly duplicated: number
  readonly refused: number
  readonly delivered: number
  readonly queued: number
  readonly generatorCpuPer1000: Spread
  readonly sinkCpuPer1000: Spread
}

export function summarise(rounds: readonly Measured[]): Summary {
  const over = (pick: (round: Measured) => number) => spread(rounds.map(pick))
  const sum = (pick: (round: Measured) => number) => rounds.reduce((total, round) => total + pick(round), 0)
  return {
    perSecond: over((round) => round.perSecond),
    rsaPerSecond: over((round) => round.rsaPerSecond),
    rsaShare: over((round) => round.rsaShare),
    fsyncMs: over((round) => round.fsyncMs),
    othersCores: over((round) => round.othersCores),
    cpuPer1000: over((round) => round.cpuPer1000),
    peakMiB: over((round) => round.peakMiB),
    p50: over((round) => round.load.p50),
    p99: over((round) => round.load.p99),
    lost: sum((round) => round.lost),
    duplicated: sum((round) => round.duplicated),
    refused: sum((round) => round.load.refused.length),
    delivered: sum((round) => round.load.delivered),
    queued: sum((round) => round.load.queued),
    generatorCpuPer1000: over((round) => round.generatorCpuPer1000),
    sinkCpuPer1000: over((round) => round.sinkCpuPer1000),
  }
}

/** The median of an even number of values is the mean of the middle two. */
export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (i: number) => sorted[i] ?? Number.NaN
  const middle = (sorted.length - 1) / 2
  return {
    median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    min: at(0),
    max: at(sorted.length - 1),
  }
}

export function roundLine(name: string, round: Measured): string {
  const { perSecond, rsaPerSecond, rsaShare, cpuPer1000, peakMiB, load, lost, duplicated, othersCores } =
    round
  return (
    `${name.padEnd(10)} ${whole(perSecond).padStart(6)}/s = ${rsaShare.toFixed(3)} of RSA ${whole(rsaPerSecond)}/s, ` +
    `CPU ${cpuPer1000.toFixed(2)} s per 1,000, ${whole(peakMiB)} MiB, p50 ${load.p50.toFixed(1)} ms, ` +
    `p99 ${load.p99.toFixed(1)} ms, ${lost} lost, ${duplicated} duplicated, others ${othersCores.toFixed(2)} cores`
  )
}

export function printSummary(name: string, summary: Summary): void {
  printTable(name, [
    ['messages a second', summary.perSecond, whole],
    ['RSA-2048 signatures a second', summary.rsaPerSecond, whole],
    ['share of that', summary.rsaShare, (value) => value.toFixed(3)],
    ['CPU seconds per 1,000', summary.cpuPer1000, (value) => value.toFixed(2)],
    ['peak memory, MiB', summary.peakMiB, whole],
    ['answer after, p50 ms', summary.p50, (value) => value.toFixed(1)],
    ['answer after, p99 ms', summary.p99, (value) => value.toFixed(1)],
    ['generator CPU s per 1,000', summary.generatorCpuPer1000, (value) => value.toFixed(3)],
    ['sink CPU s per 1,000', summary.sinkCpuPer1000, (value) => value.toFixed(3)],
    ['fdatasync of 16 KiB, ms', summary.fsyncMs, (value) => value.toFixed(2)],
    ['cores that others kept busy', summary.othersCores, (value) => value.toFixed(2)],
  ])
  const { delivered, queued, refused, lost, duplicated } = summary
  console.log(
    `  answered ${delivered} delivered, ${queued} queued, ${refused} refused; ${lost} lost, ${duplicated} duplicated`,
  )
}

export interface Result {
  readonly name: string
  readonly summary: Summary
  readonly rounds: readonly Pick<Measured, 'perSecond'>[]
}

/** Messages a second of each of the others to those of `peer`, round by round; nothing where it was not measured. */
export function ratios(results: readonly Result[], peer: string): Record<string, readonly number[]> {
  const its = results.find(({ name }) => name === peer)?.rounds
  if (its === undefined) return {}
  return Object.fromEntries(
    results
      .filter(({ name }) => name !== peer)
      .map(({ name, rounds }) => [
        name,
        rounds.flatMap(({ perSecond }, i) => {
          const other = its[i]
          return other === undefined ? [] : [perSecond / other.perSecond]
        }),
      ]),
  )
}

export function printShares(
  results: readonly Result[],
  toPostfix: Readonly<Record<string, readonly number[]>>,
): void {
  const shares = results.map(({ name, summary }) => `${name} ${summary.rsaShare.median.toFixed(3)}`)
  console.log(`\nShare of one core's RSA-2048 rate, median: ${shares.join(', ')}`)
  for (const [name, each] of Object.entries(toPostfix)) {
    const byRound = each.map((ratio) => ratio.toFixed(2)).join(', ')
    const median = spread(each).median.toFixed(2)
    console.log(`${name} to Postfix, messages a second round by round: ${byRound}; median ${median}`)
  }
}

export function printBar({ perSecond: { median } }: Summary, bar: number): void {
  console.log(`Forwarded ${whole(median)} a second; the bar is ${bar}: ${median >= bar ? 'kept' : 'MISSED'}`)
}

/** `shares`: messages a second through a Worker to those of plain forwarding, round by round. */
export function printWorkerBar(shares: readonly number[], bar: number): void {
  const { median } = spread(shares)
  const byRound = shares.map((share) => share.toFixed(2)).join(', ')
  console.log(
    `Through a Worker to plain forwarding, round by round: ${byRound}; median ${median.toFixed(2)}; the bar is ${bar}: ${median >= bar ? 'kept' : 'MISSED'}`,
  )
}

export function idleLine(round: IdleRound): string {
  const { beforeMiB, growthMiB, without, beside, ratio, lost, duplicated, othersCores } = round
  const rates = (pair: readonly number[]) => pair.map(whole).join(' and ')
  return (
    `${beforeMiB.toFixed(1)} MiB + ${growthMiB.toFixed(1)} MiB; ` +
    `${rates(without)}/s without, ${rates(beside)}/s beside: ${ratio.toFixed(3)}, ` +
    `${lost} lost, ${duplicated} duplicated, others ${othersCores.toFixed(2)} cores`
  )
}

export function printIdle(connections: number, rounds: readonly IdleRound[]): void {
  const over = (pick: (round: IdleRound) => number) => spread(rounds.map(pick))
  const each = (mib: number) => ((mib * 1_024) / connections).toFixed(1)
  const mib = (value: number) => value.toFixed(1)
  printTable(`${whole(connections)} idle connections`, [
    ['memory without, MiB', over(({ beforeMiB }) => beforeMiB), mib],
    ['memory for them, MiB', over(({ growthMiB }) => growthMiB), mib],
    ['  KiB for each', over(({ growthMiB }) => growthMiB), each],
    ['messages a second without', over(({ without: [a, b] }) => (a + b) / 2), whole],
    ['messages a second beside them', over(({ beside: [a, b] }) => (a + b) / 2), whole],
    ['beside to without', over(({ ratio }) => ratio), (value) => value.toFixed(3)],
    ['cores that others kept busy', over(({ othersCores }) => othersCores), (value) => value.toFixed(2)],
  ])
}

export function largeLine({ idleMb, mostMb, seconds, lost, duplicated }: LargeRound): string {
  return `${whole(idleMb)} MB idle, ${whole(mostMb)} MB at most; ${seconds.toFixed(1)} s, ${lost} lost, ${duplicated} duplicated`
}

export function emptyHandlerLine({ p50, p99, perSecond, failed }: EmptyHandlerRound): string {
  return `p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms, ${whole(perSecond)}/s; ${failed} failed`
}

export function faultsLine({ alone, beside, ratio, lost, duplicated, othersCores }: FaultsRound): string {
  const rates = (pair: readonly number[]) => pair.map(whole).join(' and ')
  return (
    `${rates(alone)}/s alone, ${rates(beside)}/s beside: ${ratio.toFixed(3)}, ` +
    `${lost} lost, ${duplicated} duplicated, others ${othersCores.toFixed(2)} cores`
  )
}

export function printFaults(waiting: number, rounds: readonly FaultsRound[]): void {
  const over = (pick: (round: FaultsRound) => number) => spread(rounds.map(pick))
  printTable(`${whole(waiting)} waiting at each of three`, [
    ['messages a second alone', over(({ alone: [a, b] }) => (a + b) / 2), whole],
    ['messages a second beside them', over(({ beside: [a, b] }) => (a + b) / 2), whole],
    ['beside to alone', over(({ ratio }) => ratio), (value) => value.toFixed(3)],
    ['cores that others kept busy', over(({ othersCores }) => othersCores), (value) => value.toFixed(2)],
  ])
}

type Row = readonly [label: string, values: Spread, format: (value: number) => string]

function printTable(title: string, rows: readonly Row[]): void {
  const cells = (texts: readonly string[]) => texts.map((text) => text.padStart(10)).join('')
  console.log(`\n${title.padEnd(32)}${cells(['median', 'min', 'max'])}`)
  for (const [label, { median, min, max }, format] of rows)
    console.log(`  ${label.padEnd(30)}${cells([median, min, max].map(format))}`)
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en')
}
