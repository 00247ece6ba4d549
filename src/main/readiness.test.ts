import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { eventWrite } from '#events/events.ts'
import { onBothEngines } from '#test/stores.ts'
import { openReadiness } from './readiness.ts'

onBothEngines(
  'what is not ready is named, nothing else is held up by it, and history may be behind',
  async (t, { store }) => {
    const server = createServer((socket) => socket.destroy())
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
    t.after(() => server.close())
    const { port } = server.address() as AddressInfo
    const look = (more: Partial<Parameters<typeof openReadiness>[0]> = {}) =>
      openReadiness({ store, write: async () => undefined, doors: { mx: port }, now: () => 1000, ...more })()
    assert.deepEqual(await look(), [
      { part: 'store', ready: true },
      { part: 'door:mx', ready: true },
      { part: 'projector', ready: true },
    ])
    await store.commit([
      eventWrite({
        ...{ type: 'accepted', at: 1000, accountId: 'a', domainId: null, messageId: 'm', deliveryId: null },
        ...{ terminal: false, detail: {} },
      }),
    ])
    const closed = createServer()
    await new Promise<void>((resolve) => void closed.listen(0, '127.0.0.1', resolve))
    const { port: nobody } = closed.address() as AddressInfo
    await new Promise((resolve) => closed.close(resolve))
    const parts = await look({
      write: () => Promise.reject(new Error('the disk is full')),
      doors: { mx: port, submission: nobody },
      now: () => 1000 + 3_600_000,
    })
    assert.deepEqual(
      parts.map(({ part, ready }) => [part, ready]),
      [
        ['store', false],
        ['door:mx', true],
        ['door:submission', false],
        ['projector', true],
      ],
    )
    const detail = (name: string) => parts.find(({ part }) => part === name)?.detail
    assert.equal(detail('store'), 'the disk is full')
    assert.match(detail('door:submission') ?? '', /ECONNREFUSED/)
    assert.deepEqual(parts.at(-1), {
      ...{ part: 'projector', ready: true },
      warning: 'history and webhooks are 3600 s behind; mail goes on',
    })
    const hangs = await look({ write: () => new Promise(() => undefined) })
    assert.match(hangs[0]?.detail ?? '', /no answer within/)
  },
)
