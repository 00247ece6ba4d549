import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { constants, setPriority } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import type { Failure } from './host-services.ts'
import { CONFIG_FILE, SOCKETS, type WorkerdConfig } from './workerd-config.ts'

/** A process of workerd, which runs one version of one Worker. */
export interface WorkerProcess {
  readonly pid: number
  readonly folder: string
  socket(name: keyof typeof SOCKETS): string
  /** Resolves when it is gone, with why: nobody asked for it unless `stop` was called. */
  readonly ended: Promise<Failure>
  /** Ends it at once; `ended` says why. */
  kill(why: Failure): void
  /** Lets it finish what it has begun, for `graceMs`. Resolves when it is gone. */
  stop(graceMs: number): Promise<void>
}

export interface StartOptions {
  readonly workerd: string
  readonly folder: string
  readonly config: WorkerdConfig
  readonly startMs: number
  /** As the configuration says. */
  readonly experimental: boolean
}

/** Of what workerd writes. It quotes the customer's code, so it goes to the customer alone. */
const STDERR_OCTETS = 8192
/** Its heap was full (V8), or an ArrayBuffer was not to be had. */
const OUT_OF_MEMORY = /heap limit|out of memory|allocation failed/i
const SETPRIV = '/usr/bin/setpriv'

// No core dumps, which would hold secrets; the kernel, out of memory, takes Workers first.
const LAUNCH = 'ulimit -c 0; echo 1000 2>/dev/null >/proc/self/oom_score_adj; exec "$0" "$@"'

/** Writes the folder's files and starts it; resolves when it listens. A refusal is the text that says why: the
 *  customer's code does not start. */
export async function startWorkerProcess(
  options: StartOptions,
): Promise<WorkerProcess | { readonly detail: string }> {
  const { folder, config } = options
  for (const [name, content] of config.files) await writeFile(join(folder, name), content, { mode: 0o600 })
  const child = launch(options)
  const stderr = keepLast(child.stderr)
  const gone = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
    child.once('error', (error) => {
      stderr.add(error.message)
      resolve()
    })
  })
  let isUp: boolean
  try {
    if (child.pid !== undefined) await writeFile(join(folder, 'pid'), String(child.pid), { mode: 0o600 })
    isUp = await isListening(child, gone, options.startMs)
    // What it was started with is read; it need not lie about.
    await Promise.all([...config.files.keys()].map((name) => rm(join(folder, name), { force: true })))
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  }
  if (!isUp || child.pid === undefined) {
    child.kill('SIGKILL')
    await gone
    return { detail: startDetail(stderr.text()) }
  }
  return running(child, { folder, gone, stderr: stderr.text, pid: child.pid })
}

/** Makes the folder of a process: nobody else gets at its sockets. */
export async function makeProcessFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
}

function launch({ workerd, folder, config, experimental }: StartOptions) {
  const serve = ['serve', ...(experimental ? ['--experimental'] : []), '--control-fd=3', CONFIG_FILE]
  // Ends with us, where the system can do that; else the next start ends it.
  const wrapper = existsSync(SETPRIV) ? [SETPRIV, '--pdeathsig', 'KILL', '--'] : []
  const child = spawn('/bin/sh', ['-c', LAUNCH, ...wrapper, workerd, ...serve], {
    cwd: folder,
    env: { ...config.environment },
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
  })
  try {
    // Mail goes first.
    if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_BELOW_NORMAL)
  } catch {
    // It is gone already.
  }
  return child
}

function running(
  child: ChildProcess,
  { folder, gone, stderr, pid }: { folder: string; gone: Promise<void>; stderr: () => string; pid: number },
): WorkerProcess {
  let why: Failure | undefined
  const ended = gone.then(async () => {
    await rm(folder, { recursive: true, force: true })
    if (why) return why
    return OUT_OF_MEMORY.test(stderr())
      ? ({ kind: 'exceeded-memory', message: 'The Worker exceeded its memory limit.' } as const)
      : ({ kind: 'crashed', message: "The Worker's process ended." } as const)
  })
  return {
    pid,
    folder,
    socket: (name) => join(folder, SOCKETS[name]),
    ended,
    kill(failure) {
      why ??= failure
      child.kill('SIGKILL')
    },
    async stop(graceMs) {
      why ??= { kind: 'crashed', message: 'The Worker was stopped.' }
      child.kill('SIGTERM')
      const late = setTimeout(() => child.kill('SIGKILL'), graceMs)
      await ended
      clearTimeout(late)
    },
  }
}

/** workerd tells of each socket on a descriptor of its own. */
async function isListening(child: ChildProcess, gone: Promise<void>, startMs: number): Promise<boolean> {
  const control = child.stdio[3]
  if (!control) return false
  const abort = new AbortController()
  const all = (async () => {
    let told = ''
    const count = Object.keys(SOCKETS).length
    control.on('data', (chunk: Buffer) => {
      told += chunk.toString()
    })
    while ((told.match(/"listen"/g)?.length ?? 0) < count)
      await once(control, 'data', { signal: abort.signal })
    return true
  })().catch(() => false)
  const late = setTimeout(() => abort.abort(), startMs)
  try {
    return await Promise.race([all, gone.then(() => false)])
  } finally {
    clearTimeout(late)
    abort.abort()
  }
}

function keepLast(stream: Readable | null): {
  readonly add: (text: string) => void
  readonly text: () => string
} {
  let kept = ''
  const add = (text: string) => {
    kept = (kept + text).slice(-STDERR_OCTETS)
  }
  stream?.on('data', (chunk: Buffer) => add(chunk.toString('latin1')))
  return { add, text: () => Buffer.from(kept, 'latin1').toString() }
}

/** Without the names that we gave to things. */
function startDetail(stderr: string): string {
  const text = stderr
    .replaceAll(/^service user: /gm, '')
    .replaceAll(/^stack: .*$/gm, '')
    // It follows from what was said before, and is about our part.
    .replaceAll(/^Socket "entry" refers to .*$/gm, '')
    // A remark about a flag, which starts all the same.
    .replaceAll(/^.* so does not need to be specified anymore\.$/gm, '')
    .trim()
  return text === '' ? 'The Worker did not start in time.' : text
}
