/** What brings events to Workers by hand, in development: `/cdn-cgi/handler/email` and `…/scheduled` of the Workers door,
 *  as wrangler's local server has them (localdev-routing.md). In: requests of this machine's user. Out: what became of
 *  the event, as text or, with `?format=json`, as JSON. Promise: a message there meets no rule of the world outside: its
 *  origin counts as proven, every forward and reply as delivered, and both are in the inbox. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { WorkerVersion } from '#model/worker.ts'
import type { Workers } from '#registry/workers/workers.ts'
import type { WorkerPlace } from '#workers/runtime/host-services.ts'
import type { EmailOutcome } from '#workers/runtime/run-email.ts'
import type { Runtime } from '#workers/runtime/runtime.ts'
import { type LocalAnswer, readLocalBody, sayLocal } from './local-answer.ts'
import { runLocalScheduled } from './local-scheduled.ts'
import { readLocalMessage } from './read-local-message.ts'
import { type LocalRun, localReport, runLocalMessage } from './run-local-message.ts'

export interface LocalEventsWorld {
  readonly accountId: string
  readonly workers: Pick<Workers, 'current' | 'worker' | 'list' | 'versionRecord'>
  readonly runtime: Pick<Runtime, 'email' | 'scheduled'>
  /** Puts a message into the inbox. */
  readonly keep: (
    content: Buffer,
    envelope: { readonly from: string; readonly to: readonly string[] },
  ) => Promise<unknown>
  /** The Workers of this machine's folders, the first of which `localhost` is; undefined where none was named: then
   *  every Worker of the account. */
  readonly places: () => readonly WorkerPlace[] | undefined
  /** Hears what a Worker does with a message. */
  readonly note?: (place: WorkerPlace, text: string) => void
  readonly now: () => number
}

/** `place`: whose host it came to; undefined for plain `localhost`, which is the first Worker's that has such a handler.
 *  Out: false where the path is none of these, and then nothing was answered. */
export type LocalEvents = (
  request: IncomingMessage,
  response: ServerResponse,
  place: WorkerPlace | undefined,
) => Promise<boolean>

/** RFC 5322 messages of strangers, as the MX door takes them. */
const LARGEST_MESSAGE = 25 * 1_048_576
/** Each is in memory whole. */
const MOST_AT_ONCE = 16

export function openLocalEvents(world: LocalEventsWorld): LocalEvents {
  let atWork = 0

  async function answer(
    url: URL,
    request: IncomingMessage,
    place: WorkerPlace | undefined,
  ): Promise<LocalAnswer | undefined> {
    const kind = KINDS[url.pathname]
    if (kind === undefined) return undefined
    const body = kind === 'email' ? await readLocalBody(request, LARGEST_MESSAGE) : Buffer.alloc(0)
    if (body === 'too-large') return TOO_LARGE
    const [from = '', to = ''] = ['from', 'to'].map((name) => url.searchParams.get(name) ?? '')
    const message = kind === 'email' ? readLocalMessage({ from, to }, body) : undefined
    if (message && 'detail' in message) return { status: 400, text: `${message.detail}\n` }
    const found = await findVersion(world, kind, place)
    if (!found) return { status: 500, text: `No Worker here exports a handler ${kind}().\n` }
    const format = url.searchParams.get('format') === 'json' ? 'json' : 'text'
    if (!message) return runLocalScheduled(world, found, { query: url.searchParams, format })
    const local = await runLocalMessage(world, found, message)
    return format === 'text' ? textAnswer(local.run) : jsonAnswer(local)
  }

  return async (request, response, place) => {
    const url = new URL(request.url ?? '/', 'http://localhost')
    if (KINDS[url.pathname] === undefined) return false
    if (atWork >= MOST_AT_ONCE) {
      sayLocal(response, { status: 503, text: 'Too many events are at work here; try again.\n' })
      return true
    }
    atWork++
    try {
      const said = await answer(url, request, place)
      if (said) sayLocal(response, said)
      return said !== undefined
    } finally {
      atWork--
    }
  }
}

type Kind = 'email' | 'scheduled'

const KINDS: Readonly<Record<string, Kind>> = {
  '/cdn-cgi/handler/email': 'email',
  '/cdn-cgi/handler/scheduled': 'scheduled',
}

const TOO_LARGE: LocalAnswer = {
  status: 400,
  text: 'Email message size is bigger than the production size limit of 25 MiB.\n',
}

/** Plain `localhost` is the first Worker's that has the handler, so that one for mail may stand behind one for requests. */
async function findVersion(
  { accountId, workers, places }: LocalEventsWorld,
  kind: Kind,
  place: WorkerPlace | undefined,
): Promise<WorkerVersion | undefined> {
  const all = async () => (await workers.list(accountId)).map(({ name }) => ({ accountId, scriptName: name }))
  for (const { scriptName } of place ? [place] : (places() ?? (await all()))) {
    const worker = await workers.worker(accountId, scriptName)
    const record = worker && (await workers.versionRecord(worker, worker.currentVersionId))
    if (record?.code.handlers.includes(kind)) return workers.current(accountId, scriptName)
  }
  return undefined
}

function textAnswer(run: EmailOutcome): LocalAnswer {
  switch (run.kind) {
    case 'handled':
      return { status: 200, text: 'Worker successfully processed email\n' }
    case 'rejected':
      return { status: 400, text: `Worker rejected email with the following reason: ${run.reason}\n` }
    case 'exception':
      return { status: 500, text: `${run.stack ?? `${run.name}: ${run.message}`}\n` }
    default:
      return { status: 500, text: `${run.message}\n` }
  }
}

async function jsonAnswer(local: LocalRun): Promise<LocalAnswer> {
  const json = await localReport(local)
  return { status: json.outcome === 'ok' ? 200 : 500, json }
}
