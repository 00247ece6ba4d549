import type { FastifyInstance } from 'fastify'
import { type OpenApi, openApi, type Surface } from '#contract/openapi.ts'
import { ACCOUNT_SURFACE, OPERATOR_SURFACE } from '#contract/surfaces.ts'
import { API_PAGE_CSP, apiPage, type PageLink } from './api-page.ts'

/** What the API is, for programs and for people: open to whoever reaches the door, since it tells nothing of anybody. */
export function apiDocumentRoutes(app: FastifyInstance): void {
  for (const { page, surface, other } of PAGES) {
    const document = once(() => openApi(surface))
    const json = once(() => JSON.stringify(document()))
    const html = once(() =>
      apiPage(document(), [{ href: documentPath(surface), text: 'openapi.json' }, other]),
    )
    app.get(documentPath(surface), async (_request, reply) =>
      reply.header('cache-control', 'no-cache').type('application/json; charset=utf-8').send(json()),
    )
    app.get(page, async (_request, reply) =>
      reply
        .header('content-security-policy', API_PAGE_CSP)
        .header('referrer-policy', 'no-referrer')
        .header('cache-control', 'no-cache')
        .type('text/html; charset=utf-8')
        .send(html()),
    )
  }
}

interface Page {
  readonly page: string
  readonly surface: Surface
  readonly other: PageLink
}

const PAGES: readonly Page[] = [
  { page: '/docs', surface: ACCOUNT_SURFACE, other: { href: '/docs/operator', text: 'Operator API' } },
  { page: '/docs/operator', surface: OPERATOR_SURFACE, other: { href: '/docs', text: 'API of accounts' } },
]

function documentPath({ base }: Surface): string {
  return `${base}/openapi.json`
}

/** Made when it is asked for first: most processes never are. */
function once<T extends string | OpenApi>(make: () => T): () => T {
  let made: T | undefined
  return () => (made ??= make())
}
