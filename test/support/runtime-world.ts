import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import type { WorkerBinding, WorkerVersion } from '#model/worker.ts'
import { openLog } from '#observe/log.ts'
import { openAccounts } from '#registry/accounts/accounts.ts'
import { openSqliteStore } from '#store/open-sqlite.ts'
import type {
  EmailHost,
  HostError,
  OutgoingMessage,
  SendEmailBinding,
} from '#workers/runtime/host-services.ts'
import type { EmailMessage, EmailOutcome } from '#workers/runtime/run-email.ts'
import { openRuntime, type Runtime, type RuntimeLimits } from '#workers/runtime/runtime.ts'
import type { WorkerTrace } from '#workers/runtime/worker-trace.ts'
import { type Kv, openKv } from '#workers/storage/kv.ts'
import { openQueues, type Queues } from '#workers/storage/queues.ts'

export interface Forwarded {
  readonly rcptTo: string
  readonly headers: readonly (readonly [string, string])[]
}

/** How the host of one message behaves, and what it was asked. */
export interface HostBehaviour {
  readonly forward?: Forwarded[]
  readonly reply?: OutgoingMessage[]
  readonly refuse?: HostError
  readonly delayMs?: number
  readonly bindings?: readonly WorkerBinding[]
  readonly scriptName?: string
}

/** The runtime with real processes over a real store; mail that it sends is only written down. */
export interface RuntimeWorld extends AsyncDisposable {
  readonly runtime: Runtime
  readonly directory: string
  readonly accountId: string
  readonly otherAccountId: string
  readonly kv: Kv
  readonly queues: Queues
  readonly traces: readonly WorkerTrace[]
  forgetTraces(): void
  readonly sent: readonly { readonly binding: SendEmailBinding; readonly message: OutgoingMessage }[]
  readonly points: readonly { readonly dataset: string; readonly point: unknown }[]
  /** What the log was told. */
  readonly logged: readonly string[]
  /** What a `send_email` binding is refused with from now on. */
  refuseSending(error: HostError): void
  /** A new version of a Worker with one module, which service bindings find from now on. */
  version(code: string, given?: Partial<WorkerVersion>): WorkerVersion
  email(code: string, behaviour?: HostBehaviour, message?: EmailMessage): Promise<EmailOutcome>
}

export const HEADER = 'From: a@example.org\r\nSubject: Größe\r\n =?utf-8?q?x?=\r\n'

/** A message as the MX door has it. */
export function arrived(body = Buffer.from('body\r\n')): EmailMessage {
  const header = Buffer.from(HEADER)
  const raw = Buffer.concat([header, Buffer.from('\r\n'), body])
  return {
    ...{ from: 'a@example.org', to: 'Sales@example.com', header, raw, rawSize: raw.length },
    ...{ canBeForwarded: true, authentication: { spf: 'pass', dkim: 'none' } },
  }
}

export async function openTestRuntime(limits: Partial<RuntimeLimits> = {}): Promise<RuntimeWorld> {
  const directory = await mkdtemp(join(tmpdir(), 'posthorn-test-'))
  const store = await openSqliteStore({ directory })
  const clock = Date.now
  const kv = openKv({ store, clock })
  const queues = await openQueues({ store, clock })
  const accounts = openAccounts({ store, clock })
  const [accountId, otherAccountId] = [
    (await accounts.createAccount('A')).id,
    (await accounts.createAccount('B')).id,
  ]
  const deployed = new Map<string, WorkerVersion>()
  const traces: WorkerTrace[] = []
  const sent: { binding: SendEmailBinding; message: OutgoingMessage }[] = []
  const points: { dataset: string; point: unknown }[] = []
  const logged: string[] = []
  let sendRefusal: HostError | undefined
  const written = new PassThrough()
  written.on('data', (chunk: Buffer) => logged.push(chunk.toString()))
  const runtime = await openRuntime({
    directory,
    log: openLog('info', written),
    now: clock,
    onTrace: (trace) => traces.push(trace),
    limits: { graceMs: 2000, ...limits },
    services: {
      kv,
      queues,
      async sendEmail(_worker, binding, message) {
        sent.push({ binding, message })
        return sendRefusal ?? { messageId: `<${sent.length}@example.com>` }
      },
      async writeDataPoint(_worker, dataset, point) {
        points.push({ dataset, point })
      },
      async fetchWorker({ accountId, scriptName, entrypoint }, request) {
        const version = deployed.get(scriptName)
        if (version?.accountId !== accountId)
          return { kind: 'unavailable', message: 'There is no such Worker.' }
        return runtime.fetch(version, request, entrypoint)
      },
    },
  })
  let versions = 0
  const version: RuntimeWorld['version'] = (code, given) => {
    const made: WorkerVersion = {
      ...{ id: `version-${++versions}`, accountId, scriptName: 'worker', mainModule: 'index.js' },
      modules: [{ name: 'index.js', type: 'esm', content: Buffer.from(code) }],
      ...{ bindings: [], compatibilityDate: '2026-10-01', compatibilityFlags: ['nodejs_compat'], ...given },
    }
    deployed.set(made.scriptName, made)
    return made
  }
  return {
    ...{ runtime, directory, accountId, otherAccountId, kv, queues, traces, sent, points, logged, version },
    forgetTraces() {
      traces.length = 0
    },
    refuseSending(error) {
      sendRefusal = error
    },
    email: (code, behaviour = {}, message = arrived()) => {
      const { bindings = [], scriptName = 'worker' } = behaviour
      return runtime.email(version(code, { bindings, scriptName }), message, hostOf(behaviour))
    },
    async [Symbol.asyncDispose]() {
      await runtime.close()
      await store.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

export function hostOf({ forward = [], reply = [], refuse, delayMs = 0 }: HostBehaviour): EmailHost {
  let made = 0
  const result = () => refuse ?? { messageId: `<${++made}@example.com>` }
  const delay = () => new Promise((resolve) => setTimeout(resolve, delayMs))
  return {
    async forward(rcptTo, headers) {
      await delay()
      forward.push({ rcptTo, headers })
      return result()
    },
    async reply(message) {
      await delay()
      reply.push(message)
      return result()
    },
  }
}
