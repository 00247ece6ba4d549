import { type Begun, traceFailure } from './failure-trace.ts'
import type { Failure } from './host-services.ts'
import type { RunningWorker } from './running-worker.ts'
import { askWorker } from './worker-client.ts'
import { parsed, record } from './worker-trace.ts'

/** A batch for `queue()`. */
export interface QueueEvent {
  readonly queueName: string
  readonly messages: readonly QueueEventMessage[]
}

export interface QueueEventMessage {
  readonly id: string
  readonly body: Uint8Array
  readonly contentType: 'text' | 'bytes' | 'json' | 'v8'
  /** This one included. */
  readonly attempts: number
  /** In milliseconds since 1970. */
  readonly sentAt: number
}

/** What `queue()` said of its messages by name, and of all. */
export type QueueOutcome =
  | (Named & { readonly kind: 'done'; readonly retryAll?: { readonly delaySeconds?: number } })
  /** It threw. What it had acked before stays acked; the rest is to be tried again. */
  | (Named & { readonly kind: 'failed' })
  /** Nothing is known: all is to be tried again. */
  | Failure

interface Named {
  readonly acks: readonly string[]
  readonly retries: readonly { readonly id: string; readonly delaySeconds?: number }[]
}

export type ScheduledOutcome = { readonly kind: 'done' } | { readonly kind: 'failed' } | Failure

interface EventRun extends Omit<Begun, 'event'> {
  readonly limitMs: number
}

export async function runQueue(
  running: RunningWorker,
  { queueName: queue, messages }: QueueEvent,
  run: EventRun,
): Promise<QueueOutcome> {
  const begun = { ...run, event: () => ({ queue, batchSize: messages.length }) }
  const answer = await dispatch(running, begun, 'queue', {
    queue,
    messages: messages.map(({ id, body, contentType, attempts, sentAt }) => ({
      ...{ id, contentType, attempts, timestamp: sentAt },
      body: Buffer.from(body).toString('base64'),
    })),
  })
  return 'kind' in answer ? answer : readQueueAnswer(answer.said)
}

export async function runScheduled(
  running: RunningWorker,
  event: { readonly cron: string; readonly scheduledTime: number },
  run: EventRun,
): Promise<ScheduledOutcome> {
  const answer = await dispatch(running, { ...run, event: () => event }, 'scheduled', event)
  if ('kind' in answer) return answer
  return { kind: answer.said['outcome'] === 'ok' ? 'done' : 'failed' }
}

async function dispatch(
  running: RunningWorker,
  begun: Begun & EventRun,
  kind: 'queue' | 'scheduled',
  event: unknown,
): Promise<{ readonly said: Readonly<Record<string, unknown>> } | Failure> {
  const answer = await running.during(begun.limitMs, async (signal) => {
    const response = await askWorker({
      socketPath: running.socket('dispatch'),
      method: 'POST',
      url: `/${kind}`,
      headers: [['host', 'posthorn.internal']],
      body: Buffer.from(JSON.stringify(event)),
      signal,
    })
    let text = ''
    for await (const chunk of response) text += String(chunk)
    return { said: record(parsed(text)) ?? {} }
  })
  if (!('kind' in answer)) return answer
  if (answer.kind === 'timeout') running.invocations.cancelled(begun.event())
  traceFailure(running, answer, begun)
  return answer
}

/** As workerd's own dispatch puts it. */
function readQueueAnswer(said: Readonly<Record<string, unknown>>): QueueOutcome {
  const { outcome, ackAll, retryBatch, explicitAcks, retryMessages } = said
  const acks = Array.isArray(explicitAcks) ? explicitAcks.map(String) : []
  const retries = (Array.isArray(retryMessages) ? retryMessages : []).flatMap((retry) => {
    const { msgId, delaySeconds } = record(retry) ?? {}
    return typeof msgId === 'string' ? [{ id: msgId, ...delayed(delaySeconds) }] : []
  })
  if (outcome !== 'ok') return { kind: 'failed', acks, retries }
  const { retry, delaySeconds } = record(retryBatch) ?? {}
  const retriesAll = retry === true && ackAll !== true
  return { kind: 'done', acks, retries, ...(retriesAll && { retryAll: delayed(delaySeconds) }) }
}

function delayed(delaySeconds: unknown): { readonly delaySeconds?: number } {
  return typeof delaySeconds === 'number' ? { delaySeconds } : {}
}
