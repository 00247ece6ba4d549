import { Agent, type IncomingMessage, request } from 'node:http'
import { pipeline, Readable } from 'node:stream'
import type { WorkerRequest, WorkerResponse } from './host-services.ts'

export interface SocketRequest extends Omit<WorkerRequest, 'body'> {
  readonly socketPath: string
  readonly body?: Uint8Array | AsyncIterable<Uint8Array>
}

/** It keeps no connection, and one for all costs less than one each. */
const agent = new Agent({ keepAlive: false })

/** One request to workerd over a connection of its own: workerd closes the connection of a request whose body nobody
 *  read, and the next one on it would fail. Rejects where the connection breaks before there is an answer. */
export async function askWorker({
  socketPath,
  method,
  url,
  headers,
  body,
  signal,
}: SocketRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, method, path: url, agent, setHost: false, signal })
    // Told to close, workerd would do so with the last octets of a body still on their way, and the answer might be lost.
    asked.setHeader('connection', 'keep-alive')
    for (const [name, values] of grouped(headers)) asked.setHeader(name, values)
    asked.once('response', resolve)
    asked.on('error', reject)
    if (body === undefined) asked.end()
    else if (body instanceof Uint8Array) asked.end(body)
    // What is not read when the answer comes is not sent on; that is no error of the request.
    else pipeline(Readable.from(body), asked, () => undefined)
  })
}

/** The same for a customer's `fetch()`: hop-by-hop headers and ours stay behind. */
export async function fetchFrom(
  socketPath: string,
  given: WorkerRequest,
  entrypoint: string | undefined,
): Promise<WorkerResponse> {
  const passed = given.headers.filter(([name]) => !STAYS.test(name) && name.toLowerCase() !== 'host')
  const host: [string, string] = ['host', new URL(given.url).host]
  const own: [string, string][] = entrypoint === undefined ? [] : [['x-posthorn-entrypoint', entrypoint]]
  const hasBody = given.headers.some(([name]) => /^(content-length|transfer-encoding)$/i.test(name))
  const { body, ...bare } = given
  const response = await askWorker({
    ...bare,
    ...(body && hasBody && { body }),
    socketPath,
    headers: [host, ...passed, ...own],
  })
  return {
    status: response.statusCode ?? 500,
    statusText: response.statusMessage ?? '',
    headers: headerPairs(response.rawHeaders).filter(([name]) => !STAYS.test(name)),
    body: response,
  }
}

/** RFC 9110 §7.6.1, and what the host says to its own code. */
const STAYS = /^(connection|keep-alive|proxy-connection|te|trailer|transfer-encoding|upgrade|x-posthorn-.*)$/i

/** Of Node's flat list. */
export function headerPairs(raw: readonly string[]): readonly (readonly [string, string])[] {
  const pairs: [string, string][] = []
  for (let at = 0; at + 1 < raw.length; at += 2) pairs.push([raw[at] ?? '', raw[at + 1] ?? ''])
  return pairs
}

function grouped(headers: WorkerRequest['headers']): Map<string, string[]> {
  const groups = new Map<string, string[]>()
  for (const [name, value] of headers) {
    const key = name.toLowerCase()
    const group = groups.get(key)
    if (group) group.push(value)
    else groups.set(key, [value])
  }
  return groups
}
