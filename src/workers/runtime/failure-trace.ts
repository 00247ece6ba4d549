import type { Failure, WorkerRequest } from './host-services.ts'
import type { RunningWorker } from './running-worker.ts'
import type { WorkerTrace } from './worker-trace.ts'

/** What `tail` calls an end that is not the handler's own. */
export const FAILURE_OUTCOMES = {
  unavailable: 'unknown',
  crashed: 'unknown',
  timeout: 'canceled',
  'exceeded-cpu': 'exceededCpu',
  'exceeded-memory': 'exceededMemory',
} as const satisfies Record<Failure['kind'], string>

/** What has begun, and is to be told of should its process end. */
export interface Begun {
  readonly event: () => WorkerTrace['event']
  /** Milliseconds since 1970. */
  readonly at: number
  readonly onTrace: (trace: WorkerTrace) => void
}

/** Tells of an invocation that ended with its process, which tells nothing any more: what was logged in it is gone. Of
 *  any other failure the process tells itself. */
export function traceFailure(running: RunningWorker, { kind }: Failure, { event, at, onTrace }: Begun): void {
  if (!running.isOver) return
  const { accountId, scriptName, id: versionId } = running.version
  onTrace({
    ...{ accountId, scriptName, versionId, outcome: FAILURE_OUTCOMES[kind], logs: [], exceptions: [] },
    ...{ eventTimestamp: at, event: event() },
  })
}

/** A request as `tail` shows it. As workerd does with its own: nobody who looks on learns from it how to come in. */
export function requestEvent({ method, url, headers }: WorkerRequest) {
  const shown = headers.map(([name, value]) => [
    name.toLowerCase(),
    SECRET_HEADER.test(name) ? 'REDACTED' : value,
  ])
  const id = (text: string) => (isSecretId(text) ? 'REDACTED' : text)
  return {
    request: { url: url.replaceAll(/[\w+-]{21,}/g, id), method, headers: Object.fromEntries(shown) },
  }
}

const SECRET_HEADER = /auth|jwt|key|secret|token|^(set-)?cookie$/i

/** Hexadecimal of 32 digits, or what has enough of each kind of letter to be base64. */
function isSecretId(text: string): boolean {
  const count = (kind: RegExp) => text.match(kind)?.length ?? 0
  if (count(/[^\da-f-]/gi) === 0) return count(/[\da-f]/gi) >= 32
  return count(/[a-z]/g) >= 2 && count(/[A-Z]/g) >= 2 && count(/\d/g) >= 2
}
