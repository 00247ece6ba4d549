/** What brings events to Workers by hand, in development: `/cdn-cgi/handler/email` and `…/scheduled` of the Workers door,
 *  as wrangler's local server has them (localdev-routing.md). In: requests of this machine's user. Out: what became of
 *  the event, as text or, with `?format=json`, as JSON. Promise: a message there meets no rule of the world outside: its
 *  origin counts as proven, every forward and reply as delivered, and both are in the inbox. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { textOf } from '#inbound/act/prepare-forward.ts'
import type { WorkerVersion } from '#model/worker.ts'
import { isAddress, parseAddress } from '#protocol/address.ts'
import { parseHeaderBlock } from '#protocol/header-block.ts'
import { messageIds } from '#protocol/header-formats.ts'
import type { Workers } from '#registry/workers/workers.ts'
import type { WorkerPlace } from '#workers/runtime/host-services.ts'
import type { EmailOutcome } from '#workers/runtime/run-email.ts'
import type { Runtime } from '#workers/runtime/runtime.ts'
import type { WorkerTrace } from '#workers/runtime/worker-trace.ts'
import { type LocalActions, type LocalMessage, openLocalActions } from './local-actions.ts'
import { type LocalAnswer, readLocalBody, sayLocal } from './local-answer.ts'
import { runLocalScheduled } from './local-scheduled.ts'

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
const HEADER_LIMITS = { fields: 1000, bytes: 256 * 1024 }
/** Each is in memory whole. */
const MOST_AT_ONCE = 16
/** What `waitUntil()` still does may be long. */
const TRACE_WAIT_MS = 10_000

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
    const message = kind === 'email' ? readMessage(url.searchParams, body) : undefined
    if (message && 'status' in message) return message
    const found = await findVersion(world, kind, place)
    if (!found) return { status: 500, text: `No Worker here exports a handler ${kind}().\n` }
    const format = url.searchParams.get('format') === 'json' ? 'json' : 'text'
    if (!message) return runLocalScheduled(world, found, { query: url.searchParams, format })
    const actions = openLocalActions(
      world,
      { accountId: world.accountId, scriptName: found.scriptName },
      message,
    )
    const run = await world.runtime.email(found, emailOf(message), actions.host)
    actions.end(run)
    return format === 'text' ? textAnswer(run) : jsonAnswer(run, actions)
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

/** The page's own sentence. */
const INCOMPLETE: LocalAnswer = {
  status: 400,
  text: 'Invalid email. Your request must include URL parameters specifying the `from` and `to` addresses, as well as an email in the body\n',
}

function readMessage(query: URLSearchParams, body: Buffer): LocalMessage | LocalAnswer {
  const [from, to] = [query.get('from') ?? '', query.get('to') ?? '']
  if (from === '' || to === '' || body.length === 0) return INCOMPLETE
  // `<>` stands for the null sender, which no client could name otherwise.
  const sender = from === '<>' ? '' : parseAddress(from)
  if (sender !== '' && !isAddress(sender)) return notAnAddress('from', from, sender.detail)
  const recipient = parseAddress(to)
  if (!isAddress(recipient)) return notAnAddress('to', to, recipient.detail)
  const raw = withCrlf(body)
  const block = parseHeaderBlock(raw, HEADER_LIMITS)
  if ('fault' in block) return { status: 400, text: `Email could not be parsed: ${block.detail}\n` }
  const id = textOf(block, 'message-id')
  if (id === undefined || messageIds(id) !== undefined)
    return { status: 400, text: 'Email could not be parsed: invalid or no message id provided\n' }
  return { from: sender, to: recipient, written: to, raw, block, messageId: id }
}

function notAnAddress(name: string, text: string, detail: string): LocalAnswer {
  return {
    status: 400,
    text: `Invalid email. \`${name}\` is ${JSON.stringify(text.slice(0, 200))}: ${detail}\n`,
  }
}

/** As mail comes over SMTP. People write examples with the line ends of their editor. */
function withCrlf(body: Buffer): Buffer {
  const lineFeed = body.indexOf('\n')
  if (lineFeed > 0 && body[lineFeed - 1] === 13) return body
  return Buffer.from(body.toString('latin1').replaceAll(/\r?\n/g, '\r\n'), 'latin1')
}

function emailOf({ from, written, raw, block }: LocalMessage) {
  return {
    ...{ from, to: written, raw, rawSize: raw.length, canBeForwarded: true },
    header: raw.subarray(0, block.bodyStart),
    authentication: { spf: 'pass', dkim: 'pass', dmarc: 'pass', arc: 'none' },
  }
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

async function jsonAnswer(
  run: EmailOutcome,
  { forwards, replies, events }: LocalActions,
): Promise<LocalAnswer> {
  const trace = await Promise.race([run.traced, late()])
  const outcome = run.kind === 'handled' || run.kind === 'rejected' ? 'ok' : (trace?.outcome ?? run.kind)
  return {
    status: outcome === 'ok' ? 200 : 500,
    json: {
      outcome,
      ...(run.kind === 'rejected' && { rejectReason: run.reason }),
      ...(run.kind !== 'handled' && run.kind !== 'rejected' && { error: run.message }),
      ...{ forwards, replies, events },
      logs: trace?.logs ?? [],
      exceptions: trace?.exceptions ?? [],
    },
  }
}

function late(): Promise<WorkerTrace | undefined> {
  return new Promise((resolve) => setTimeout(() => resolve(undefined), TRACE_WAIT_MS).unref())
}
