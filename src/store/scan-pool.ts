import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { ScanAnswer, ScanRequest } from './scan-process.ts'
import { ScanTimeout } from './scan-timeout.ts'
import { StatementFailed } from './statement-failed.ts'

/** Two, so that a long scan holds back only other long ones. The second costs its memory only while there is work for
 *  it. */
const MOST_PROCESSES = 2
const IDLE_MS = 5000
/** A scan's rows live for a moment: the young generation that suits a server would only sit there. */
const SMALL_HEAP = ['--max-semi-space-size=1']
const SCAN_PROCESS = fileURLToPath(new URL('./scan-process.ts', import.meta.url))

interface Scan {
  readonly statement: string
  readonly request: ScanRequest
  readonly resolve: (rows: readonly unknown[]) => void
  readonly reject: (error: Error) => void
}

interface Reader {
  readonly child: ChildProcess
  readonly gone: Promise<void>
  scan: Scan | undefined
  timer: NodeJS.Timeout | undefined
  idle: NodeJS.Timeout | undefined
  killedFor: Error | undefined
}

/** Runs scans in processes of their own, each started when it is first needed and replaced when it had to be killed. */
export class ScanPool {
  readonly #directory: string
  readonly #limitMs: number
  readonly #readers = new Set<Reader>()
  readonly #queue: Scan[] = []
  #closed = false

  constructor(directory: string, limitMs: number) {
    this.#directory = directory
    this.#limitMs = limitMs
  }

  run(statement: string, request: ScanRequest): Promise<readonly unknown[]> {
    return new Promise((resolve, reject) => {
      if (this.#closed) throw new Error('the store is closed')
      this.#queue.push({ statement, request, resolve, reject })
      this.#next()
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const scan of this.#queue.splice(0)) scan.reject(new Error('the store is closed'))
    await Promise.all(
      [...this.#readers].map((reader) => this.#kill(reader, new Error('the store is closed'))),
    )
  }

  #next(): void {
    if (this.#queue.length === 0) return
    const reader = this.#idleReader()
    if (reader === undefined) return
    const scan = this.#queue.shift()
    if (scan === undefined) return
    clearTimeout(reader.idle)
    reader.scan = scan
    reader.timer = setTimeout(() => {
      void this.#kill(reader, new ScanTimeout(scan.statement, this.#limitMs))
    }, this.#limitMs)
    reader.child.send(scan.request)
  }

  #idleReader(): Reader | undefined {
    for (const reader of this.#readers) {
      if (reader.scan === undefined && reader.killedFor === undefined) return reader
    }
    return this.#readers.size < MOST_PROCESSES ? this.#start() : undefined
  }

  #start(): Reader {
    const child = fork(SCAN_PROCESS, [this.#directory], {
      serialization: 'advanced',
      execArgv: SMALL_HEAP,
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    const gone = new Promise<void>((resolve) => {
      const lose = (error: Error) => {
        this.#lose(reader, error)
        resolve()
      }
      child.once('error', lose)
      child.once('exit', () => lose(new Error('the scan process ended by itself')))
    })
    const none = { scan: undefined, timer: undefined, idle: undefined, killedFor: undefined }
    const reader: Reader = { child, gone, ...none }
    child.on('message', (answer: ScanAnswer) => this.#settle(reader, answer))
    this.#readers.add(reader)
    return reader
  }

  #settle(reader: Reader, answer: ScanAnswer): void {
    const { scan } = reader
    clearTimeout(reader.timer)
    reader.scan = undefined
    if ('rows' in answer) scan?.resolve(answer.rows)
    else scan?.reject(new StatementFailed(scan.statement, answer.message, answer.code))
    this.#next()
    if (reader.scan === undefined) this.#mayEnd(reader)
  }

  /** The first one stays: the next scan finds it warm. */
  #mayEnd(reader: Reader): void {
    reader.idle = setTimeout(() => {
      const others = [...this.#readers].some((each) => each !== reader && each.killedFor === undefined)
      if (others) void this.#kill(reader, new Error('idle'))
    }, IDLE_MS)
    reader.idle.unref()
  }

  #lose(reader: Reader, error: Error): void {
    clearTimeout(reader.timer)
    clearTimeout(reader.idle)
    this.#readers.delete(reader)
    reader.scan?.reject(reader.killedFor ?? error)
    reader.scan = undefined
    this.#next()
  }

  #kill(reader: Reader, error: Error): Promise<void> {
    reader.killedFor = error
    reader.child.kill('SIGKILL')
    return reader.gone
  }
}
