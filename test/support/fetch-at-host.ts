import { once } from 'node:events'
import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http'
import { buffer } from 'node:stream/consumers'

/** What a client would see of a name that leads to this machine. */
export interface HostAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  readonly text: string
}

export interface HostRequest {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}

/** One HTTP request to a port of this machine for any host name: not every system resolves names below `localhost`, and
 *  Node's own `fetch()` sets Host by itself. */
export async function fetchAtHost(
  port: number,
  url: string,
  { method, headers = {}, body }: HostRequest = {},
): Promise<HostAnswer> {
  const { host, pathname, search } = new URL(url)
  const asked = request({
    ...{ host: '127.0.0.1', port, agent: false, path: pathname + search },
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: { ...headers, host, ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }) },
  })
  const answered: Promise<IncomingMessage[]> = once(asked, 'response')
  asked.end(body)
  const [response] = await answered
  if (!response) throw new Error('an event without what it tells of')
  const octets = await buffer(response)
  const { statusCode: status = 0, headers: given } = response
  return { status, headers: given, body: octets, text: octets.toString() }
}
