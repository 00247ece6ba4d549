import assert from 'node:assert/strict'
import { PLAIN, withApi } from '#test/inbox-world.ts'

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
