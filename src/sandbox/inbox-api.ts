import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { StoreFull } from '#store/store.ts'
import type { Inbox, SearchResult } from './inbox.ts'
import { isMessageId, type ListRequest, readListQuery, readSelection } from './inbox-requests.ts'
import { viewHeaders } from './message-view.ts'
import { partHeaders } from './part-headers.ts'
import { searchWait } from './search-wait.ts'

/** The inbox over HTTP, with the routes, names and shapes of Mailpit's API, so that what was written for it works.
 *  In: requests that the door let pass. Out: JSON, or `{"Error": "…"}` with a 4xx that says what would be right.
 *  Promise: nothing that came by mail is ever a live document, a script or a style of this origin.
 *  Beyond Mailpit: `wait=<milliseconds>` on a search and on `latest` answers as soon as a message matches. */
export interface InboxApiOptions {
  readonly version?: string
  /** Requests that wait at once; one more is answered 503. */
  readonly maxWaiters?: number
}

/** What a route answers; `body` is sent as JSON unless it is text or octets. */
interface Answer {
  readonly status: number
  readonly headers?: Record<string, string>
  readonly body: unknown
}

interface MessageRoute {
  readonly Params: { readonly id: string; readonly partId?: string }
}

const BODY_LIMIT = 1024 * 1024
const NO_QUERY = 'Error: no search query'
const OK: Answer = { status: 200, headers: { 'content-type': 'text/plain' }, body: 'ok' }
const NO_MESSAGE = failure(404, 'Message not found')

export function inboxApi(inbox: Inbox, options: InboxApiOptions = {}): FastifyPluginAsync {
  const { version = '', maxWaiters = 100 } = options
  const waiting = searchWait(inbox, maxWaiters)
  const closing = new AbortController()
  const startedAt = Date.now()

  async function find(
    { query, range, waitMs }: ListRequest,
    gone: AbortSignal,
  ): Promise<SearchResult | Answer> {
    if (query === undefined) return failure(400, NO_QUERY)
    if (waitMs === 0) return inbox.search(query, range)
    const signal = AbortSignal.any([AbortSignal.timeout(waitMs), gone, closing.signal])
    const found = await waiting.search(query, range, signal)
    return found === 'busy' ? failure(503, `${maxWaiters} requests are waiting for mail already.`) : found
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
    // Mailpit takes 0 for no limit here, and for none at all in a search.
    const messages = await inbox.list({ start, limit: limit || Number.MAX_SAFE_INTEGER })
    const { total, unread } = await inbox.counts()
    return listing(start, { messages, count: total, unread }, { total, unread })
  }

  async function search(request: FastifyRequest): Promise<Answer> {
    const asked = readListQuery(request.query)
    if ('invalid' in asked) return failure(400, asked.invalid)
    const found = await find(asked, request.signal)
    return isAnswer(found) ? found : listing(asked.range.start, found, await inbox.counts())
  }

  async function deleteMatches(request: FastifyRequest): Promise<Answer> {
    const asked = readListQuery(request.query)
    if ('invalid' in asked) return failure(400, asked.invalid)
    if (asked.query === undefined) return failure(400, NO_QUERY)
    await inbox.delete({ query: asked.query })
    return OK
  }

  async function markRead(request: FastifyRequest): Promise<Answer> {
    const asked = readSelection(request.body)
    if ('invalid' in asked) return failure(400, asked.invalid)
    await inbox.markRead(asked.which, asked.read)
    return OK
  }

  async function deleteSome(request: FastifyRequest): Promise<Answer> {
    const asked = readSelection(request.body)
    if ('invalid' in asked) return failure(400, asked.invalid)
    await inbox.delete(asked.which)
    return OK
  }

  async function message(id: string): Promise<Answer> {
    const body = await inbox.open(id)
    return body ? { status: 200, body } : NO_MESSAGE
  }

  async function headers(id: string): Promise<Answer> {
    const raw = await inbox.raw(id)
    return raw ? { status: 200, body: viewHeaders(raw) } : NO_MESSAGE
  }

  async function raw(id: string, request: FastifyRequest<MessageRoute>): Promise<Answer> {
    const asked = readListQuery(request.query)
    if ('invalid' in asked) return failure(400, asked.invalid)
    const body = await inbox.raw(id)
    if (body === undefined) return NO_MESSAGE
    const disposition = asked.download && { 'content-disposition': `attachment; filename="${id}.eml"` }
    return { status: 200, headers: { 'content-type': 'text/plain; charset=utf-8', ...disposition }, body }
  }

  async function part(id: string, { params }: FastifyRequest<MessageRoute>): Promise<Answer> {
    const found = await inbox.part(id, params.partId ?? '')
    if (found === undefined) return failure(404, 'Part not found')
    if ('unreadable' in found) return failure(422, found.unreadable)
    return {
      status: 200,
      headers: partHeaders(found),
      body: Buffer.from(found.content.buffer, found.content.byteOffset, found.content.byteLength),
    }
  }

  const ofMessage =
    (answer: (id: string, request: FastifyRequest<MessageRoute>) => Promise<Answer>) =>
    async (request: FastifyRequest<MessageRoute>): Promise<Answer> => {
      const id = await idOf(request)
      return isAnswer(id) ? id : answer(id, request)
    }

  return async (api) => {
    prepare(api)
    api.addHook('preClose', async () => closing.abort())
    // A server that closes ends the connections that are idle then; these become idle later.
    api.addHook('onSend', async (_, reply) => {
      if (closing.signal.aborted) reply.header('connection', 'close')
    })
    api.get('/info', async (_, reply) => send(reply, await info(inbox, version, startedAt)))
    api.get('/messages', async (request, reply) => send(reply, await list(request)))
    api.put('/messages', async (request, reply) => send(reply, await markRead(request)))
    api.delete('/messages', async (request, reply) => send(reply, await deleteSome(request)))
    api.get('/search', async (request, reply) => send(reply, await search(request)))
    api.delete('/search', async (request, reply) => send(reply, await deleteMatches(request)))
    const routes = { '': message, '/headers': headers, '/raw': raw, '/part/:partId': part }
    for (const [path, answer] of Object.entries(routes))
      api.get<MessageRoute>(`/message/:id${path}`, async (request, reply) =>
        send(reply, await ofMessage(answer)(request)),
      )
  }
}

/** What holds for every route: how bodies are read, what browsers may do with an answer, how failures look. */
function prepare(api: FastifyInstance): void {
  api.removeAllContentTypeParsers()
  api.addContentTypeParser('*', { parseAs: 'string', bodyLimit: BODY_LIMIT }, (_, body, done) =>
    done(null, body),
  )
  api.addHook('onRequest', async (_, reply) => {
    reply.headers({
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; sandbox",
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    })
  })
  api.setNotFoundHandler((request, reply) =>
    send(reply, failure(404, `There is no ${request.method} ${request.url.split('?')[0]}.`)),
  )
  api.setErrorHandler((error, _, reply) => {
    if (error instanceof StoreFull) return send(reply, failure(507, 'The disk is full.'))
    const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500
    if (status >= 400 && status < 500 && error instanceof Error)
      return send(reply, failure(status, error.message))
    // A bug or a broken machine: the door above tells of it.
    throw error
  })
}

function send(reply: FastifyReply, { status, headers = {}, body }: Answer): FastifyReply {
  return reply.code(status).headers(headers).send(body)
}

function failure(status: number, Error: string): Answer {
  return { status, body: { Error } }
}

function isAnswer(value: unknown): value is Answer {
  return typeof value === 'object' && value !== null && 'status' in value
}

/** Mailpit's `MessagesSummary`; `count` is its old name for the length of the list. */
function listing(
  start: number,
  found: SearchResult,
  all: { readonly total: number; readonly unread: number },
): Answer {
  const { messages, count, unread } = found
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
async function info(inbox: Inbox, version: string, startedAt: number): Promise<Answer> {
  const { total, unread, bytes } = await inbox.counts()
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
