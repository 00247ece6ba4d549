import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { withApi } from '#test/inbox-world.ts'

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
