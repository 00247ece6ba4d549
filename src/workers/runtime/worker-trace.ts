import type { WorkerPlace } from './host-services.ts'

/** An invocation that is wholly over, as `tail` shows it. What is in `logs` and `exceptions` is the customer's. */
export interface WorkerTrace extends WorkerPlace {
  readonly versionId: string
  /** `ok`, `exception`, `canceled`, `exceededCpu`, `exceededMemory`, `unknown`: the words of `tail`. */
  readonly outcome: string
  readonly logs: readonly LogLine[]
  readonly exceptions: readonly (Exception & { readonly timestamp: number })[]
  /** Milliseconds since 1970. */
  readonly eventTimestamp: number
  /** As `tail` shows it: `{ mailFrom, rcptTo, rawSize }`, `{ request, response }`, `{ queue, batchSize }`,
   *  `{ cron, scheduledTime }`. */
  readonly event: Readonly<Record<string, unknown>>
}

export interface LogLine {
  /** What `console.log()` was given, as far as JSON can say it. */
  readonly message: readonly unknown[]
  readonly level: string
  /** Milliseconds since 1970. */
  readonly timestamp: number
}

export interface Exception {
  readonly name: string
  readonly message: string
  readonly stack?: string
}

export interface TraceReport {
  readonly token: string | undefined
  readonly trace: Omit<WorkerTrace, 'accountId' | 'scriptName' | 'versionId'>
}

/** Reads what the tail says. It comes from our own code in the customer's process, which the customer may have taken
 *  over: so nothing is believed of its shape. Undefined for what is none. */
export function readTraceReport(text: string): TraceReport | undefined {
  const report = record(parsed(text))
  if (!report) return undefined
  const { token, outcome, logs, exceptions, eventTimestamp, event } = report
  return {
    token: typeof token === 'string' ? token : undefined,
    trace: {
      outcome: typeof outcome === 'string' ? outcome : 'unknown',
      logs: list(logs).map(({ message, level, timestamp }) => ({
        message: Array.isArray(message) ? message : [message],
        level: typeof level === 'string' ? level : 'log',
        timestamp: Number(timestamp) || 0,
      })),
      exceptions: list(exceptions).map((given) => ({
        ...readException(given),
        timestamp: Number(given['timestamp']) || 0,
      })),
      eventTimestamp: Number(eventTimestamp) || 0,
      event: record(event) ?? {},
    },
  }
}

/** The same for an exception. */
export function readException({ name, message, stack }: Readonly<Record<string, unknown>>): Exception {
  return {
    name: typeof name === 'string' ? name : 'Error',
    message: typeof message === 'string' ? message : '',
    ...(typeof stack === 'string' && { stack }),
  }
}

/** Undefined for what is no JSON. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Undefined for what is no object. */
export function record(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined
}

function list(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.map(record).filter((each) => each !== undefined) : []
}
