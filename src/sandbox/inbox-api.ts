import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { Inbox, InboxCounts, SearchResult } from './inbox.ts'
import { type Answer, BUSY, failure, isAnswer, prepareRoutes, send } from './inbox-answer.ts'
import { isMessageId, type ListRequest, MAX_LIMIT, readListQuery, readSelection } from './inbox-requests.ts'
import { viewHeaders } from './message-view.ts'
import { openOutgoing } from './outgoing.ts'
import { partHeaders } from './part-headers.ts'
import { PREVIEW_HEADERS } from './preview-page.ts'
import { searchWait } from './search-wait.ts'
import { openTurns } from './turns.ts'

/** The inbox over HTTP, with the routes, names and shapes of Mailpit's API, so that what was written for it works.
 *  In: requests that the door let pass. Out: JSON, or `{"Error": "…"}` with a 4xx that says what would be right.
 *  Promise: nothing that came by mail is ever a live document, a script or a style of this origin. What the requests of
 *  many cost together is bounded; past it the answer is 503, and for a client that has gone nothing is done any more.
 *  Beyond Mailpit: `wait=<milliseconds>` on a search and on `latest` answers as soon as a message matches, and
 *  `/message/{ID}/preview` is a message as a page for a frame. */
export interface InboxApiOptions {
  readonly version?: string
  /** Requests that wait for mail at once; one more is answered 503. */
  readonly maxWaiters?: number
  /** Searches and lists that wait for their turn; one more is answered 503. By default all who wait for mail may, since
   *  one message can wake them all, and as many others. */
  readonly maxQueued?: number
  /** Octets of answers that are being sent. */
  readonly maxOutgoing?: number
  /** Hears of bugs and broken machines. By default they are told on stderr. */
  readonly onError?: (error: unknown) => void
}

interface Found extends SearchResult {
  readonly all: InboxCounts
}

interface MessageRoute {
  readonly Params: { readonly id: string; readonly partId?: string }
}

/** Each reads through the whole inbox, in steps. */
const SEARCHES_AT_ONCE = 2
/** Each is in memory whole, also for a client that goes while it is read. */
const SOURCES = { atOnce: 2, waiting: 100 }
const NO_QUERY = 'Error: no search query'
const OK: Answer = { status: 200, headers: { 'content-type': 'text/plain' }, body: 'ok' }
const NO_MESSAGE = failure(404, 'Message not found')

export function inboxApi(inbox: Inbox, options: InboxApiOptions = {}): FastifyPluginAsync {
  const { version = '', maxWaiters = 100, maxQueued = 2 * maxWaiters, maxOutgoing, onError = tell } = options
  const waiting = searchWait(inbox, maxWaiters)
  const searches = openTurns({ atOnce: SEARCHES_AT_ONCE, waiting: maxQueued })
  const sources = openTurns(SOURCES)
  const outgoing = openOutgoing(maxOutgoing === undefined ? {} : { limit: maxOutgoing })
  const closing = new AbortController()
  const startedAt = Date.now()

  /** What matches, and how much there is: in one turn, so that no answer waits in memory for another turn. */
  async function find({ query, range, waitMs }: ListRequest, gone: AbortSignal): Promise<Found | Answer> {
    if (query === undefined) return failure(400, NO_QUERY)
    const look = () =>
      searches.take(async () => {
        const found = await inbox.search(query, range, gone)
        return { ...found, all: await inbox.counts() }
      }, gone)
    const until = () => AbortSignal.any([AbortSignal.timeout(waitMs), gone, closing.signal])
    const found = await (waitMs === 0 ? look() : waiting.search(query, look, until()))
    return found === 'busy' ? BUSY : found
  }

  /** The id that the path names. `latest` is the newest message, or the newest that matches `query`. */
  async function idOf(request: FastifyRequest<MessageRoute>): Promise<string | Answer> {
    const { id } = request.params
    if (id !== 'latest') return isMessageId(id) ? id : NO_MESSAGE
    const asked = readListQuery(request.query)
    if ('invalid' in asked) return failure(400, asked.invalid)
    const one = { start: 0, limit: 1 }
    const found = asked.query
      ? await find({ ...asked, range: one }, request.signal)
      : { messages: await inbox.list(one) }
    if (isAnswer(found)) return found
    return found.messages[0]?.ID ?? NO_MESSAGE
  }

  async function list(request: FastifyRequest): Promise<Answer> {
    const asked = readListQuery(request.query)
    if ('invalid' in asked) return failure(400, asked.invalid)
    const { start, limit } = asked.range
    const { signal } = request
    // Mailpit takes 0 for no limit here, and for none at all in a search.
    const range = { start, limit: limit || MAX_LIMIT }
    const found = await searches.take(async () => {
      const messages = await inbox.list(range, signal)
      const all = await inbox.counts()
      return { messages, count: all.total, unread: all.unread, all }
    }, signal)
    return found === 'busy' ? BUSY : listing(start, found)
  }

  async function search(request: FastifyRequest): Promise<Answer> {
    const asked = readListQuery(request.query)
    if ('invalid' in asked) return failure(400, asked.invalid)
    const found = await find(asked, request.signal)
    return isAnswer(found) ? found : listing(asked.range.start, found)
  }

  async function deleteMatches(request: FastifyRequest): Promise<Answer> {
    const asked = readListQuery(request.query)
    if ('invalid' in asked) return failure(400, asked.invalid)
    if (asked.query === undefined) return failure(400, NO_QUERY)
    const which = { query: asked.query }
    return changed(() => inbox.delete(which))
  }

  async function markRead(request: FastifyRequest): Promise<Answer> {
    const asked = readSelection('mark', request.body)
    if ('invalid' in asked) return failure(400, asked.invalid)
    return changed(() => inbox.markRead(asked.which, asked.read))
  }

  async function deleteSome(request: FastifyRequest): Promise<Answer> {
    const asked = readSelection('delete', request.body)
    if ('invalid' in asked) return failure(400, asked.invalid)
    return changed(() => inbox.delete(asked.which))
  }

  /** A change is made in full even for a client that does not wait for its answer. */
  async function changed(change: () => Promise<void>): Promise<Answer> {
    return (await searches.take(change)) === 'busy' ? BUSY : OK
  }

  async function message(id: string, { signal }: FastifyRequest<MessageRoute>): Promise<Answer> {
    const body = await inbox.open(id, signal)
    if (body === 'busy') return BUSY
    return body ? { status: 200, body } : NO_MESSAGE
  }

  /** The source of a message, read once there is room for it. */
  async function source(id: string, reply: FastifyReply): Promise<Buffer | Answer> {
    const summary = await inbox.summary(id)
    if (summary === undefined) return NO_MESSAGE
    const found = await sources.take(async () => {
      if (!outgoing.take(reply.raw, summary.Size)) return BUSY
      return (await inbox.raw(id)) ?? NO_MESSAGE
    }, reply.request.signal)
    return found === 'busy' ? BUSY : found
  }

  async function headers(id: string, _: FastifyRequest, reply: FastifyReply): Promise<Answer> {
    const raw = await source(id, reply)
    return isAnswer(raw) ? raw : { status: 200, body: viewHeaders(raw) }
  }

  async function raw(
    id: string,
    request: FastifyRequest<MessageRoute>,
    reply: FastifyReply,
  ): Promise<Answer> {
    const asked = readListQuery(request.query)
    if ('invalid' in asked) return failure(400, asked.invalid)
    const body = await source(id, reply)
    if (isAnswer(body)) return body
    const disposition = asked.download && { 'content-disposition': `attachment; filename="${id}.eml"` }
    return { status: 200, headers: { 'content-type': 'text/plain; charset=utf-8', ...disposition }, body }
  }

  async function preview(id: string, { signal }: FastifyRequest<MessageRoute>): Promise<Answer> {
    const found = await inbox.preview(id, signal)
    if (found === 'busy') return BUSY
    if (found === undefined) return NO_MESSAGE
    if ('unreadable' in found) return failure(422, found.unreadable)
    return { status: 200, headers: { ...PREVIEW_HEADERS }, body: found.page }
  }

  async function part(id: string, { params, signal }: FastifyRequest<MessageRoute>): Promise<Answer> {
    const found = await inbox.part(id, params.partId ?? '', signal)
    if (found === 'busy') return BUSY
    if (found === undefined) return failure(404, 'Part not found')
    if ('unreadable' in found) return failure(422, found.unreadable)
    return {
      status: 200,
      headers: partHeaders(found),
      body: Buffer.from(found.content.buffer, found.content.byteOffset, found.content.byteLength),
    }
  }

  async function about(): Promise<Answer> {
    const all = await searches.take(() => inbox.counts())
    return all === 'busy' ? BUSY : info(inbox, all, version, startedAt)
  }

  return async (api) => {
    prepareRoutes(api, outgoing, onError)
    api.addHook('preClose', async () => closing.abort())
    // A server that closes ends the connections that are idle then; these become idle later.
    api.addHook('onSend', async (_, reply) => {
      if (closing.signal.aborted) reply.header('connection', 'close')
    })
    const answered =
      (answer: (request: FastifyRequest) => Promise<Answer>) =>
      async (request: FastifyRequest, reply: FastifyReply) =>
        send(reply, await answer(request), outgoing)
    api.get('/info', answered(about))
    api.get('/messages', answered(list))
    api.put('/messages', answered(markRead))
    api.delete('/messages', answered(deleteSome))
    api.get('/search', answered(search))
    api.delete('/search', answered(deleteMatches))
    const routes = {
      '': message,
      '/headers': headers,
      '/raw': raw,
      '/preview': preview,
      '/part/:partId': part,
    }
    for (const [path, answer] of Object.entries(routes))
      api.get<MessageRoute>(`/message/:id${path}`, async (request, reply) => {
        const id = await idOf(request)
        return send(reply, isAnswer(id) ? id : await answer(id, request, reply), outgoing)
      })
  }
}

function tell(error: unknown): void {
  process.stderr.write(`inbox: a request failed: ${error instanceof Error ? error.stack : String(error)}\n`)
}

/** Mailpit's `MessagesSummary`; `count` is its old name for the length of the list. */
function listing(start: number, { messages, count, unread, all }: Found): Answer {
  const body = {
    total: all.total,
    unread: all.unread,
    count: messages.length,
    messages_count: count,
    messages_unread: unread,
    start,
    tags: [],
    messages,
  }
  return { status: 200, body }
}

/** Mailpit's `AppInformation`. It tells no path of this machine, and no newer version is looked up. */
function info(
  inbox: Inbox,
  { total, unread, bytes }: InboxCounts,
  version: string,
  startedAt: number,
): Answer {
  const { accepted, acceptedBytes, refused, deleted } = inbox.activity
  const body = {
    Version: version,
    LatestVersion: 'disabled',
    Database: '',
    DatabaseSize: bytes,
    Messages: total,
    Unread: unread,
    Tags: {},
    RuntimeStats: {
      Uptime: Math.floor((Date.now() - startedAt) / 1000),
      Memory: process.memoryUsage.rss(),
      MessagesDeleted: deleted,
      SMTPAccepted: accepted,
      SMTPAcceptedSize: acceptedBytes,
      SMTPRejected: refused,
      SMTPIgnored: 0,
    },
  }
  return { status: 200, body }
}
