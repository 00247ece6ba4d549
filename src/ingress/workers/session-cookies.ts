import { SESSION_COOKIE_NAME } from '#model/session-cookie-name.ts'

const OURS: ReadonlySet<string> = new Set(Object.values(SESSION_COOKIE_NAME))

/** The value of a header `cookie` without the sessions of the dashboard, which a browser sends to every port of its host
 *  name: a Worker would be the person who is signed in. Undefined where nothing is left. */
export function withoutSessions(cookie: string): string | undefined {
  const left = cookie.split(';').filter((pair) => !OURS.has((pair.split('=', 1)[0] ?? '').trim()))
  return left.join(';').trim() || undefined
}

// RFC 6265bis §5.6: a cookie without a name comes back as its value alone, which may read like one that has ours.
const PLANTED = new RegExp(`^[\\s=]*(?:${[...OURS].join('|')})\\s*=`, 'i')

/** Whether a header `set-cookie` would sign its visitors in to the dashboard, or out of it. */
export function plantsSession(name: string, value: string): boolean {
  return name.toLowerCase() === 'set-cookie' && PLANTED.test(value)
}
