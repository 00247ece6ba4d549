import type { WorkerVersion } from '#model/worker.ts'
import type { Runtime } from '#workers/runtime/runtime.ts'
import type { LocalAnswer } from './local-answer.ts'

/** `scheduled()` at a moment of the user's choice: `?cron=` is what the Worker is told, `?time=` in milliseconds. */
export async function runLocalScheduled(
  { runtime, now }: { readonly runtime: Pick<Runtime, 'scheduled'>; readonly now: () => number },
  version: WorkerVersion,
  { query, format }: { readonly query: URLSearchParams; readonly format: 'json' | 'text' },
): Promise<LocalAnswer> {
  const time = query.get('time')
  const at = time === null ? now() : Number(time)
  if (!Number.isFinite(new Date(at).getTime()))
    return { status: 400, text: '`time` must be in milliseconds since 1970.\n' }
  const run = await runtime.scheduled(version, query.get('cron') ?? '', at)
  const outcome = run.kind === 'done' ? 'ok' : run.kind === 'failed' ? 'exception' : run.kind
  const status = outcome === 'ok' ? 200 : 500
  if (format === 'json') return { status, json: { outcome, noRetry: false } }
  return { status, text: `${'message' in run ? run.message : outcome}\n` }
}
