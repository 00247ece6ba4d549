/** Which requests are a Worker's: `example.com/api/*`, `*.example.com/*`. */
export interface RoutePattern {
  /** In lower case, without what the `*` before it stands for. */
  readonly host: string
  /** `*.`: every name below; `*`: every name that ends so, the host itself included. */
  readonly before: '' | '*' | '*.'
  readonly path: string
  /** Whether anything may follow. */
  readonly open: boolean
}

const LONGEST = 512
const HOST = /^(\*\.?)?((?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9-]{2,63})$/

/** `*` may stand at the beginning of the host and at the end of the path, and nowhere else, as with the original. Out:
 *  what is wrong with it. */
export function parseRoutePattern(text: string): RoutePattern | { readonly detail: string } {
  if (text.length > LONGEST) return { detail: `A route has ${LONGEST} characters at most.` }
  const bare = text.replace(/^(?:https?|\*):\/\//i, '')
  const slash = bare.indexOf('/')
  const authority = (slash < 0 ? bare : bare.slice(0, slash)).toLowerCase()
  const path = slash < 0 ? '/' : bare.slice(slash)
  const [, before = '', host] = HOST.exec(authority) ?? []
  if (host === undefined) return { detail: `'${authority}' is no host name that a route can have.` }
  const open = path.endsWith('*')
  const fixed = open ? path.slice(0, -1) : path
  if (/[*?#\s\0]/.test(fixed) || !fixed.isWellFormed())
    return {
      detail: `'${path}' is no path of a route: '*' may be its last character alone, and it has no query.`,
    }
  return { host, before: before === '*.' ? '*.' : before === '*' ? '*' : '', path: fixed, open }
}

export function isRoutePattern(parsed: RoutePattern | { readonly detail: string }): parsed is RoutePattern {
  return 'host' in parsed
}

/** `host` in lower case, `path` as it was asked for, without its query. */
export function matchesRoute(pattern: RoutePattern, host: string, path: string): boolean {
  return matchesHost(pattern, host) && (pattern.open ? path.startsWith(pattern.path) : path === pattern.path)
}

function matchesHost({ host: own, before }: RoutePattern, host: string): boolean {
  if (before === '') return host === own
  return before === '*.' ? host.endsWith(`.${own}`) : host.endsWith(own)
}

/** The order of precedence: the more is said, the earlier. */
export function byPrecedence(a: RoutePattern, b: RoutePattern): number {
  return (
    b.host.length - a.host.length ||
    a.before.length - b.before.length ||
    Number(a.open) - Number(b.open) ||
    b.path.length - a.path.length
  )
}
