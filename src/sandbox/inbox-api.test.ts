import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import Fastify, { type FastifyInstance, type InjectOptions } from 'fastify'
import { openBodies } from '#bodies/bodies.ts'
import { onBothEngines } from '#test/stores.ts'
import { type Inbox, openInbox } from './inbox.ts'
import { type InboxApiOptions, inboxApi } from './inbox-api.ts'
import type { MessageSummary } from './message-summary.ts'
import type { MessageView } from './message-view.ts'

interface Api {
  readonly inbox: Inbox
  readonly app: FastifyInstance
  readonly add: (lines: readonly string[], to?: readonly string[]) => Promise<string>
  readonly get: (path: string) => Promise<Response>
  readonly call: (options: InjectOptions) => Promise<Response>
}

interface Response {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly text: string
  readonly octets: Buffer
  readonly json: Body
}

/** Every answer's fields together: each test states those that it expects. */
interface Body extends MessageView {
  readonly Error: string
  readonly messages: readonly MessageSummary[]
  readonly total: number
  readonly unread: number
  readonly count: number
  readonly messages_count: number
  readonly messages_unread: number
  readonly Version: string
  readonly Messages: number
  readonly Unread: number
  readonly DatabaseSize: number
  readonly RuntimeStats: Readonly<Record<string, number>>
}

function withApi(name: string, run: (api: Api) => Promise<void>, options: InboxApiOptions = {}): void {
  onBothEngines(name, async (_, open) => {
    const inbox = openInbox({ store: open.store, bodies: openBodies(open) })
    const app = Fastify()
    await app.register(inboxApi(inbox, { version: 'v0.1.0', ...options }), { prefix: '/api/v1' })
    const call = async (options: InjectOptions): Promise<Response> => {
      const { statusCode, headers, body, rawPayload } = await app.inject(options)
      const json = headers['content-type']?.toString().startsWith('application/json')
        ? JSON.parse(body)
        : undefined
      return { status: statusCode, headers, text: body, octets: rawPayload, json }
    }
    try {
      await run({
        inbox,
        app,
        call,
        get: (path) => call({ method: 'GET', url: `/api/v1${path}` }),
        add: async (lines, to = ['to@example.com']) => {
          const envelope = { from: 'bounce@example.com', to }
          return (await inbox.add(Buffer.from(lines.join('\r\n')), envelope)).ID
        },
      })
    } finally {
      await app.close()
      await inbox.close()
    }
  })
}

const PLAIN = [
  'From: Jane Doe <jane@example.com>',
  'To: "Doe, John" <john@example.com>',
  'Subject: Order 17',
  'Message-ID: <17@example.com>',
  'Date: Tue, 06 Jan 2026 10:00:00 +0100',
  'List-Unsubscribe: <mailto:out@example.com>, <https://example.com/out>',
  'List-Unsubscribe-Post: List-Unsubscribe=One-Click',
  '',
  'Your order is on its way.',
]

const RICH = [
  'Subject: Rich',
  'Content-Type: multipart/mixed; boundary=m',
  '',
  '--m',
  'Content-Type: text/html',
  '',
  '<img src="cid:logo">',
  '--m',
  'Content-Type: image/png',
  'Content-ID: <logo>',
  'Content-Disposition: inline',
  'Content-Transfer-Encoding: base64',
  '',
  'iVBORw==',
  ...[
    '--m',
    'Content-Type: text/html',
    'Content-Disposition: attachment; filename="x\\"; .html"',
    '',
    '<script>1</script>',
  ],
  ...[
    '--m',
    'Content-Type: text/javascript',
    "Content-Disposition: attachment; filename*=utf-8''%e2%82%ac.js",
    '',
    'alert(1)',
  ],
  ...[
    '--m',
    'Content-Type: app lication/evil',
    'Content-Disposition: attachment; filename="a\r\n b"',
    '',
    'x',
  ],
  '--m--',
]

withApi('GET /messages lists summaries in Mailpit’s shape', async ({ add, get }) => {
  const id = await add(PLAIN, ['john@example.com', 'hidden@example.com'])
  const { status, json } = await get('/messages')
  assert.equal(status, 200)
  const { messages, ...page } = json
  assert.deepEqual(page, {
    total: 1,
    unread: 1,
    count: 1,
    messages_count: 1,
    messages_unread: 1,
    start: 0,
    tags: [],
  })
  assert.ok(messages[0])
  const { Created, ...message } = messages[0]
  assert.ok(Math.abs(Date.parse(Created) - Date.now()) < 60_000)
  assert.deepEqual(message, {
    ID: id,
    MessageID: '17@example.com',
    Read: false,
    From: { Name: 'Jane Doe', Address: 'jane@example.com' },
    To: [{ Name: 'Doe, John', Address: 'john@example.com' }],
    Cc: [],
    Bcc: [{ Name: '', Address: 'hidden@example.com' }],
    ReplyTo: [],
    Subject: 'Order 17',
    Username: '',
    Tags: [],
    Size: PLAIN.join('\r\n').length,
    Attachments: 0,
    Inline: 0,
    Snippet: 'Your order is on its way.',
    Envelope: { From: 'bounce@example.com', To: ['john@example.com', 'hidden@example.com'] },
  })
})

withApi('GET /messages takes start and limit', async ({ add, get }) => {
  for (let i = 0; i < 60; i++) await add([`Subject: ${i}`, '', ''])
  const subjects = async (path: string) => {
    const { json } = await get(path)
    return json.messages.map(({ Subject }: { Subject: string }) => Number(Subject))
  }
  assert.equal((await subjects('/messages')).length, 50)
  assert.deepEqual(await subjects('/messages?start=1&limit=2'), [58, 57])
  assert.equal((await subjects('/messages?limit=0')).length, 60)
  assert.equal((await subjects('/messages?limit=999999999')).length, 60)
  assert.deepEqual(await subjects('/search?query=is:unread&start=58&limit=10'), [1, 0])
})

withApi('GET /message/{ID} opens a message and marks it as read', async ({ add, get }) => {
  const id = await add(PLAIN)
  const { status, json } = await get(`/message/${id}`)
  assert.equal(status, 200)
  const { Text, ...rest } = json
  assert.equal(Text.trim(), 'Your order is on its way.')
  assert.deepEqual(rest, {
    ID: id,
    MessageID: '17@example.com',
    From: { Name: 'Jane Doe', Address: 'jane@example.com' },
    To: [{ Name: 'Doe, John', Address: 'john@example.com' }],
    Cc: [],
    Bcc: [{ Name: '', Address: 'to@example.com' }],
    ReplyTo: [],
    ReturnPath: 'bounce@example.com',
    Subject: 'Order 17',
    ListUnsubscribe: {
      Header: '<mailto:out@example.com>, <https://example.com/out>',
      Links: ['mailto:out@example.com', 'https://example.com/out'],
      Errors: '',
      HeaderPost: 'List-Unsubscribe=One-Click',
    },
    Date: '2026-01-06T09:00:00.000Z',
    Tags: [],
    Username: '',
    HTML: '',
    Size: PLAIN.join('\r\n').length,
    Inline: [],
    Attachments: [],
    Envelope: { From: 'bounce@example.com', To: ['to@example.com'] },
  })
  assert.equal((await get('/messages')).json.unread, 0)
})

withApi('the id may be latest, and latest may have a query', async ({ add, get }) => {
  assert.equal((await get('/message/latest')).status, 404)
  const first = await add(['Subject: first', '', ''])
  const second = await add(['Subject: second', '', ''])
  assert.equal((await get('/message/latest')).json.ID, second)
  assert.equal((await get('/message/latest?query=subject:first')).json.ID, first)
  assert.equal((await get('/message/latest/raw')).text, 'Subject: second\r\n\r\n')
  assert.equal((await get('/message/latest?query=subject:third')).status, 404)
})

withApi('GET /message/{ID}/headers gives all values by name, spelled as Go does', async ({ add, get }) => {
  const id = await add([
    'Received: one',
    'MIME-VERSION: 1.0',
    'received: two,',
    ' folded',
    'message-id: <a@b>',
    '__proto__: x',
    '',
    '',
  ])
  const { status, text } = await get(`/message/${id}/headers`)
  assert.equal(status, 200)
  assert.equal(
    text,
    '{"Message-Id":["<a@b>"],"Mime-Version":["1.0"],"Received":["one","two, folded"],"__proto__":["x"]}',
  )
})

withApi('GET /message/{ID}/raw is the source as text/plain, to download with dl=1', async ({ add, get }) => {
  const id = await add(PLAIN)
  const { headers, octets } = await get(`/message/${id}/raw`)
  assert.equal(headers['content-type'], 'text/plain; charset=utf-8')
  assert.equal(headers['content-disposition'], undefined)
  assert.deepEqual(octets, Buffer.from(PLAIN.join('\r\n')))
  const download = await get(`/message/${id}/raw?dl=1`)
  assert.equal(download.headers['content-disposition'], `attachment; filename="${id}.eml"`)
})

withApi('parts are downloads: never a document, a script or a style of this origin', async ({ add, get }) => {
  const id = await add(RICH)
  const { json } = await get(`/message/${id}`)
  assert.deepEqual(
    json.Attachments.map(({ PartID }: { PartID: string }) => PartID),
    ['2', '3', '4'],
  )
  const parts = await Promise.all(['1', '2', '3', '4'].map((part) => get(`/message/${id}/part/${part}`)))
  for (const { status, headers } of parts) {
    assert.equal(status, 200)
    assert.match(String(headers['content-disposition']), /^attachment;/)
    assert.equal(headers['x-content-type-options'], 'nosniff')
    assert.equal(headers['content-security-policy'], "default-src 'none'; sandbox")
    assert.equal(headers['cross-origin-resource-policy'], 'same-origin')
  }
  const [png, html, script, broken] = parts
  assert.equal(png?.headers['content-type'], 'image/png')
  assert.deepEqual(png?.octets, Buffer.from('iVBORw==', 'base64'))
  assert.equal(html?.headers['content-type'], 'text/html')
  assert.equal(
    html?.headers['content-disposition'],
    `attachment; filename="x_; .html"; filename*=UTF-8''x%22%3B%20.html`,
  )
  assert.equal(script?.headers['content-type'], 'application/octet-stream')
  assert.equal(
    script?.headers['content-disposition'],
    `attachment; filename="_.js"; filename*=UTF-8''%E2%82%AC.js`,
  )
  assert.equal(broken?.headers['content-type'], 'application/octet-stream')
  for (const part of ['0', '5', 'x', '%00'])
    assert.equal((await get(`/message/${id}/part/${part}`)).status, 404)
})

withApi('what is not there is 404 with {"Error"}', async ({ get }) => {
  const unknown = 'f'.repeat(32)
  for (const id of [unknown, 'x', '%00', "'", '__proto__', 'F'.repeat(90)])
    for (const path of ['', '/headers', '/raw', '/part/1']) {
      const { status, json } = await get(`/message/${id}${path}`)
      assert.equal(status, 404, `${id}${path}`)
      assert.equal(typeof json.Error, 'string')
    }
  const { status, json } = await get('/nothing')
  assert.deepEqual([status, json], [404, { Error: 'There is no GET /api/v1/nothing.' }])
})

withApi('PUT /messages marks messages by ids, by a search, or all', async ({ add, call, get }) => {
  const ids = [
    await add(['Subject: a', '', '']),
    await add(['Subject: b', '', '']),
    await add(['Subject: c', '', '']),
  ]
  const put = async (body: object) => {
    const { status, text } = await call({ method: 'PUT', url: '/api/v1/messages', payload: body })
    assert.deepEqual([status, text], [200, 'ok'])
    return (await get('/messages')).json.unread
  }
  assert.equal(await put({ IDs: ids.slice(0, 2), Read: true }), 1)
  assert.equal(await put({ IDs: ids.slice(0, 1) }), 2)
  assert.equal(await put({ Search: 'subject:b', Read: false }), 3)
  assert.equal(await put({ Read: true }), 0)
  assert.equal(await put({ IDs: ['unknown'], Read: false }), 0)
})

withApi('DELETE /messages deletes those named, or all', async ({ add, call, get }) => {
  const ids: string[] = []
  for (let i = 0; i < 4; i++) ids.push(await add([`Subject: ${i}`, '', '']))
  const remove = async (payload?: string, type = 'application/json') => {
    const headers = payload === undefined ? {} : { 'content-type': type }
    const options = {
      method: 'DELETE',
      url: '/api/v1/messages',
      headers,
      ...(payload !== undefined && { payload }),
    } as const
    assert.equal((await call(options)).status, 200)
    return (await get('/messages')).json.total
  }
  assert.equal(await remove(JSON.stringify({ IDs: [ids[0]] })), 3)
  assert.equal(await remove(JSON.stringify({ IDs: [ids[1], ids[0]] }), 'text/plain'), 2)
  assert.equal(await remove('{"IDs":["unknown"]}'), 2)
  assert.equal(await remove('{}'), 0)
  await add(['Subject: again', '', ''])
  assert.equal(await remove('{"IDs":[]}', 'application/x-www-form-urlencoded'), 0)
  await add(['Subject: again', '', ''])
  assert.equal(await remove(), 0)
})

withApi('GET and DELETE /search act on what matches', async ({ add, call, get }) => {
  for (let i = 0; i < 6; i++)
    await add([`Subject: number ${i}`, `From: from-${i % 2}@example.com`, '', 'text'])
  const { json } = await get(`/search?query=${encodeURIComponent('from:from-1@example.com text')}&limit=2`)
  assert.equal(json.messages.length, 2)
  assert.deepEqual([json.total, json.messages_count, json.messages_unread, json.count], [6, 3, 3, 2])
  const removed = await call({ method: 'DELETE', url: '/api/v1/search?query=from:from-1' })
  assert.deepEqual([removed.status, removed.text], [200, 'ok'])
  assert.equal((await get('/messages')).json.total, 3)
})

withApi('GET /info has Mailpit’s names', async ({ add, get, inbox }) => {
  await add(PLAIN)
  await add(PLAIN)
  await inbox.delete({ ids: [await add(PLAIN)] })
  const { json } = await get('/info')
  const { Uptime = -1, Memory = -1, ...stats } = json.RuntimeStats
  assert.ok(Uptime >= 0 && Memory > 0)
  const size = PLAIN.join('\r\n').length
  assert.deepEqual(stats, {
    MessagesDeleted: 1,
    SMTPAccepted: 3,
    SMTPAcceptedSize: 3 * size,
    SMTPRejected: 0,
    SMTPIgnored: 0,
  })
  assert.deepEqual(
    [json.Version, json.Messages, json.Unread, json.DatabaseSize, json.Tags],
    ['v0.1.0', 2, 2, 2 * size, {}],
  )
})

withApi('requests that cannot be meant are 400 and name the field', async ({ call, get }) => {
  const refusals = [
    ['/messages?start=-1', /start/],
    ['/messages?limit=ten', /limit/],
    ['/messages?limit=1&limit=2', /limit/],
    ['/messages?start=1e9', /start/],
    ['/search', /no search query/],
    ['/search?query=', /no search query/],
    ['/search?query=a&query=b', /query/],
    ['/search?query=tag:x', /tag:/],
    ['/search?query=is:nice', /is:/],
    ['/search?query=a&wait=60001', /wait/],
    ['/message/latest?query=tag:x', /tag:/],
  ] as const
  for (const [path, reason] of refusals) {
    const { status, json } = await get(path)
    assert.equal(status, 400, path)
    assert.match(json.Error, reason, path)
  }
  const bodies = [
    'nonsense',
    '[]',
    '7',
    'null',
    '{"IDs":"x"}',
    '{"IDs":[1]}',
    '{"Read":"yes"}',
    '{"IDs":["x"],"Search":"y"}',
  ]
  for (const payload of bodies)
    for (const method of ['PUT', 'DELETE'] as const) {
      const { status, json } = await call({ method, url: '/api/v1/messages', payload })
      assert.equal(status, 400, payload)
      assert.ok(json.Error)
    }
  assert.equal((await call({ method: 'DELETE', url: '/api/v1/search' })).status, 400)
  const large = await call({
    method: 'DELETE',
    url: '/api/v1/messages',
    payload: `{"IDs":["${'x'.repeat(2_000_000)}"]}`,
  })
  assert.equal(large.status, 413)
})

withApi('a refused DELETE deletes nothing', async ({ add, call, get }) => {
  await add(PLAIN)
  for (const url of ['/api/v1/search?query=%22%22', '/api/v1/search?query=to:'])
    assert.equal((await call({ method: 'DELETE', url })).status, 400)
  assert.equal((await call({ method: 'DELETE', url: '/api/v1/messages', payload: '{"IDs":' })).status, 400)
  assert.equal((await get('/messages')).json.total, 1)
})

withApi('wait answers once a message matches, over a real socket', async ({ add, app }) => {
  const origin = await app.listen({ host: '127.0.0.1', port: 0 })
  const search = fetch(`${origin}/api/v1/search?query=subject:wanted&wait=30000`)
  const latest = fetch(`${origin}/api/v1/message/latest?query=subject:wanted&wait=30000`)
  await delay(50)
  await add(['Subject: other', '', ''])
  const id = await add(['Subject: wanted', '', 'found'])
  const found = (await (await search).json()) as { messages: { ID: string }[] }
  assert.deepEqual(
    found.messages.map(({ ID }) => ID),
    [id],
  )
  assert.equal(((await (await latest).json()) as { ID: string }).ID, id)
})

withApi('wait answers with nothing after its time', async ({ app }) => {
  const origin = await app.listen({ host: '127.0.0.1', port: 0 })
  const found = await fetch(`${origin}/api/v1/search?query=subject:wanted&wait=30`)
  assert.equal(((await found.json()) as { messages_count: number }).messages_count, 0)
  assert.equal((await fetch(`${origin}/api/v1/message/latest?query=subject:wanted&wait=30`)).status, 404)
})

withApi(
  'only so many wait at once; one that hangs up makes room; closing answers the rest',
  async ({ app }) => {
    const origin = await app.listen({ host: '127.0.0.1', port: 0 })
    const url = `${origin}/api/v1/search?query=subject:wanted&wait=50000`
    /** Asks twice, of which one has to wait. */
    const waitOnce = async (signal: AbortSignal | null = null) => {
      const both = [fetch(url, { signal }), fetch(url, { signal })]
      for (const one of both) one.catch(() => undefined)
      assert.equal((await Promise.race(both)).status, 503)
      return both
    }
    const hangUp = new AbortController()
    await waitOnce(hangUp.signal)
    hangUp.abort()
    while ((await fetch(url.replace('50000', '1'))).status !== 200) await delay(5)
    const last = await waitOnce()
    await app.close()
    const statuses = (await Promise.all(last)).map(({ status }) => status)
    assert.deepEqual(
      statuses.toSorted((a, b) => a - b),
      [200, 503],
    )
  },
  { maxWaiters: 1 },
)

withApi(
  'keys are taken in any case; one that nobody knows is refused by name',
  async ({ add, call, get }) => {
    const ids = [await add(PLAIN), await add(PLAIN), await add(PLAIN)]
    const ask = async (method: 'PUT' | 'DELETE', payload: string) => {
      const { status, json } = await call({ method, url: '/api/v1/messages', payload })
      return status === 200 ? status : json.Error
    }
    assert.equal(await ask('PUT', JSON.stringify({ ids: [ids[0]], READ: true })), 200)
    assert.equal((await get('/messages')).json.unread, 2)
    assert.equal(await ask('DELETE', JSON.stringify({ iDs: [ids[0]] })), 200)
    assert.equal((await get('/messages')).json.total, 2)
    const refusals = [
      ['PUT', '{"id":["x"],"Read":true}', /"id"/],
      ['PUT', '{"IDs":["x"],"ids":[]}', /"IDs" must be given once/],
      ['DELETE', '{"Ids":["x"],"all":true}', /"all"/],
      ['DELETE', '{"Read":true}', /"Read"/],
      ['DELETE', '{"__proto__":["x"]}', /"__proto__"/],
      ['DELETE', `{"${'k'.repeat(900_000)}":1}`, /^.{1,100}$/],
    ] as const
    for (const [method, payload, reason] of refusals) assert.match(String(await ask(method, payload)), reason)
    const { total, unread } = (await get('/messages')).json
    assert.deepEqual([total, unread], [2, 2])
  },
)
