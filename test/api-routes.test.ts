import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { DOCUMENTS, OPERATIONS } from '#test/api-operations.ts'
import { type Instance, startInstance } from '#test/instance.ts'

/** What the HTTP door serves is what the document says, neither more nor less. */
const run = promisify(execFile)

let instance: Instance
let routes: ReadonlySet<string>

before(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-routes-'))
  const file = join(folder, 'routes')
  const listing = join(import.meta.dirname, 'support/list-routes.ts')
  instance = await startInstance({ NODE_OPTIONS: `--import=${listing}`, LIST_ROUTES_TO: file })
  routes = new Set(readFileSync(file, 'utf8').trim().split('\n').map(withoutNames))
  rmSync(folder, { recursive: true })
})
after(async () => instance[Symbol.asyncDispose]())

/** A parameter has another name in the door than in the document here and there. */
function withoutNames(route: string): string {
  return route.replaceAll(/:\w+|\{\w+\}/g, '{}')
}

/** Served beside the API: each with the reason why it is in no document. */
const OTHER_DOORS: Readonly<Record<string, string>> = {
  'GET /client/v4/openapi.json': 'the document itself',
  'GET /operator/v1/openapi.json': 'the document itself',
  'GET /healthz': 'for whoever watches the process',
  'GET /readyz': 'for whoever sends mail its way',
  'GET /metrics': 'for Prometheus',
  'GET /docs': 'the document, for people',
  'GET /docs/operator': 'the document, for people',
  'GET /verify-address/{}': 'the page behind the link of a verification mail',
  'POST /verify-address/{}': 'the button on it',
  'GET /': 'the dashboard',
  'GET /session/v1': 'who is signed in to it, which is for browsers alone',
  'POST /session/v1/sign-in': 'the same',
  'POST /session/v1/sign-in/development': 'the same',
  'POST /session/v1/sign-out': 'the same',
  'POST /session/v1/sign-out-everywhere': 'the same',
  'GET /session/v1/sessions': 'the same',
  'DELETE /session/v1/sessions/{}': 'the same',
  'POST /session/v1/password': 'the same',
  'GET /session/v1/invitations/{}': 'the same',
  'POST /session/v1/invitations/{}': 'the same',
  'POST /session/v1/password-resets': 'the same',
  'POST /session/v1/password-resets/look': 'the same',
  'POST /session/v1/password-resets/accept': 'the same',
  'POST /session/v1/accounts/{}/test-message': 'what the document’s send does, for a browser',
  'GET /api/v1/info': 'the inbox, with the routes and shapes of Mailpit’s API',
  'GET /api/v1/messages': 'the same',
  'PUT /api/v1/messages': 'the same',
  'DELETE /api/v1/messages': 'the same',
  'GET /api/v1/search': 'the same',
  'DELETE /api/v1/search': 'the same',
  'GET /api/v1/message/{}': 'the same',
  'GET /api/v1/message/{}/headers': 'the same',
  'GET /api/v1/message/{}/raw': 'the same',
  'GET /api/v1/message/{}/preview': 'a message of the inbox as a page for a frame',
  'GET /api/v1/message/{}/part/{}': 'the same',
}

test('every route of the door is in a document, and every documented one is served', () => {
  // HEAD comes with each GET by itself.
  const served = [...routes].filter((route) => !route.startsWith('HEAD '))
  const documented = OPERATIONS.map(({ method, base, path }) => withoutNames(`${method} ${base}${path}`))
  const known = new Set([...documented, ...Object.keys(OTHER_DOORS)])
  assert.deepEqual(
    served.filter((route) => !known.has(route)),
    [],
    'declare it in src/contract and put it into resources.ts',
  )
  assert.deepEqual(
    [...known].filter((route) => !routes.has(route)),
    [],
    'not served',
  )
})

test('HEAD is answered where GET is, and nowhere else', () => {
  for (const route of routes) {
    if (route.startsWith('HEAD ')) assert.ok(routes.has(route.replace('HEAD', 'GET')), route)
  }
})

test('the documents are served as they are, to whoever asks', async () => {
  for (const document of DOCUMENTS) {
    const response = await fetch(`${instance.dev.dashboard}${document.servers[0]?.url}/openapi.json`)
    assert.equal(response.status, 200)
    assert.equal(response.headers.get('content-type'), 'application/json; charset=utf-8')
    assert.deepEqual(await response.json(), document)
  }
})

test('the command line writes the same documents, with no instance at all', async () => {
  const posthorn = join(import.meta.dirname, '../cli/posthorn.ts')
  for (const [index, options] of [[], ['--operator']].entries()) {
    const { stdout } = await run(process.execPath, [posthorn, 'openapi', ...options], {
      maxBuffer: 10_000_000,
    })
    assert.deepEqual(JSON.parse(stdout), DOCUMENTS[index])
  }
})

for (const path of ['/docs', '/docs/operator']) {
  test(`${path}: a page that runs no script and loads nothing, on which every link leads somewhere`, async () => {
    const response = await fetch(`${instance.dev.dashboard}${path}`)
    assert.equal(response.status, 200)
    assert.match(
      response.headers.get('content-security-policy') ?? '',
      /^default-src 'none'; style-src 'sha256-/,
    )
    const html = await response.text()
    assert.doesNotMatch(
      html,
      /<(?:script|link|img|iframe|object|embed|form)\b|\son\w+=|style="|@import|url\(/i,
    )
    const anchors = [...html.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id)
    assert.equal(new Set(anchors).size, anchors.length)
    for (const [, href = ''] of html.matchAll(/href="([^"]*)"/g)) {
      if (href.startsWith('#')) assert.ok(anchors.includes(href.slice(1)), href)
      else assert.equal((await fetch(`${instance.dev.dashboard}${href}`)).status, 200, href)
    }
    const base = path === '/docs' ? '/client/v4' : '/operator/v1'
    for (const operation of OPERATIONS.filter((each) => each.base === base))
      assert.ok(anchors.includes(operation.id), operation.id)
  })
}
