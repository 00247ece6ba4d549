import { spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { stripVTControlCharacters } from 'node:util'
import type { RunOptions } from './client-program.ts'

/** A client that runs until it is told to end. */
export interface Watched extends AsyncDisposable {
  /** So far, without colours. */
  written(): string
  /** The same, once it matches. Rejects where the program ends before, or after half a minute. */
  until(pattern: RegExp): Promise<string>
  /** Tells it as Ctrl-C does. Out: its status, null where a signal ended it, and all that it has written. */
  stop(): Promise<{ readonly status: number | null; readonly written: string }>
}

const LONGEST_MS = 30_000

export function watchProgram(
  program: string,
  args: readonly string[],
  { folder, environment = {} }: Omit<RunOptions, 'input'>,
): Watched {
  const child = spawn(program, args, {
    cwd: folder,
    env: { PATH: process.env['PATH'], HOME: folder, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let written = ''
  let isOver = false
  const woken = new EventEmitter().setMaxListeners(0)
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      written += stripVTControlCharacters(text)
      woken.emit('news')
    })
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (status) => {
      isOver = true
      woken.emit('news')
      resolve(status)
    })
  })

  return {
    written: () => written,
    async until(pattern) {
      const signal = AbortSignal.timeout(LONGEST_MS)
      while (!pattern.test(written)) {
        if (isOver) throw new Error(`It ended without ${pattern}\n${written}`)
        await once(woken, 'news', { signal }).catch((cause: unknown) => {
          throw new Error(`In vain for ${pattern}\n${written}`, { cause })
        })
      }
      return written
    },
    async stop() {
      child.kill('SIGINT')
      return { status: await ended, written }
    },
    async [Symbol.asyncDispose]() {
      if (isOver) return
      child.kill('SIGINT')
      const late = setTimeout(() => child.kill('SIGKILL'), 5000)
      await ended
      clearTimeout(late)
    },
  }
}
