import type { FastifyReply, FastifyRequest } from 'fastify'
import { type DashboardFile, openDashboardFiles } from './dashboard-files.ts'

/** The dashboard at `/`: one page that shows every path of its own, and the files that it needs. What belongs to an API
 *  is never answered with a page.
 *
 *  The page runs only scripts of its own files, nobody frames it, and it loads nothing from elsewhere; mail is shown in a
 *  frame whose document forbids more (message-preview.ts). */
export interface DashboardDoor {
  /** The front page. */
  index(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply>
  /** Undefined where the path is none of the dashboard's. */
  answer(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined>
}

/** The doors beside it, whose answers to what they do not have stay theirs, in whatever way their paths are written. */
const OTHERS =
  /^[/\\]+(?:client|operator|session|api|cdn-cgi|metrics|healthz|readyz|docs|tails|verify-address)(?:[/\\]|$)/i

const CSP = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  // Libraries of components place things by attributes that they write as HTML; no rule of a style sheet comes so.
  "style-src-attr 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "frame-src 'self'",
  "manifest-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

const PAGE_HEADERS = {
  'content-security-policy': CSP,
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
}

const YEAR = 'public, max-age=31536000, immutable'

export function openDashboardDoor(folder: string): DashboardDoor {
  const files = openDashboardFiles(folder)
  const find = (path: string, request: FastifyRequest) =>
    files.find(path, request.headers['accept-encoding'] ?? '')

  async function index(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const page = await find('/index.html', request)
    if (page) return send(request, reply, page)
    return reply
      .code(503)
      .headers(PAGE_HEADERS)
      .header('cache-control', 'no-store')
      .type('text/html; charset=utf-8')
      .send(NOT_BUILT)
  }

  return {
    index,
    async answer(request, reply) {
      const path = request.url.split('?', 1)[0] ?? ''
      if ((request.method !== 'GET' && request.method !== 'HEAD') || OTHERS.test(plainly(path)))
        return undefined
      const file = await find(path, request)
      if (file) return send(request, reply, file)
      // A page that asks for a file which is gone should hear so, and not be given another page as a script.
      const isPage = /\btext\/html\b/.test(request.headers.accept ?? '')
      return isPage && !path.startsWith('/assets/') ? index(request, reply) : undefined
    },
  }
}

/** Without escapes and dots; what has none of it is no URL, and the router has refused it. */
function plainly(path: string): string {
  return decodeURIComponent(URL.parse(`http://x${path}`)?.pathname ?? path)
}

function send(request: FastifyRequest, reply: FastifyReply, file: DashboardFile): FastifyReply {
  const { content, type, etag, encoding, isImmutable } = file
  reply
    .code(200)
    .headers(PAGE_HEADERS)
    .header('cache-control', isImmutable ? YEAR : 'no-cache')
    .header('etag', etag)
    .header('vary', 'accept-encoding')
    .type(type)
  if (encoding !== undefined) reply.header('content-encoding', encoding)
  const known = (request.headers['if-none-match'] ?? '').split(',').map((tag) => tag.trim())
  return known.includes(etag) ? reply.code(304).send() : reply.send(content)
}

const NOT_BUILT = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Posthorn</title>
</head>
<body>
<main>
<h1>The dashboard is not built</h1>
<p>Build it in the folder of the source, then load this page again:</p>
<pre>cd dashboard
npm ci
npm run build</pre>
<p>The API works without it: <a href="/docs">what it has</a>. The mail of a development instance is at
<a href="/api/v1/messages">/api/v1/messages</a>.</p>
</main>
</body>
</html>
`
