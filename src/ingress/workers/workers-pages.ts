import type { Failure } from '#workers/runtime/host-services.ts'
import type { Exception } from '#workers/runtime/worker-trace.ts'

/** What this door says in its own words. */
export interface Page {
  readonly status: number
  readonly text: string
}

/** A Worker that is there, and where; one that was uploaded and no more has no host name yet. */
export interface FoundWorker {
  readonly name: string
  readonly url: string | undefined
}

/** `workers`: what there is, for whoever may know. */
export function noWorkerPage(host: string, workers: readonly FoundWorker[] | undefined): Page {
  const nobody = `There is no Worker at ${host}.`
  if (!workers) return { status: 404, text: `${nobody}\n` }
  if (workers.length === 0) {
    return {
      status: 404,
      text: `${nobody} None is deployed yet: wrangler deploy, or posthorn dev --worker <folder>.\n`,
    }
  }
  const list = workers.map(({ name, url }) => `  ${name}  ${url ?? NO_HOST_NAME}\n`).join('')
  return { status: 404, text: `${nobody} These are here:\n\n${list}` }
}

const NO_HOST_NAME =
  'is at no host name of its own: wrangler deploy gives it one, unless "workers_dev" is false.'

const WORDS: Record<Failure['kind'], string> = {
  unavailable: 'The Worker is not available now.',
  crashed: 'The Worker crashed.',
  timeout: 'The Worker did not answer in time.',
  'exceeded-cpu': 'The Worker exceeded its CPU time limit.',
  'exceeded-memory': 'The Worker exceeded its memory limit.',
}

/** `detail` is for the Worker's author alone. */
export function failurePage(
  status: number,
  { kind, detail }: { readonly kind: Failure['kind']; readonly detail: string | undefined },
): Page {
  const more = detail === undefined || detail === WORDS[kind] ? '' : `\n${detail}\n`
  return { status, text: `${WORDS[kind]}\n${more}` }
}

export function exceptionPage({ name, message, stack }: Exception): Page {
  const head = `${name}: ${message}`
  const whole = stack === undefined ? head : stack.startsWith(head) ? stack : `${head}\n${stack}`
  return { status: 500, text: `The Worker threw an exception.\n\n${whole}\n` }
}
