import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** A server that the bench started, its output in a log file. Ending it ends all that it started. */
export interface ServerProcess extends AsyncDisposable {
  readonly pid: number
  /** True once it has ended, by itself or not. */
  readonly ended: boolean
  lastWords(): string
}

export interface Launch {
  readonly command: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly log: string
  readonly signal: AbortSignal
}

const STOP_WITHIN_MS = 15_000
const LAST_WORDS = 2_000

// If the bench itself throws, nothing may stay behind.
const running = new Set<number>()
process.on('exit', () => {
  for (const pid of running) killGroup(pid)
})

/** In a session and process group of its own, as a daemon has them (Postfix's master signals its whole group). */
export function startServer({ command, args, env, log, signal }: Launch): ServerProcess {
  const output = openSync(log, 'a')
  const child = spawn(command, args, {
    detached: true,
    env: { ...process.env, ...env },
    stdio: ['ignore', output, output],
  })
  closeSync(output)
  const pid = child.pid
  if (pid === undefined) throw new Error(`${command} could not be started`)
  running.add(pid)
  let ended = false
  const exit = new Promise<void>((resolve) =>
    child.on('exit', () => {
      ended = true
      running.delete(pid)
      resolve()
    }),
  )
  const stop = () => child.kill('SIGTERM')
  signal.addEventListener('abort', stop)
  return {
    pid,
    get ended() {
      return ended
    },
    lastWords: () => readFileSync(log, 'utf8').slice(-LAST_WORDS),
    async [Symbol.asyncDispose]() {
      signal.removeEventListener('abort', stop)
      stop()
      await Promise.race([exit, sleep(STOP_WITHIN_MS, undefined, { ref: false })])
      killGroup(pid)
      await exit
    },
  }
}

/** What is left of the group: a number that still names a group cannot have been given to another. */
function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL')
  } catch {
    // It is empty: that is all we want.
  }
}
