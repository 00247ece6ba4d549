import { spawn, spawnSync } from 'node:child_process'
import { text } from 'node:stream/consumers'

export interface Ran {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  /** The working directory, which is the home directory too, so that nobody's own settings matter. */
  readonly folder: string
  readonly environment?: Readonly<Record<string, string>>
  /** Standard input. */
  readonly input?: string
}

const LONGEST_MS = 30_000

/** Runs a client that is not ours to its end; killed after half a minute. */
export async function runClient(
  program: string,
  args: readonly string[],
  { folder, environment = {}, input = '' }: RunOptions,
): Promise<Ran> {
  const child = spawn(program, args, {
    cwd: folder,
    env: { PATH: process.env['PATH'], HOME: folder, ...environment },
    timeout: LONGEST_MS,
    killSignal: 'SIGKILL',
  })
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  const [status, stdout, stderr] = await Promise.all([ended, text(child.stdout), text(child.stderr)])
  return { status, stdout, stderr }
}

/** The `skip` of a test: false where this command succeeds, else a reason that names the Debian packages of it. */
export function skipWithout(packages: string, program: string, ...args: readonly string[]): false | string {
  const { status } = spawnSync(program, args)
  return status === 0 ? false : `not installed; the Debian packages are ${packages}`
}
