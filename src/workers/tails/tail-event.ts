import type { Exception, WorkerTrace } from '#workers/runtime/worker-trace.ts'

/** An invocation as `wrangler tail` prints it, as JSON. Which account it was of is nobody's to learn from it. */
export function tailEvent({
  scriptName,
  versionId,
  outcome,
  exceptions,
  logs,
  eventTimestamp,
  event,
}: WorkerTrace): string {
  return JSON.stringify({
    ...{ outcome, scriptName, scriptVersion: { id: versionId } },
    exceptions: exceptions.map((each) => ({ ...each, ...stackOf(each) })),
    ...{ logs, eventTimestamp, event },
  })
}

/** Its frames, without ours: name and message stand before them already wherever it is printed. */
function stackOf({ name, message, stack }: Exception): { readonly stack?: string } {
  if (stack === undefined) return {}
  const head = `${name}: ${message}\n`
  const frames = (stack.startsWith(head) ? stack.slice(head.length) : stack).split('\n')
  return { stack: frames.filter((frame) => !frame.includes('(posthorn-inside/')).join('\n') }
}
