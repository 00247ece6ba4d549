import type { FastifyInstance } from 'fastify'
import { DOOR } from './refusal-answers.ts'
import { READ_MS, whenOut } from './when-out.ts'

/** Of answers that wait to be read, all together. */
const MOST_BYTES = 256 * 1_048_576
/** Shorter ones lie with the system, in the buffer of their socket. */
const LEAST_BYTES = 65_536

/** Lists and messages may be some megabytes long, and whoever asks for one after the other and reads none must not fill the memory
 *  with them. What was only read may be refused at the last moment; files are sent page by page, and have places of their
 *  own (`export-places.ts`). */
export function limitUnread(app: FastifyInstance, { most = MOST_BYTES, readMs = READ_MS } = {}): void {
  let waiting = 0
  app.addHook('onSend', async (request, reply, payload) => {
    const bytes = request.method === 'GET' ? bytesOf(payload) : 0
    if (bytes < LEAST_BYTES) return payload
    if (waiting + bytes > most) {
      reply.code(DOOR.overloaded[0]).type('application/json; charset=utf-8').header('retry-after', '5')
      reply.removeHeader('content-length')
      return UNREAD
    }
    waiting += bytes
    whenOut(reply, readMs, () => {
      waiting -= bytes
    })
    return payload
  })
}

/** Of what is whole in memory. */
function bytesOf(payload: unknown): number {
  if (typeof payload === 'string') return Buffer.byteLength(payload)
  return payload instanceof Uint8Array ? payload.byteLength : 0
}

const [, code, message] = DOOR.overloaded
const UNREAD = JSON.stringify({
  success: false,
  errors: [
    { code, message, error_chain: [{ code, message: 'Too many answers wait to be read; try again.' }] },
  ],
  messages: [],
  result: null,
})
