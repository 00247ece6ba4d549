import type { WorkerVersion } from '#model/worker.ts'
import type { EmailOutcome } from '#workers/runtime/run-email.ts'
import type { Runtime } from '#workers/runtime/runtime.ts'
import type { WorkerTrace } from '#workers/runtime/worker-trace.ts'
import { type LocalActions, type LocalMessage, openLocalActions } from './local-actions.ts'
import type { LocalEventsWorld } from './local-email.ts'

export type LocalRunWorld = Pick<LocalEventsWorld, 'keep' | 'note' | 'now'> & {
  readonly runtime: Pick<Runtime, 'email'>
}

export interface LocalRun {
  readonly run: EmailOutcome
  readonly actions: LocalActions
}

/** What became of a message, in the names that wrangler's local server has for that. */
export interface LocalReport extends Pick<LocalActions, 'forwards' | 'replies' | 'events'> {
  readonly outcome: string
  readonly rejectReason?: string
  readonly error?: string
  readonly logs: WorkerTrace['logs']
  readonly exceptions: WorkerTrace['exceptions']
}

/** What `waitUntil()` still does may be long. */
const TRACE_WAIT_MS = 10_000

/** Hands it to the Worker, as if its origin were proven. */
export async function runLocalMessage(
  world: LocalRunWorld,
  version: WorkerVersion,
  message: LocalMessage,
): Promise<LocalRun> {
  const { accountId, scriptName } = version
  const actions = openLocalActions({ ...world, accountId }, { accountId, scriptName }, message)
  const run = await world.runtime.email(version, emailOf(message), actions.host)
  actions.end(run)
  return { run, actions }
}

function emailOf({ from, written, raw, block }: LocalMessage) {
  return {
    ...{ from, to: written, raw, rawSize: raw.length, canBeForwarded: true },
    header: raw.subarray(0, block.bodyStart),
    authentication: { spf: 'pass', dkim: 'pass', dmarc: 'pass', arc: 'none' },
  }
}

/** With what the Worker logged, if that is in before long. */
export async function localReport({ run, actions }: LocalRun): Promise<LocalReport> {
  const { forwards, replies, events } = actions
  const trace = await Promise.race([run.traced, late()])
  const outcome = run.kind === 'handled' || run.kind === 'rejected' ? 'ok' : (trace?.outcome ?? run.kind)
  return {
    outcome,
    ...(run.kind === 'rejected' && { rejectReason: run.reason }),
    ...(run.kind !== 'handled' && run.kind !== 'rejected' && { error: run.message }),
    ...{ forwards, replies, events },
    logs: trace?.logs ?? [],
    exceptions: trace?.exceptions ?? [],
  }
}

function late(): Promise<WorkerTrace | undefined> {
  return new Promise((resolve) => setTimeout(() => resolve(undefined), TRACE_WAIT_MS).unref())
}
