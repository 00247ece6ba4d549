import { FAILURE_OUTCOMES } from './failure-trace.ts'
import { headerFields } from './header-fields.ts'
import type { EmailHost, Failure } from './host-services.ts'
import type { Verdict } from './invocations.ts'
import type { RunningWorker } from './running-worker.ts'
import { askWorker } from './worker-client.ts'
import type { Exception, WorkerTrace } from './worker-trace.ts'

/** A message for `email()`. */
export interface EmailMessage {
  /** MAIL FROM; '' is the null sender. */
  readonly from: string
  /** RCPT TO, as its sender wrote it. */
  readonly to: string
  /** The header's octets, up to the empty line. */
  readonly header: Uint8Array
  /** The whole message; it is read once, and only if the Worker reads it. */
  readonly raw: AsyncIterable<Uint8Array> | Uint8Array
  /** In octets. */
  readonly rawSize: number
  readonly canBeForwarded: boolean
  /** Results in the words of RFC 8601 §2.7, which the Worker finds in `message.authentication`. */
  readonly authentication?: Readonly<Record<string, string>>
}

export type EmailOutcome = (
  | { readonly kind: 'handled' }
  /** By `setReject()`, whatever else it did. */
  | { readonly kind: 'rejected'; readonly reason: string }
  /** The handler threw, or something that nobody awaited failed. What it had asked for before is done. */
  | ({ readonly kind: 'exception' } & Exception)
  | Failure
) & {
  /** The same with what it logged, once `waitUntil()` is over too; undefined where it never ran. Never rejects. */
  readonly traced: Promise<WorkerTrace | undefined>
}

interface EmailRun {
  readonly message: EmailMessage
  readonly host: EmailHost
  readonly limitMs: number
  readonly onTrace: (trace: WorkerTrace) => void
  readonly now: () => number
}

/** Longer headers than this, as base64 in JSON, do not fit into the header of a request: the entry asks for them. */
const LONGEST_META = 49_152

export async function runEmail(running: RunningWorker, run: EmailRun): Promise<EmailOutcome> {
  const { message, host, limitMs } = run
  const settled = Promise.withResolvers<Verdict>()
  const trace = Promise.withResolvers<Told>()
  const headers = headerFields(message.header)
  const token = running.invocations.begin({ host, headers, settle: settled.resolve, traced: trace.resolve })
  const at = run.now()
  // The answer is over when its handler's verdict is in; what the connection does afterwards does not matter.
  const ended = await running.during(limitMs, (signal) => {
    const asked = ask(running, { message, token, headers, signal })
    return Promise.race([settled.promise, asked.then(() => settled.promise)])
  })
  running.invocations.end(token)
  const outcome = outcomeOf(ended)
  const { from, to, rawSize } = message
  const event = { mailFrom: from, rcptTo: to, rawSize }
  // Not the message itself, which would stay in memory until `waitUntil()` is over.
  const { onTrace, now } = run
  return {
    ...outcome,
    traced: tell(running, { outcome, event, onTrace, now, at, told: trace.promise, token }),
  }
}

type Told = Pick<WorkerTrace, 'outcome' | 'logs' | 'exceptions' | 'eventTimestamp'>
type Outcome =
  | { readonly kind: 'handled' }
  | { readonly kind: 'rejected'; readonly reason: string }
  | Thrown
  | Failure
type Thrown = { readonly kind: 'exception' } & Exception

async function ask(
  running: RunningWorker,
  given: {
    readonly message: EmailMessage
    readonly token: string
    readonly headers: readonly (readonly [string, string])[]
    readonly signal: AbortSignal
  },
): Promise<void> {
  const { message, token, headers, signal } = given
  const { from, to, rawSize, canBeForwarded, authentication, raw } = message
  const about = { token, from, to, rawSize, canBeForwarded, authentication }
  const whole = base64Json({ ...about, headers })
  const meta = whole.length <= LONGEST_META ? whole : base64Json(about)
  const response = await askWorker({
    socketPath: running.socket('entry'),
    method: 'POST',
    url: 'http://posthorn.internal/email',
    headers: [
      ['host', 'posthorn.internal'],
      ['content-length', String(rawSize)],
      ['x-posthorn-invocation', token],
      ['x-posthorn-email', meta],
    ],
    body: raw,
    signal,
  })
  response.on('error', () => undefined)
  response.resume()
  if (response.statusCode !== 200) throw new Error('the entry of a Worker failed')
}

function base64Json(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64')
}

function outcomeOf(ended: Verdict | Failure): Outcome {
  if ('kind' in ended) return ended
  if (ended.reason !== undefined) return { kind: 'rejected', reason: ended.reason }
  return ended.exception ? { kind: 'exception', ...ended.exception } : { kind: 'handled' }
}

/** The words of `tail`. */
const OUTCOMES: Record<Outcome['kind'], string> = {
  handled: 'ok',
  rejected: 'ok',
  exception: 'exception',
  ...FAILURE_OUTCOMES,
}

/** A process that is gone logs nothing any more; what it told before that counts. */
async function tell(
  running: RunningWorker,
  given: {
    readonly outcome: Outcome
    readonly event: WorkerTrace['event']
    readonly onTrace: (trace: WorkerTrace) => void
    readonly now: () => number
    readonly at: number
    readonly told: Promise<Told>
    readonly token: string
  },
): Promise<WorkerTrace> {
  const { outcome, event, onTrace, now, at, token } = given
  const { accountId, scriptName, id: versionId } = running.version
  const { promise, resolve } = Promise.withResolvers<Told | undefined>()
  const stopListening = running.onEnd(() => resolve(undefined))
  void given.told.then(resolve)
  const told = await promise
  stopListening()
  running.invocations.takeUntraced(token)
  const thrown = outcome.kind === 'exception' ? [{ ...withoutKind(outcome), timestamp: now() }] : []
  const whole: WorkerTrace = {
    ...{ accountId, scriptName, versionId },
    outcome: outcome.kind === 'handled' ? (told?.outcome ?? 'ok') : OUTCOMES[outcome.kind],
    logs: told?.logs ?? [],
    exceptions: [...thrown, ...(told?.exceptions ?? [])],
    eventTimestamp: told?.eventTimestamp ?? at,
    event,
  }
  onTrace(whole)
  return whole
}

function withoutKind({ name, message, stack }: Thrown): Exception {
  return { name, message, ...(stack !== undefined && { stack }) }
}
