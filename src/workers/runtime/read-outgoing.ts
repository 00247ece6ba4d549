import type { HostRequest } from './host-door.ts'
import type { OutgoingMessage } from './host-services.ts'
import { parsed, record } from './worker-trace.ts'

/** A message that a Worker sends, as `inside/encode-message.js` writes it. Undefined where it was answered already. */
export async function readOutgoing(asked: HostRequest, limit: number): Promise<OutgoingMessage | undefined> {
  const body = await asked.body(limit)
  if (!body) return undefined
  const envelope = asked.request.headers['x-posthorn-envelope']
  if (envelope === undefined) return { kind: 'builder', fields: parsed(body.toString()) }
  const { from, to } = record(parsed(fromBase64(envelope))) ?? {}
  return { kind: 'raw', from, to, raw: body }
}

export function fromBase64(header: string | readonly string[] | undefined): string {
  return typeof header === 'string' ? Buffer.from(header, 'base64').toString() : ''
}
