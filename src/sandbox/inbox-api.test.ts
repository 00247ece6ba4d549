import assert from 'node:assert/strict'
import { PLAIN, withApi } from '#test/inbox-world.ts'

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
