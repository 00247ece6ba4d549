import assert from 'node:assert/strict'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import pino from 'pino'
import { openHistory } from '#analytics/history.ts'
import { eventWrite } from '#events/events.ts'
import { newId } from '#store/id.ts'
import { historyWorld, rowsOf } from '#test/history-world.ts'
import { openTestStore } from '#test/stores.ts'

test('a damaged file is set aside, and history begins anew', async () => {
  await using open = await openTestStore('sqlite')
  const folder = join(open.directory, 'history')
  const lines: string[] = []
  const log = pino({}, { write: (line: string) => void lines.push(line) })
  const { store, directory } = open
  const openAgain = () => openHistory({ store, directory, url: undefined, log, days: 31, now: Date.now })
  await (await openAgain()).close()
  for (const damage of [Buffer.alloc(65_536, 'A'), Buffer.from('SQLite format 3\0and no more'.repeat(200))]) {
    writeFileSync(join(folder, 'posthorn.sqlite'), damage)
    await (await openAgain()).close()
    const told = lines.splice(0).map((line): { msg: string; aside: string } => JSON.parse(line))
    assert.match(told[0]?.msg ?? '', /damaged and was set aside/)
    const aside = told[0]?.aside ?? ''
    assert.ok(existsSync(join(aside, 'posthorn.sqlite')))
  }
  assert.equal(readdirSync(folder).filter((name) => name.startsWith('damaged-')).length, 2)
  await using world = await historyWorld(open)
  const { accountId, id: domainId } = world.domain
  const of = { accountId, domainId, messageId: newId(), deliveryId: null, terminal: false, at: Date.now() }
  const detail = { sender: 'a@one.example', recipients: ['x@y.example'], subject: 'Hello' }
  await store.commit([eventWrite({ ...of, type: 'accepted', detail })])
  await world.projector.caughtUp()
  assert.equal(rowsOf(await world.history.events({ scope: { accountId }, limit: 9 })).length, 1)
})
