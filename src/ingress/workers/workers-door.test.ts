import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:http'
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { openLog } from '#observe/log.ts'
import { fetchAtHost } from '#test/fetch-at-host.ts'
import type { FetchOutcome, WorkerPlace, WorkerRequest } from '#workers/runtime/host-services.ts'
import { openWorkersDoor, type WorkersDoorOptions } from './workers-door.ts'
import { noWorkerPage } from './workers-pages.ts'

type Fetch = (request: WorkerRequest, place: WorkerPlace) => Promise<FetchOutcome>

const ONE: WorkerPlace = { accountId: 'a', scriptName: 'one' }

/** A door with one Worker, at `one.example.com`. */
async function open(t: TestContext, fetchWorker: Fetch, given: Partial<WorkersDoorOptions> = {}) {
  const door = await openWorkersDoor({
    port: 0,
    at: async (host) => (host === 'one.example.com' ? ONE : undefined),
    fetchWorker: (place, asked) => fetchWorker(asked, place),
    log: openLog('silent'),
    ...given,
  })
  t.after(() => door.close())
  return door.port
}

function answered(
  body: AsyncIterable<Uint8Array> | string,
  { status = 200, headers = [] as [string, string][] } = {},
): FetchOutcome {
  const octets = typeof body === 'string' ? Readable.from([Buffer.from(body)]) : body
  return { kind: 'answered', response: { status, statusText: '', headers, body: octets } }
}

test('a Worker sees who asks and for what, whatever the client says of that', async (t) => {
  const seen: WorkerRequest[] = []
  const port = await open(t, async (asked) => {
    seen.push(asked)
    return answered('hello', {
      headers: [
        ['set-cookie', 'a=1'],
        ['set-cookie', 'b=2'],
      ],
    })
  })
  const headers = {
    'cf-connecting-ip': '8.8.8.8',
    'x-forwarded-for': '8.8.8.8',
    connection: 'x-hop',
    'x-hop': '1',
  }
  const answer = await fetchAtHost(port, `http://One.Example.com:${port}/a//b?c=%20d`, { headers })
  assert.deepEqual([answer.status, answer.text, answer.headers['set-cookie']], [200, 'hello', ['a=1', 'b=2']])
  const [asked] = seen
  assert.ok(asked)
  assert.equal(asked.url, `http://one.example.com:${port}/a//b?c=%20d`)
  const given = new Map(asked.headers.map(([name, value]) => [name.toLowerCase(), value]))
  assert.equal(given.get('cf-connecting-ip'), '127.0.0.1')
  assert.equal(given.get('x-forwarded-for'), '127.0.0.1')
  assert.match(given.get('cf-ray') ?? '', /^[0-9a-f]{16}$/)
  assert.ok(!given.has('x-hop'))
})

test('no Worker gets the session of somebody who is signed in to the dashboard, nor gives one', async (t) => {
  const cookies: (readonly string[])[] = []
  const port = await open(t, async ({ headers }) => {
    cookies.push(headers.flatMap(([name, value]) => (name.toLowerCase() === 'cookie' ? [value] : [])))
    return answered('', {
      headers: [
        'posthorn_session=x; Path=/session',
        '__Host-posthorn_session=x; Path=/; Secure',
        ' POSTHORN_SESSION =x',
        '=posthorn_session=x',
        'my_posthorn_session=1',
        'posthorn_session_theme=1',
      ].map((value) => ['Set-Cookie', value] as [string, string]),
    })
  })
  const secret = 'A'.repeat(43)
  for (const cookie of [
    `a=1; posthorn_session=${secret}; __Host-posthorn_session=${secret}; b=posthorn_session=2`,
    `posthorn_session=${secret}`,
    `a=1;\tposthorn_session =${secret};; ;posthorn_sessions=2`,
  ]) {
    const { headers } = await fetchAtHost(port, `http://one.example.com:${port}/`, { headers: { cookie } })
    assert.deepEqual(headers['set-cookie'], ['my_posthorn_session=1', 'posthorn_session_theme=1'])
  }
  assert.deepEqual(cookies, [['a=1; b=posthorn_session=2'], [], ['a=1;; ;posthorn_sessions=2']])
})

test('a Worker sees the path by which it was found', async (t) => {
  const seen: string[] = []
  const port = await open(
    t,
    async ({ url }) => {
      seen.push(url)
      return answered('')
    },
    {
      async at(_, path) {
        seen.push(path)
        return ONE
      },
    },
  )
  for (const path of [
    '/open/../private/a?b=/../c',
    '/open/%2e%2E/private/a',
    '/open\\..\\private\\a#/../x',
    '//private/a',
  ]) {
    const socket = connect(port, '127.0.0.1')
    socket.end(`GET ${path} HTTP/1.1\r\nHost: one.example.com\r\nConnection: close\r\n\r\n`)
    await text(socket)
  }
  const found = 'http://one.example.com'
  assert.deepEqual(seen, [
    ...['/private/a', `${found}/private/a?b=/../c`],
    ...['/private/a', `${found}/private/a`, '/private/a', `${found}/private/a`],
    ...['//private/a', `${found}//private/a`],
  ])
})

test('both bodies are passed on as they come', async (t) => {
  const port = await open(t, async ({ body }) => answered(body ?? Readable.from([])))
  const asked = request({
    port,
    host: '127.0.0.1',
    method: 'POST',
    headers: { host: 'one.example.com' },
    agent: false,
  })
  asked.write('first')
  const [response] = await once(asked, 'response')
  assert.equal(String((await once(response, 'data'))[0]), 'first')
  asked.end('second')
  assert.equal(await text(response), 'second')
})

test('a client that goes away ends what was asked for it', async (t) => {
  const begun = Promise.withResolvers<AbortSignal>()
  const left = Promise.withResolvers<void>()
  const port = await open(t, async ({ signal }) => {
    assert.ok(signal)
    begun.resolve(signal)
    return answered(
      (async function* () {
        try {
          for (;;) {
            yield Buffer.alloc(65_536)
            await new Promise((resolve) => setTimeout(resolve, 1))
          }
        } finally {
          left.resolve()
        }
      })(),
    )
  })
  const asked = request({ port, host: '127.0.0.1', headers: { host: 'one.example.com' }, agent: false })
  asked.on('error', () => undefined)
  asked.end()
  const [response] = await once(asked, 'response')
  response.on('error', () => undefined)
  await once(response, 'data')
  response.destroy()
  const signal = await begun.promise
  await left.promise
  assert.ok(signal.aborted)
})

test('half an answer does not pass for a whole one', async (t) => {
  const port = await open(t, async () =>
    answered(
      (async function* () {
        yield Buffer.from('half')
        throw new Error('the Worker is gone')
      })(),
    ),
  )
  await assert.rejects(fetchAtHost(port, 'http://one.example.com/'))
})

test('a body that is too large is refused, declared or not', async (t) => {
  const port = await open(
    t,
    async ({ body }) => {
      try {
        for await (const chunk of body ?? []) void chunk
        return answered('taken')
      } catch {
        return { kind: 'crashed', message: 'The connection to the Worker broke off.' }
      }
    },
    { limits: { bodyOctets: 1000 } },
  )
  const post = (headers: Record<string, string>) => {
    const asked = request({
      ...{ port, host: '127.0.0.1', method: 'POST', agent: false },
      headers: { host: 'one.example.com', ...headers },
    })
    asked.on('error', () => undefined)
    asked.end('x'.repeat(1001))
    return once(asked, 'response')
  }
  for (const headers of [{ 'content-length': '1001' }, { 'transfer-encoding': 'chunked' }]) {
    const [response] = await post(headers)
    assert.equal(response.statusCode, 413)
  }
})

test('why a Worker fails is for its author alone', async (t) => {
  const outcome: FetchOutcome = { kind: 'crashed', message: 'very secret' }
  const strangers = await open(t, async () => outcome)
  const answer = await fetchAtHost(strangers, 'http://one.example.com/')
  assert.deepEqual([answer.status, answer.text], [500, 'The Worker crashed.\n'])
  const bare = await open(t, async () => answered('Internal Server Error', { status: 500 }), {
    development: {
      local: () => ONE,
      workers: async () => [{ name: 'one', url: 'http://one.localhost' }],
      events: async () => false,
      problem: () => undefined,
      exceptionOf: async () => ({
        name: 'TypeError',
        message: 'no',
        stack: 'TypeError: no\n    at index.js:1:1',
      }),
    },
  })
  const told = await fetchAtHost(bare, 'http://one.example.com/')
  assert.equal(told.text, 'The Worker threw an exception.\n\nTypeError: no\n    at index.js:1:1\n')
})

test('a host without a Worker: who is told which there are', async (t) => {
  const port = await open(t, async () => answered('never'), {
    development: {
      local: () => undefined,
      workers: async () => [{ name: 'one', url: 'http://one.dev.localhost:8787' }],
      events: async () => false,
      problem: () => undefined,
      exceptionOf: async () => undefined,
    },
  })
  const foreign = await fetchAtHost(port, 'http://rebound.example.net/')
  assert.deepEqual([foreign.status, foreign.text], [404, 'There is no Worker at rebound.example.net.\n'])
  for (const host of ['localhost', '127.0.0.1', 'two.dev.localhost']) {
    const { text: page } = await fetchAtHost(port, `http://${host}/`)
    assert.match(page, /one {2}http:\/\/one\.dev\.localhost:8787/)
  }
})

test("only this machine's user makes events by hand, and no page of another site", async (t) => {
  const made: unknown[] = []
  const port = await open(t, async () => answered('fetched'), {
    development: {
      local: () => ONE,
      workers: async () => [],
      problem: () => undefined,
      exceptionOf: async () => undefined,
      async events(_request, response, place) {
        made.push(place)
        response.end('made')
        return true
      },
    },
  })
  const post = (host: string, headers: Record<string, string> = {}) =>
    fetchAtHost(port, `http://${host}/cdn-cgi/handler/email`, { headers, body: 'x' })
  assert.equal((await post('localhost')).text, 'made')
  assert.equal((await post('one.example.com')).text, 'made')
  assert.deepEqual(made, [undefined, ONE])
  assert.equal((await post('rebound.example.net')).status, 404)
  assert.equal((await post('localhost', { origin: 'https://evil.example' })).status, 403)
  assert.equal((await post('localhost', { 'sec-fetch-site': 'cross-site' })).status, 403)
  assert.equal(made.length, 2)
})

test('a request that does not say clearly where it goes is refused', async (t) => {
  const port = await open(t, async () => answered('never'))
  const say = async (lines: readonly string[]) => {
    const socket = connect({ port, host: '127.0.0.1' })
    socket.write(`${lines.join('\r\n')}\r\n\r\n`)
    return (await text(socket)).split('\r\n')[0]
  }
  const host = 'Host: one.example.com'
  for (const lines of [
    ['GET / HTTP/1.1', host, 'Host: two.example.com'],
    ['GET / HTTP/1.1'],
    ['GET / HTTP/1.1', 'Host: a b'],
    ['GET http://two.example.com/ HTTP/1.1', host],
    ['OPTIONS * HTTP/1.1', host],
  ])
    assert.equal(await say([...lines, 'Connection: close']), 'HTTP/1.1 400 Bad Request', lines.join())
})

test('whoever counts is told of each answer: its status, or that it broke off', async (t) => {
  const told: (number | string)[] = []
  const broken = async function* () {
    yield Buffer.from('half')
    throw new Error('the Worker is gone')
  }
  const port = await open(
    t,
    async ({ url }) => answered(url.endsWith('/broken') ? broken() : 'text', { status: 299 }),
    { onAnswer: (status) => void told.push(status) },
  )
  await fetchAtHost(port, `http://one.example.com:${port}/`)
  await fetchAtHost(port, `http://nobody.example.com:${port}/`)
  await assert.rejects(fetchAtHost(port, `http://one.example.com:${port}/broken`))
  assert.deepEqual(told, [299, 404, 'broken'])
})

test('a page that names the Workers says of which it has no host name', () => {
  const { text: page } = noWorkerPage('two.localhost', [
    { name: 'one', url: 'http://one.localhost:8080' },
    { name: 'two', url: undefined },
  ])
  assert.match(page, /^There is no Worker at two\.localhost\./)
  assert.match(page, /\n {2}one {2}http:\/\/one\.localhost:8080\n {2}two {2}is at no host name of its own/)
})
