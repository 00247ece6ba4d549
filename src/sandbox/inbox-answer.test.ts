import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import Fastify, { type FastifyInstance } from 'fastify'
import { openBodies } from '#bodies/bodies.ts'
import { type OpenStore, onBothEngines } from '#test/stores.ts'
import { type Inbox, openInbox } from './inbox.ts'
import { type InboxApiOptions, inboxApi } from './inbox-api.ts'
import type { MessageSummary } from './message-summary.ts'

interface Api {
  readonly inbox: Inbox
  readonly open: OpenStore
  readonly app: FastifyInstance
  readonly add: (content: string | Buffer) => Promise<string>
  readonly call: (method: 'GET' | 'HEAD' | 'DELETE', path: string, site?: string) => Promise<Response>
  readonly get: (path: string) => Promise<Response>
  /** What the routes told of as failures of their own. */
  readonly errors: unknown[]
}

interface Response {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly octets: Buffer
  /** Every answer's fields together. */
  readonly json: {
    readonly Error: string
    readonly ID: string
    readonly unread: number
    readonly messages_count: number
    readonly messages: readonly MessageSummary[]
  }
}

function withApi(name: string, run: (api: Api) => Promise<void>, options: InboxApiOptions = {}): void {
  onBothEngines(name, async (_, open) => {
    const inbox = openInbox({ store: open.store, bodies: openBodies(open) })
    const app = Fastify()
    const errors: unknown[] = []
    const onError = (error: unknown) => errors.push(error)
    await app.register(inboxApi(inbox, { onError, ...options }), { prefix: '/api/v1' })
    const call: Api['call'] = async (method, path, site) => {
      const headers = site === undefined ? {} : { 'sec-fetch-site': site }
      const answer = await app.inject({ method, url: `/api/v1${path}`, headers })
      const isJson = String(answer.headers['content-type']).startsWith('application/json')
      const json = isJson && answer.body !== '' ? JSON.parse(answer.body) : undefined
      return { status: answer.statusCode, headers: answer.headers, octets: answer.rawPayload, json }
    }
    try {
      await run({
        inbox,
        open,
        app,
        call,
        errors,
        get: (path) => call('GET', path),
        add: async (content) => (await inbox.add(Buffer.from(content), { from: '', to: ['a@b'] })).ID,
      })
    } finally {
      await app.close()
      await inbox.close()
    }
  })
}

const ORDER = 'Subject: Order 17\r\n\r\nYour order is on its way.'

withApi(
  'two search at once; those for whom there is no place in the queue are asked to come back',
  async ({ add, call, get }) => {
    await add(ORDER)
    const asked = await Promise.all(Array.from({ length: 5 }, () => get('/search?query=order')))
    assert.ok(asked.some(({ status }) => status === 200))
    const refused = asked.filter(({ status }) => status === 503)
    assert.ok(refused.length > 0)
    for (const { json, headers } of refused) {
      assert.match(json.Error, /try again/)
      assert.equal(headers['retry-after'], '1')
    }
    assert.equal((await call('DELETE', '/messages')).status, 200)
  },
  { maxQueued: 0 },
)

withApi(
  'who has hung up is not served: messages that they asked for stay unread',
  async ({ app, add, get }) => {
    const origin = await app.listen({ host: '127.0.0.1', port: 0 })
    const slow = Buffer.from(`Subject: slow\n\n${'x\n'.repeat(100_000)}`)
    const ids = await Promise.all(Array.from({ length: 6 }, () => add(slow)))
    const hangUp = new AbortController()
    const asked = ids.map((id) => fetch(`${origin}/api/v1/message/${id}`, { signal: hangUp.signal }))
    await asked[0]
    hangUp.abort()
    await Promise.allSettled(asked)
    // Its turn comes after all of theirs.
    const latest = (await get('/message/latest')).json.ID
    const { messages } = (await get('/messages')).json
    assert.ok(messages.filter(({ ID, Read }) => ID !== latest && !Read).length >= 2)
  },
)

withApi('requests of other sites are refused, whatever their method', async ({ add, call, get }) => {
  const id = await add(ORDER)
  for (const site of ['cross-site', 'same-site', 'Anything'])
    for (const path of [`/message/${id}`, '/search?query=x&wait=60000', '/nothing']) {
      const { status, json } = await call('GET', path, site)
      assert.equal(status, 403)
      assert.match(json.Error, /Sec-Fetch-Site/)
    }
  assert.equal((await call('DELETE', '/messages', 'cross-site')).status, 403)
  assert.equal((await call('HEAD', `/message/${id}`, 'cross-site')).status, 403)
  assert.equal((await get('/messages')).json.unread, 1)
  for (const site of ['none', 'same-origin'])
    assert.equal((await call('GET', `/message/${id}`, site)).status, 200)
})

withApi(
  'sources that nobody reads are bounded together; past that the answer is 503',
  async ({ app, add, get }) => {
    const { port } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }))
    const source = Buffer.from(`Subject: large\n\n${'x'.repeat(20 * 1024 * 1024)}`)
    const ID = await add(source)
    const stalled = connect(Number(port), '127.0.0.1')
    stalled.write(`GET /api/v1/message/${ID}/raw HTTP/1.1\r\nHost: localhost\r\n\r\n`)
    await once(stalled, 'readable')
    for (const path of ['/raw', '/headers', '']) {
      const { status, json } = await get(`/message/${ID}${path}`)
      assert.equal(status, 503, path)
      assert.match(json.Error, /try again/)
    }
    assert.equal((await get('/messages')).status, 200)
    stalled.destroy()
    while ((await get(`/message/${ID}/raw`)).status !== 200) await delay(5)
    assert.deepEqual((await get(`/message/${ID}/raw`)).octets, source)
  },
  { maxOutgoing: 1024 * 1024 },
)

withApi('a failure inside is 500 with {"Error"} that tells nothing, and is told of', async (api) => {
  const id = await api.add(ORDER)
  await api.open.close()
  for (const path of ['/messages', '/search?query=x', '/info', `/message/${id}`, `/message/${id}/raw`]) {
    const { status, json } = await api.get(path)
    assert.equal(status, 500, path)
    assert.deepEqual(json, { Error: 'The inbox failed; the log of the server says why.' })
  }
  assert.equal(api.errors.length, 5)
})

withApi('an answer has 1,000 messages at most', async ({ add, get }) => {
  await Promise.all(Array.from({ length: 1_002 }, (_, i) => add(`Subject: ${i}\n\n`)))
  for (const path of ['/messages?limit=0', '/messages?limit=5000', '/search?query=is:unread&limit=5000']) {
    const { json } = await get(path)
    assert.deepEqual([json.messages.length, json.messages_count], [1_000, 1_002], path)
  }
  assert.equal((await get('/search?query=is:unread&limit=0')).json.messages.length, 0)
})
