import { readdirSync, readFileSync } from 'node:fs'

/** What the kernel counts by, on Linux. */
const TICK_MS = 10

/** How long the children of a process have kept a core busy, those that are gone among them, in ms. 0 where there is no
 *  /proc. */
export function childrenCpuMs(parent: number): number {
  const own = statOf(parent)
  if (!own) return 0
  const children = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => statOf(Number(name)))
    .filter((stat) => stat?.parent === parent)
  return children.reduce((sum, stat) => sum + (stat?.ticks ?? 0), own.ticksOfGone) * TICK_MS
}

/** proc_pid_stat(5): the second field is a name, in which there may be anything. */
function statOf(pid: number): { parent: number; ticks: number; ticksOfGone: number } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    const field = (number: number) => Number(fields[number - 3])
    return { parent: field(4), ticks: field(14) + field(15), ticksOfGone: field(16) + field(17) }
  } catch {
    return undefined
  }
}
