import { readdirSync, readFileSync } from 'node:fs'

/** CPU and memory of some processes and all they started, from Linux's /proc (proc(5)). */

/** USER_HZ, the unit of times in /proc, is 100 on every architecture that Node runs on. */
const TICKS_PER_SECOND = 100

interface ProcessStat {
  readonly parent: number
  /** Own time, all threads, plus that of ended children that were waited for. */
  readonly cpuSeconds: number
}

/** User and system time so far. A child that ended and was waited for stays counted in its parent, so nothing is
 *  missed but what an orphan did. */
export function cpuSeconds(roots: readonly number[]): number {
  const table = processTable()
  return tree(roots, table).reduce((sum, pid) => sum + (table.get(pid)?.cpuSeconds ?? 0), 0)
}

/** Seconds that all processors together have worked so far, for whomever, time stolen by the host included. */
function machineSeconds(): number {
  // cpu user nice system idle iowait irq softirq steal …
  const [user, nice, system, , , irq, softirq, steal] = readOrNothing('/proc/stat')
    .split(/\s+/, 9)
    .slice(1)
    .map(Number)
  const ticks = [user, nice, system, irq, softirq, steal].reduce<number>((sum, part) => sum + (part ?? 0), 0)
  return ticks / TICKS_PER_SECOND
}

/** Seconds that all processors have worked so far for anyone but this process and what descends from it. */
export function othersSeconds(): number {
  return machineSeconds() - cpuSeconds([process.pid])
}

/** Resident memory now, the sum over the living processes (`Rss` of smaps_rollup, which is exact where VmRSS counts
 *  in batches). Pages that processes share count in each: that cancels out in a difference, while a proportional
 *  share (Pss) would change with whatever other processes run the same binary. */
export function residentMiB(roots: readonly number[]): number {
  return tree(roots, processTable()).reduce((sum, pid) => {
    const kib = /^Rss:\s+(\d+) kB/m.exec(readOrNothing(`/proc/${pid}/smaps_rollup`))?.[1]
    return sum + Number(kib ?? 0) / 1024
  }, 0)
}

/** The sum of each living process's largest resident set so far (VmHWM). Pages that processes share count in each. */
export function peakMiB(roots: readonly number[]): number {
  return tree(roots, processTable()).reduce((sum, pid) => {
    const kib = /^VmHWM:\s+(\d+) kB/m.exec(readOrNothing(`/proc/${pid}/status`))?.[1]
    return sum + Number(kib ?? 0) / 1024
  }, 0)
}

export interface ThreadTime {
  readonly pid: number
  readonly tid: number
  readonly name: string
  readonly cpuSeconds: number
}

/** CPU time of each living thread. */
export function threadTimes(roots: readonly number[]): ThreadTime[] {
  return tree(roots, processTable()).flatMap((pid) =>
    listOrNothing(`/proc/${pid}/task`).map((tid) => {
      const stat = readOrNothing(`/proc/${pid}/task/${tid}/stat`)
      const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'))
      const fields = fieldsAfterName(stat)
      return {
        pid,
        tid: Number(tid),
        name,
        cpuSeconds: (field(fields, 14) + field(fields, 15)) / TICKS_PER_SECOND,
      }
    }),
  )
}

/** The roots and everything below them. */
export function tree(roots: readonly number[], table = processTable()): number[] {
  const found = new Set(roots)
  for (let before = 0; before !== found.size; ) {
    before = found.size
    for (const [pid, { parent }] of table) if (found.has(parent)) found.add(pid)
  }
  return [...found]
}

function processTable(): Map<number, ProcessStat> {
  const table = new Map<number, ProcessStat>()
  for (const entry of listOrNothing('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    const stat = readOrNothing(`/proc/${entry}/stat`)
    if (stat === '') continue
    const fields = fieldsAfterName(stat)
    const ticks = field(fields, 14) + field(fields, 15) + field(fields, 16) + field(fields, 17)
    table.set(Number(entry), { parent: field(fields, 4), cpuSeconds: ticks / TICKS_PER_SECOND })
  }
  return table
}

/** The name, the second field, is in parentheses and may hold anything, so counting starts after its last one. */
function fieldsAfterName(stat: string): readonly string[] {
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}

/** `number` as in proc(5), which counts from 1. */
function field(afterName: readonly string[], number: number): number {
  return Number(afterName[number - 3] ?? 0)
}

/** A process may end between its listing and its reading. */
function readOrNothing(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function listOrNothing(path: string): string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}
