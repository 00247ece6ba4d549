import type { FastifyInstance, FastifyReply } from 'fastify'
import { StoreFull } from '#store/store.ts'
import type { Outgoing } from './outgoing.ts'

/** What a route answers; `body` is sent as JSON unless it is text or octets. */
export interface Answer {
  readonly status: number
  readonly headers?: Record<string, string>
  readonly body: unknown
}

export const BUSY: Answer = {
  ...failure(503, 'Too much is asked of the inbox at once; try again in a second.'),
  headers: { 'retry-after': '1' },
}

const BODY_LIMIT = 1024 * 1024
/** For nobody: nginx's status of a client that closed its request. */
const GONE = failure(499, 'The client has gone.')
const FAILED = failure(500, 'The inbox failed; the log of the server says why.')

export function failure(status: number, Error: string): Answer {
  return { status, body: { Error } }
}

export function isAnswer(value: unknown): value is Answer {
  return typeof value === 'object' && value !== null && 'status' in value
}

/** Where there is no room for the answer among those that are being sent, the client is asked to come back. */
export function send(reply: FastifyReply, answer: Answer, outgoing: Outgoing): FastifyReply {
  const { status, headers, body } = answer
  const isText = typeof body === 'string' || Buffer.isBuffer(body)
  const payload = isText ? body : JSON.stringify(body)
  if (!outgoing.take(reply.raw, Buffer.byteLength(payload))) return send(reply, BUSY, outgoing)
  if (!isText) reply.type('application/json; charset=utf-8')
  return reply
    .code(status)
    .headers(headers ?? {})
    .send(payload)
}

/** What holds for every route: who may ask, how bodies are read, what browsers may do with an answer, how failures look.
 *  `onError` hears of bugs and broken machines, which are answered 500. */
export function prepareRoutes(
  api: FastifyInstance,
  outgoing: Outgoing,
  onError: (error: unknown) => void,
): void {
  api.removeAllContentTypeParsers()
  api.addContentTypeParser('*', { parseAs: 'string', bodyLimit: BODY_LIMIT }, (_, body, done) =>
    done(null, body),
  )
  api.addHook('onRequest', async (request, reply) => {
    // From here on it tells of a client that goes: it is made when it is first asked for.
    void request.signal
    reply.headers({
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; sandbox",
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    })
    // An <img> of any page can send a GET, which may mark mail as read or keep others from waiting for theirs.
    const site = request.headers['sec-fetch-site']
    if (site === undefined || site === 'same-origin' || site === 'none') return undefined
    const reason = `Sec-Fetch-Site is ${JSON.stringify(site)}; only this server's own pages may ask the inbox.`
    return send(reply, failure(403, reason), outgoing)
  })
  api.setNotFoundHandler((request, reply) =>
    send(reply, failure(404, `There is no ${request.method} ${request.url.split('?')[0]}.`), outgoing),
  )
  api.setErrorHandler((error, request, reply) => {
    if (request.signal.aborted && error === request.signal.reason) return send(reply, GONE, outgoing)
    if (error instanceof StoreFull) return send(reply, failure(507, 'The disk is full.'), outgoing)
    const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500
    if (status >= 400 && status < 500 && error instanceof Error)
      return send(reply, failure(status, error.message), outgoing)
    onError(error)
    return send(reply, FAILED, outgoing)
  })
}
