import { readFileSync } from 'node:fs'
import { peakMiB, tree } from './process-tree.ts'

/** What a tree of processes keeps in memory, in MB of 10^6 octets. */
export interface Memory {
  /** What all processes together kept in memory, a page that they share counted once: the most of any moment, looked
   *  at each `LOOK_EVERY_MS`, and the last look. */
  readonly most: number
  readonly last: number
  /** The sum of each process's own maximum (VmHWM), a shared page counted in each. */
  readonly sumOfPeaks: number
}

const LOOK_EVERY_MS = 200

/** Looks from now on until it is disposed of. */
export function watchMemory(pid: number): Disposable & { take(): Memory } {
  let most = 0
  const look = () => {
    const now = treeMb(pid)
    most = Math.max(most, now)
    return now
  }
  const timer = setInterval(look, LOOK_EVERY_MS)
  return {
    take: () => ({ last: look(), most, sumOfPeaks: (peakMiB([pid]) * MIB) / 1e6 }),
    [Symbol.dispose]: () => clearInterval(timer),
  }
}

const MIB = 1_048_576

/** What is private to one process counts there; of what is shared, such as Node's binary, the most that one process
 *  maps. Whatever else runs on this machine changes nothing. */
function treeMb(root: number): number {
  const maps = tree([root]).map((pid) => {
    const rollup = readOrNothing(`/proc/${pid}/smaps_rollup`)
    const kib = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(rollup)?.[1] ?? 0)
    const shared = kib('Shared_Clean') + kib('Shared_Dirty')
    return { shared, own: kib('Rss') - shared }
  })
  const own = maps.reduce((sum, map) => sum + map.own, 0)
  return ((own + Math.max(...maps.map(({ shared }) => shared))) * 1024) / 1e6
}

/** A process may end between its listing and its reading. */
function readOrNothing(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
