import type { Envelope } from '#contract/envelope.ts'
import type { ResultInfo } from '#contract/paging.ts'
import { csrfToken, renewCsrfToken } from './csrf-token.ts'
import { Problem } from './problem.ts'
import { noteAnswer } from './reachable.ts'

export interface Asking {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Sent as JSON; a FormData or Blob as it is. */
  readonly body?: unknown
  readonly signal?: AbortSignal
}

export interface Answered<R> {
  readonly result: R
  readonly info: ResultInfo | undefined
}

/** Asks the instance, as the person who is signed in. `path` is the whole of it: `/client/v4/zones?name=x`. Throws a
 *  `Problem` when refused or unanswered. */
export async function askWhole<R>(path: string, asking: Asking = {}): Promise<Answered<R>> {
  const response = await request(path, asking)
  const envelope = await readEnvelope<R>(response)
  if (!response.ok || !envelope?.success) {
    throw new Problem(response.status, envelope?.errors ?? [], `The server answered ${response.status}.`)
  }
  return { result: envelope.result as R, info: envelope.result_info }
}

export async function ask<R>(path: string, asking: Asking = {}): Promise<R> {
  return (await askWhole<R>(path, asking)).result
}

/** What answers with its own shape in place of the envelope: the inbox. */
export async function askPlain<R>(path: string, asking: Asking = {}): Promise<R> {
  const response = await request(path, asking)
  if (!response.ok) {
    const said = (await response.json().catch(() => ({}))) as { readonly Error?: string }
    throw new Problem(response.status, [], said.Error ?? `The server answered ${response.status}.`)
  }
  const text = await response.text()
  return (response.headers.get('content-type')?.includes('json') ? JSON.parse(text) : text) as R
}

/** `/client/v4/accounts/<id>` and what is below it; each part is escaped. */
export function accountPath(accountId: string, ...parts: readonly string[]): string {
  return ['/client/v4/accounts', accountId, ...parts].map(escaped).join('/')
}

export function zonePath(zoneId: string, ...parts: readonly string[]): string {
  return ['/client/v4/zones', zoneId, ...parts].map(escaped).join('/')
}

/** `path` with those parameters that have a value. */
export function withQuery(
  path: string,
  query: Readonly<Record<string, string | number | boolean | undefined>>,
): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== '') search.set(name, String(value))
  }
  return search.size === 0 ? path : `${path}?${search}`
}

// A part may be a path itself: its slashes stay.
function escaped(part: string): string {
  return part.split('/').map(encodeURIComponent).join('/')
}

/** The request alone, for what answers in a shape of its own. */
export async function request(path: string, asking: Asking = {}): Promise<Response> {
  const response = await fetched(path, asking)
  const isForged = response.status === 403 && asking.method !== undefined && asking.method !== 'GET'
  return isForged && (await renewCsrfToken().catch(() => false)) ? fetched(path, asking) : response
}

async function fetched(path: string, { method = 'GET', body, signal }: Asking): Promise<Response> {
  const isRaw = body instanceof FormData || body instanceof Blob
  const headers = new Headers({ accept: 'application/json' })
  if (method !== 'GET') headers.set('x-csrf-token', csrfToken())
  if (body !== undefined && !isRaw) headers.set('content-type', 'application/json')
  try {
    const response = await fetch(path, {
      method,
      headers,
      credentials: 'same-origin',
      ...(body !== undefined && { body: isRaw ? body : JSON.stringify(body) }),
      ...(signal && { signal }),
    })
    noteAnswer(true)
    return response
  } catch (error) {
    if (signal?.aborted) throw error
    noteAnswer(false)
    throw new Problem(0, [], 'The server did not answer. Is it running?')
  }
}

async function readEnvelope<R>(
  response: Response,
): Promise<(Envelope<R> & { readonly result_info?: ResultInfo }) | undefined> {
  try {
    return (await response.json()) as Envelope<R> & { readonly result_info?: ResultInfo }
  } catch {
    return undefined
  }
}
