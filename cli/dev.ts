import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { delimiter, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { EXIT } from './exit-codes.ts'

/** MiB of V8's young generation. What a message leaves behind dies at once: a small one is as fast, pauses are shorter,
 *  and 60 MB less stay resident after a burst. */
const YOUNG_HEAP = '--max-semi-space-size=4'

/** What Node made of our modules, for the next start: without it each process and each thread loads what strips the types,
 *  50 MB in all. Beside the code and with its owner, since whoever can write there can write the code. */
const COMPILED = fileURLToPath(new URL('../node_modules/.cache/posthorn', import.meta.url))

export interface DevOptions {
  /** Folders of Workers. */
  readonly worker?: readonly string[]
}

/** Runs the server as a child and passes signals on. A process of its own, because libuv reads the size of its thread
 *  pool, which makes the DKIM signatures, before any of our code runs. Out: the child's exit code. */
export function dev({ worker: folders = [] }: DevOptions = {}): Promise<number> {
  const [major = 0] = process.versions.node.split('.').map(Number)
  if (major < 24) {
    console.error(`Posthorn needs Node 24 or later; this is ${process.version}. "npm start" brings its own.`)
    return Promise.resolve(1)
  }
  const odd = folders.find((folder) => folder.includes(delimiter))
  if (odd !== undefined) {
    console.error(`posthorn: --worker ${odd}: the name of the folder may have no "${delimiter}"`)
    return Promise.resolve(EXIT.usage)
  }
  const server = spawn(
    process.execPath,
    [YOUNG_HEAP, ...process.execArgv, fileURLToPath(new URL('../src/main.ts', import.meta.url))],
    {
      // The channel tells the server when this process is gone, however it went.
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: {
        UV_THREADPOOL_SIZE: String(Math.max(4, availableParallelism() + 2)),
        // glibc gives each thread a heap of its own, and large buffers leave holes in all of them.
        MALLOC_ARENA_MAX: '2',
        NODE_COMPILE_CACHE: COMPILED,
        ...process.env,
        ...(folders.length > 0 && {
          POSTHORN_WORKER: folders.map((folder) => resolve(folder)).join(delimiter),
        }),
      },
    },
  )
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => server.kill(signal))
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.once('exit', (code, signal) =>
      resolve(code ?? (signal === 'SIGINT' || signal === 'SIGTERM' ? 0 : 1)),
    )
  })
}
