import { fetchAtHost } from './fetch-at-host.ts'
import type { Served } from './routing-instance.ts'

export interface WorkerAnswer {
  readonly status: number
  readonly contentType: string | undefined
  readonly text: string
}

/** Of the host name that a deploy printed: `wrangler` prints no ports. */
export function workerUrl({ dev }: Served, host: string): string {
  return `http://${host}:${dev.workers.port}`
}

/** Asks a Worker with whatever `fetch()` takes for a body. */
export async function fetchWorker(url: string, init: RequestInit = {}): Promise<WorkerAnswer> {
  const wanted = new Request(url, init)
  const { status, headers, text } = await fetchAtHost(Number(new URL(url).port), url, {
    method: wanted.method,
    headers: Object.fromEntries(wanted.headers),
    ...(wanted.body !== null && { body: new Uint8Array(await wanted.arrayBuffer()) }),
  })
  return { status, contentType: headers['content-type'], text }
}

/** With JSON, and its answer read as such. */
export async function postJson(
  url: string,
  body: unknown,
): Promise<{ readonly status: number; readonly body: unknown }> {
  const { status, text } = await fetchWorker(url, {
    ...{ method: 'POST', headers: { 'content-type': 'application/json' } },
    body: JSON.stringify(body),
  })
  return { status, body: JSON.parse(text) }
}
