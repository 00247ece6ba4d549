import { readFile } from 'node:fs/promises'
import { request } from 'node:http'
import type { Failure } from './host-services.ts'
import type { WorkerProcess } from './worker-process.ts'

export interface WatchLimits {
  /** Of the processor, in one stretch: JavaScript that does not let go of its thread. */
  readonly cpuMs: number
  /** Of the whole process. */
  readonly residentBytes: number
}

/** How often it looks. ArrayBuffers are outside of V8's limit, and fill in a second what a machine has. */
const LOOK_MS = 200
/** A thread that has been as busy as this since the last ping may be held by a loop. */
const BUSY_MS = 400
/** That long it may neither answer nor compute: then it hangs for another reason. */
const HANG_MS = 120_000
/** Of `/proc`: Linux has had 100 ticks a second and pages of 4 KiB wherever workerd runs. */
const TICK_MS = 10
const PAGE_BYTES = 4096

/** Ends a process that takes more than its share, until the process is gone. A runaway Worker blocks everything in its
 *  process and cannot be stopped otherwise. Where the system has no `/proc`, only the ping is left. */
export function watchProcess(process: WorkerProcess, limits: WatchLimits): void {
  /** When no ping is under way, what it had used at the last one. */
  let cpuAtPing = 0
  let askedAt: number | undefined
  const timer = setInterval(() => {
    look().catch(() => clearInterval(timer))
  }, LOOK_MS)
  timer.unref()
  void process.ended.then(() => clearInterval(timer))

  async function look(): Promise<void> {
    const used = await usageOf(process.pid)
    if (used && used.residentBytes > limits.residentBytes) return process.kill(EXCEEDED_MEMORY)
    const cpuMs = used?.cpuMs ?? 0
    if (askedAt !== undefined) {
      if (cpuMs - cpuAtPing >= limits.cpuMs) process.kill(EXCEEDED_CPU)
      else if (performance.now() - askedAt >= HANG_MS) process.kill(HANGS)
      return
    }
    if (used && cpuMs - cpuAtPing < BUSY_MS) return
    cpuAtPing = cpuMs
    askedAt = performance.now()
    ping(process.socket('dispatch'), () => {
      askedAt = undefined
    })
  }
}

const EXCEEDED_MEMORY: Failure = { kind: 'exceeded-memory', message: 'The Worker exceeded its memory limit.' }
const EXCEEDED_CPU: Failure = { kind: 'exceeded-cpu', message: 'The Worker exceeded its CPU time limit.' }
const HANGS: Failure = { kind: 'crashed', message: 'The Worker hung.' }

function ping(socketPath: string, onPong: () => void): void {
  const asked = request({ socketPath, path: '/ping', agent: false }, (response) => {
    response.resume()
    onPong()
  })
  // It is gone, or on its way.
  asked.on('error', () => undefined)
  asked.end()
}

async function usageOf(pid: number): Promise<{ cpuMs: number; residentBytes: number } | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'latin1')
    // proc(5): the name, in parentheses, may have spaces; utime, stime and rss are fields 14, 15 and 24.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const ticks = Number(fields[11]) + Number(fields[12])
    return { cpuMs: ticks * TICK_MS, residentBytes: Number(fields[21]) * PAGE_BYTES }
  } catch {
    return undefined
  }
}
