import type { SessionBody } from '#contract/session.ts'
import type { Instance } from './instance.ts'

/** What a browser at the dashboard does, as far as the server can tell: it keeps the cookie, and says where it comes
 *  from and what token it was given. */
export interface Browser {
  readonly cookie: () => string | undefined
  readonly session: () => SessionBody
  /** `result` is as the contract of the route says. */
  ask<R = unknown>(method: string, path: string, options?: AskOptions): Promise<BrowserAnswer<R>>
  /** The answers that set the cookie are kept as this browser's session. */
  signIn(email: string, password: string): Promise<BrowserAnswer<SessionBody>>
}

export interface AskOptions {
  readonly body?: unknown
  /** In place of what it would say by itself; undefined: it says nothing. */
  readonly headers?: Readonly<Record<string, string | undefined>>
}

export interface BrowserAnswer<R> {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly result: R
  readonly error: { readonly code: number; readonly detail: string; readonly pointer: string | undefined }
}

/** At the instance's own address, or at another that leads to it. */
export function openBrowser({ dev }: Pick<Instance, 'dev'>, userAgent = 'Test browser'): Browser {
  let cookie: string | undefined
  let session: SessionBody | undefined

  async function ask<R>(method: string, path: string, { body, headers = {} }: AskOptions = {}) {
    const own: Record<string, string | undefined> = {
      'user-agent': userAgent,
      cookie,
      ...(method !== 'GET' && { origin: dev.dashboard, 'x-csrf-token': session?.csrf_token ?? undefined }),
      ...headers,
    }
    const said = Object.entries(own).filter((pair): pair is [string, string] => pair[1] !== undefined)
    const response = await fetch(`${dev.dashboard}${path}`, {
      method,
      headers: said,
      redirect: 'manual',
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.startsWith('application/json') === true
    const envelope = isJson ? JSON.parse(text) : {}
    const answer: BrowserAnswer<R> = {
      ...{ status: response.status, headers: response.headers, text, result: envelope.result },
      error: {
        code: envelope.errors?.[0]?.code,
        detail: envelope.errors?.[0]?.error_chain?.[0]?.message,
        pointer: envelope.errors?.[0]?.source?.pointer,
      },
    }
    const [set] = response.headers.getSetCookie()
    if (set !== undefined && response.ok) {
      cookie = set.includes('Max-Age=0') ? undefined : set.split(';', 1)[0]
      if (path.startsWith('/session/v1') && 'csrf_token' in Object(envelope.result)) session = envelope.result
    }
    return answer
  }

  return {
    cookie: () => cookie,
    session() {
      if (!session) throw new Error('nobody has signed in')
      return session
    },
    ask,
    signIn: (email, password) =>
      ask<SessionBody>('POST', '/session/v1/sign-in', { body: { email, password } }),
  }
}

/** Signed in by one click. */
export async function developmentBrowser(instance: Pick<Instance, 'dev'>): Promise<Browser> {
  const browser = openBrowser(instance)
  const answer = await browser.ask('POST', '/session/v1/sign-in/development', { body: {} })
  if (answer.status !== 200) throw new Error(answer.text)
  return browser
}
