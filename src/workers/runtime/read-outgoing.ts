import { checkJsonShape } from '#protocol/json-shape.ts'
import { answerJson, type HostRequest } from './host-door.ts'
import type { HostError, OutgoingMessage } from './host-services.ts'
import { parsed, record } from './worker-trace.ts'

/** A message that a Worker sends, as `inside/encode-message.js` writes it. Undefined where it was answered already. */
export async function readOutgoing(asked: HostRequest, limit: number): Promise<OutgoingMessage | undefined> {
  const body = await asked.body(limit)
  if (!body) return undefined
  const envelope = asked.request.headers['x-posthorn-envelope']
  if (envelope === undefined) {
    // Before anything is built from it: what is small in the Worker's memory may be gigabytes of objects in ours.
    if (!checkJsonShape(body)) return { kind: 'builder', fields: parsed(body.toString()) }
    answerJson(asked.response, TOO_MANY_VALUES)
    return undefined
  }
  const { from, to } = record(parsed(fromBase64(envelope))) ?? {}
  return { kind: 'raw', from, to, raw: body }
}

const TOO_MANY_VALUES: HostError = {
  code: 'E_VALIDATION_ERROR',
  message: 'The message has far more values, or is nested deeper, than any message needs.',
}

export function fromBase64(header: string | readonly string[] | undefined): string {
  return typeof header === 'string' ? Buffer.from(header, 'base64').toString() : ''
}
