import { arrived, hostOf, openTestRuntime } from '#test/runtime-world.ts'
import { smtpTemplate } from './message.ts'

/** What the runtime itself costs: a message of 5 KB, handed to a Worker whose handler does nothing, in a process that
 *  runs already. */
export interface EmptyHandlerRound {
  /** Milliseconds from the call to its outcome, one message at a time. */
  readonly p50: number
  readonly p99: number
  /** A second, so many at a time. */
  readonly perSecond: number
  /** Whose outcome was any other than that it was handled. */
  readonly failed: number
}

export interface EmptyHandlerOptions {
  readonly messages: number
  readonly warmup: number
  /** At a time, in the second half. */
  readonly connections: number
  readonly signal: AbortSignal
}

export async function measureEmptyHandler(options: EmptyHandlerOptions): Promise<EmptyHandlerRound> {
  const { messages, warmup, connections, signal } = options
  await using world = await openTestRuntime()
  const version = world.version(`export default { email() {} }`)
  const message = arrived(Buffer.from(smtpTemplate('empty', 'someone@sender.example')))
  let failed = 0
  const run = async () => {
    signal.throwIfAborted()
    const startedAt = performance.now()
    const { kind } = await world.runtime.email(version, message, hostOf({}))
    if (kind !== 'handled') failed++
    return performance.now() - startedAt
  }
  for (let n = 0; n < warmup; n++) await run()
  const latencies: number[] = []
  for (let n = 0; n < messages; n++) latencies.push(await run())
  latencies.sort((a, b) => a - b)
  const at = (share: number) => latencies[Math.floor(messages * share)] ?? Number.NaN
  const from = performance.now()
  let left = messages
  const loop = async () => {
    while (left-- > 0) await run()
  }
  await Promise.all(Array.from({ length: connections }, loop))
  const perSecond = (messages * 1000) / (performance.now() - from)
  return { p50: at(0.5), p99: at(0.99), perSecond, failed }
}
