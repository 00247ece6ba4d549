import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { ThreadTime } from './process-tree.ts'

/** What a V8 CPU profile (`--cpu-prof`) says of one stretch of time: which functions a thread spent itself in.
 *  It samples wall time, so a thread that waits for a processor still seems to run: where all processors are busy,
 *  calls that wake another thread (sign, postMessage, a write to a socket) look dearer than they are, because there
 *  the woken one takes the processor over. The table of CPU by thread says how much of that there was. */

/** Options for the profiled processes. Worker threads write profiles of their own. */
export function profileOptions(folder: string): string {
  return `--cpu-prof --cpu-prof-dir=${folder}`
}

const CpuProfile = z.object({
  nodes: z.array(
    z.object({
      id: z.number(),
      callFrame: z.object({ functionName: z.string(), url: z.string(), lineNumber: z.number() }),
    }),
  ),
  /** Microseconds of the monotonic clock. */
  startTime: z.number(),
  samples: z.array(z.number()),
  timeDeltas: z.array(z.number()),
})

export interface ThreadProfile {
  readonly pid: number
  /** 0 is the main thread. */
  readonly thread: number
  readonly totalMs: number
  readonly idleMs: number
  /** Descending, without idle. */
  readonly byFunction: readonly Share[]
  readonly byArea: readonly Share[]
}

export interface Share {
  readonly name: string
  readonly selfMs: number
}

/** Profiles of all threads within a window (milliseconds, monotonic), the busiest first. */
export function readProfiles(folder: string, from: number, to: number): ThreadProfile[] {
  return readdirSync(folder)
    .flatMap((file) => {
      // CPU.<date>.<time>.<pid>.<thread>.<sequence>.cpuprofile
      const [, pid, thread] = /^CPU\.\d+\.\d+\.(\d+)\.(\d+)\.\d+\.cpuprofile$/.exec(file) ?? []
      if (pid === undefined || thread === undefined) return []
      const profile = CpuProfile.parse(JSON.parse(readFileSync(join(folder, file), 'utf8')))
      return [{ pid: Number(pid), thread: Number(thread), ...selfTimes(profile, from, to) }]
    })
    .sort((a, b) => b.totalMs - b.idleMs - (a.totalMs - a.idleMs))
}

function selfTimes(
  profile: z.infer<typeof CpuProfile>,
  from: number,
  to: number,
): Omit<ThreadProfile, 'pid' | 'thread'> {
  const frames = new Map(profile.nodes.map((node) => [node.id, node.callFrame]))
  const functions = new Map<string, number>()
  const areas = new Map<string, number>()
  let at = profile.startTime / 1_000
  let totalMs = 0
  let idleMs = 0
  profile.timeDeltas.forEach((delta, i) => {
    const ms = delta / 1_000
    at += ms
    const frame = frames.get(profile.samples[i] ?? -1)
    if (frame === undefined || at < from || at > to) return
    totalMs += ms
    if (frame.functionName === '(idle)') {
      idleMs += ms
      return
    }
    const place = placeOf(frame.url)
    const where = place === '' ? '' : ` ${place}:${frame.lineNumber + 1}`
    add(functions, `${frame.functionName || '(anonymous)'}${where}`, ms)
    add(areas, areaOf(place, frame.functionName), ms)
  })
  return { totalMs, idleMs, byFunction: descending(functions), byArea: descending(areas) }
}

/** A path from the project's root; Node's own modules as `node:…`; '' for native code. */
function placeOf(url: string): string {
  const root = new URL('..', import.meta.url).href
  return url.startsWith(root) ? url.slice(root.length) : url
}

/** The room, the package, or the module of Node that a place belongs to. */
function areaOf(place: string, name: string): string {
  if (place === '') return name.startsWith('(') ? name : 'native code'
  const [, dependency] = /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(place) ?? []
  if (dependency !== undefined) return dependency
  return place.startsWith('node:') ? place : place.slice(0, place.lastIndexOf('/'))
}

function add(sums: Map<string, number>, name: string, ms: number): void {
  sums.set(name, (sums.get(name) ?? 0) + ms)
}

function descending(sums: ReadonlyMap<string, number>): Share[] {
  return [...sums].map(([name, selfMs]) => ({ name, selfMs })).sort((a, b) => b.selfMs - a.selfMs)
}

const MAIN_LINES = 25
const OTHER_LINES = 8
/** Threads and processes below this share of the window are left out. */
const WORTH_SHOWING = 0.02

export function printProfile(
  profiles: readonly ThreadProfile[],
  threads: readonly ThreadTime[],
  windowMs: number,
): void {
  console.log('\nCPU by thread, share of one core while the load ran:')
  for (const { name, pid, tid, cpuSeconds } of threads.toSorted((a, b) => b.cpuSeconds - a.cpuSeconds)) {
    const share = (cpuSeconds * 1_000) / windowMs
    if (share >= WORTH_SHOWING)
      console.log(`  ${percent(share)}  ${name} (${tid === pid ? 'main, ' : ''}pid ${pid})`)
  }
  for (const { pid, thread, totalMs, idleMs, byFunction, byArea } of profiles) {
    const busyMs = totalMs - idleMs
    if (busyMs < totalMs * WORTH_SHOWING) continue
    const lines = thread === 0 ? MAIN_LINES : OTHER_LINES
    console.log(
      `\n${thread === 0 ? 'Main thread' : `Worker thread ${thread}`} of ${pid}: busy ${percent(busyMs / totalMs)} of the time`,
    )
    console.log('  self time by room or package, share of busy:')
    for (const { name, selfMs } of byArea.slice(0, lines))
      console.log(`  ${percent(selfMs / busyMs)}  ${name}`)
    console.log('  self time by function:')
    for (const { name, selfMs } of byFunction.slice(0, lines))
      console.log(`  ${percent(selfMs / busyMs)}  ${name}`)
  }
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1).padStart(5)} %`
}
