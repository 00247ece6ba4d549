import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type DevJson, devJson } from '#contract/dev-json.ts'
import { checkedFetch } from './checked-fetch.ts'
import { fetchAtHost, type HostAnswer, type HostRequest } from './fetch-at-host.ts'

/** A development instance of its own: own data folder, free ports, stopped and removed when the test is over. */
export interface Instance extends AsyncDisposable {
  readonly directory: string
  readonly dev: DevJson
  readonly process: ChildProcess
  /** What it wrote to stderr so far. */
  readonly log: () => string
  send(body: unknown, headers?: Record<string, string>): Promise<Answer>
  /** Messages in the inbox that match, once there are `count` of them. */
  inbox(query: string, count?: number): Promise<InboxMessage[]>
  raw(id: string): Promise<string>
  /** The envelope sender with which a message arrived. */
  returnPath(id: string): Promise<string>
  /** What a Worker's `fetch()` answers: of the development account's Worker of that name, at a path below its host. */
  askWorker(name: string, path: string, request?: HostRequest): Promise<HostAnswer>
  kill(): Promise<void>
  stop(): Promise<number | null>
  restart(): Promise<void>
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: {
    readonly success: boolean
    readonly result: SendResult | null
    readonly errors: readonly ApiError[]
  }
}

export interface ApiError {
  readonly code: number
  readonly message: string
  readonly error_chain?: readonly { readonly name?: string; readonly message: string }[]
  readonly source?: { readonly pointer: string }
}

export interface SendResult {
  readonly delivered: string[]
  readonly permanent_bounces: string[]
  readonly queued: string[]
  readonly message_id: string
  readonly suppressed_recipients: string[]
}

export interface InboxMessage {
  readonly ID: string
  readonly MessageID: string
  readonly Subject: string
  readonly From: { readonly Address: string; readonly Name: string }
  readonly To: readonly { readonly Address: string }[]
  readonly Bcc: readonly { readonly Address: string }[]
}

export async function startInstance(environment: Record<string, string> = {}): Promise<Instance> {
  const directory = mkdtempSync(join(tmpdir(), 'posthorn-test-'))
  let { child, dev, log } = await boot(directory, environment)

  async function stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
    if (child.exitCode === null && child.signalCode === null) {
      const exited = new Promise((resolve) => child.once('exit', resolve))
      child.kill(signal)
      await exited
    }
    return child.exitCode
  }

  const instance: Instance = {
    directory,
    get dev() {
      return dev
    },
    get process() {
      return child
    },
    log: () => log(),
    async send(body, headers = {}) {
      return post(`${dev.api}/accounts/${dev.account_id}/email/sending/send`, body, {
        authorization: `Bearer ${dev.api_token}`,
        ...headers,
      })
    },
    async inbox(query, count = 1) {
      const end = Date.now() + 40_000
      for (;;) {
        const url = `${dev.inbox}/search?query=${encodeURIComponent(query)}&limit=1000`
        // The test states the shape that the API documents.
        const found = ((await (await fetch(url)).json()) as { messages: InboxMessage[] }).messages
        if (found.length >= count) return found
        if (Date.now() > end)
          throw new Error(`${found.length} of ${count} messages for "${query}" in the inbox`)
        await sleep(50)
      }
    },
    raw: async (id) => (await fetch(`${dev.inbox}/message/${id}/raw`)).text(),
    async returnPath(id) {
      const view = (await (await fetch(`${dev.inbox}/message/${id}`)).json()) as { ReturnPath: string }
      return view.ReturnPath
    },
    askWorker(name, path, request) {
      const { host, port } = dev.workers
      return fetchAtHost(port, `http://${name}.${host}:${port}${path}`, request)
    },
    async kill() {
      await stop('SIGKILL')
    },
    stop: () => stop('SIGTERM'),
    async restart() {
      await stop('SIGTERM')
      ;({ child, dev, log } = await boot(directory, environment))
    },
    async [Symbol.asyncDispose]() {
      await stop('SIGTERM')
      rmSync(directory, { recursive: true, force: true })
    },
  }
  return instance
}

async function boot(directory: string, environment: Record<string, string>) {
  const path = join(directory, 'dev.json')
  rmSync(path, { force: true })
  const ports = Object.fromEntries(
    ['HTTP', 'SUBMISSION', 'MX', 'DNS', 'WORKERS'].map((door) => [`POSTHORN_${door}_PORT`, '0']),
  )
  const child = spawn(process.execPath, [join(import.meta.dirname, '../../src/main.ts')], {
    env: { PATH: process.env['PATH'], POSTHORN_DATA: directory, ...ports, ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
  })
  const end = Date.now() + 30_000
  while (!existsSync(path)) {
    if (child.exitCode !== null) throw new Error(`the instance ended with ${child.exitCode}: ${stderr}`)
    if (Date.now() > end) throw new Error(`the instance did not start within 30 s: ${stderr}`)
    await sleep(20)
  }
  return { child, dev: devJson.parse(JSON.parse(readFileSync(path, 'utf8'))), log: () => stderr }
}

export async function post(url: string, body: unknown, headers: Record<string, string>): Promise<Answer> {
  const response = await checkedFetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' || body instanceof Uint8Array ? (body as string) : JSON.stringify(body),
  })
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Answer['body'],
  }
}
