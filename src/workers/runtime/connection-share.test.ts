import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ConnectionShare } from './connection-share.ts'

test('each has its own connections, and all together what is common', async () => {
  await using opened = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'posthorn-test-'))
  opened.defer(() => rm(folder, { recursive: true, force: true }))
  const share = new ConnectionShare({ own: 2, common: 1 })

  /** Out: one that is kept, or undefined where it was closed at once. */
  async function openDoor(name: string): Promise<() => Promise<Socket | undefined>> {
    const server = createServer()
    opened.defer(() => void server.close())
    share.limit(server)
    server.on('connection', (socket) => !socket.destroyed && socket.write('HTTP/1.1 100 Continue\r\n\r\n'))
    server.listen(join(folder, name))
    await once(server, 'listening')
    return async () => {
      const socket = connect(join(folder, name))
      opened.defer(() => void socket.destroy())
      const ends = ['data', 'close', 'error'].map((event) => once(socket, event).then(() => event))
      return (await Promise.race(ends)) === 'data' ? socket : undefined
    }
  }

  const [first, second] = [await openDoor('a'), await openDoor('b')]
  const kept = [await first(), await first(), await first()]
  assert.ok(kept.every((socket) => socket))
  assert.equal(await first(), undefined)
  assert.ok((await second()) && (await second()))
  assert.equal(await second(), undefined)
  kept[0]?.destroy()
  const end = Date.now() + 5000
  let again: Socket | undefined
  while (!again && Date.now() < end) again = await second()
  assert.ok(again, 'what was given back is for whoever comes')
  assert.equal(await second(), undefined)
})
