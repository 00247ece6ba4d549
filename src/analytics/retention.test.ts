import assert from 'node:assert/strict'
import { eventWrite } from '#events/events.ts'
import { newId } from '#store/id.ts'
import { historyWorld, makeDomain, rowsOf } from '#test/history-world.ts'
import { onBothEngines } from '#test/stores.ts'

const DAY = 86_400_000
const NOON = Date.UTC(2026, 9, 20, 12)

onBothEngines('what is older than it may be is not told, and then not there', async (_t, open) => {
  let now = NOON
  await using world = await historyWorld(open, { days: 31, now: () => now })
  const { store, history, projector, domain } = world
  const scope = { accountId: domain.accountId }
  const ids = [0, 15, 31, 32].map((days) => ({ days, messageId: newId() }))
  for (const { days, messageId } of ids) {
    await store.commit([
      eventWrite({
        ...{
          type: 'accepted',
          at: NOON - days * DAY,
          accountId: domain.accountId,
          domainId: domain.id,
          messageId,
        },
        ...{ deliveryId: null, terminal: false },
        detail: { sender: 'a@one.example', recipients: ['x@y.example'], subject: `${days}` },
      }),
    ])
  }
  await projector.caughtUp()
  const subjects = async () => rowsOf(await history.events({ scope, limit: 9 })).map(({ subject }) => subject)
  const counts = async () =>
    rowsOf(await history.groups({ scope, by: ['date'], limit: 9 })).map(({ count, dimensions }) => [
      (NOON - (NOON % DAY) - Number(dimensions.date)) / DAY,
      count,
    ])
  assert.deepEqual(await subjects(), ['0', '15', '31'])
  assert.deepEqual(await counts(), [
    [31, 1],
    [15, 1],
    [0, 1],
  ])
  await history.forget()
  now = NOON + 16 * DAY
  assert.deepEqual(await subjects(), ['0', '15'])
  assert.deepEqual(await counts(), [
    [15, 1],
    [0, 1],
  ])
  await history.forget()
  // Another clock would see what is there.
  now = NOON
  assert.deepEqual(await subjects(), ['0', '15'])
  assert.deepEqual(await counts(), [
    [15, 1],
    [0, 1],
  ])
  // What comes late is of a day that is over, and makes that day again.
  const { accountId, id: domainId } = domain
  const late = {
    accountId,
    domainId,
    at: NOON - 20 * DAY,
    messageId: ids[2]?.messageId ?? '',
    deliveryId: 'd',
  }
  const detail = { sender: 'a@one.example', recipient: 'x@y.example' }
  await store.commit([eventWrite({ ...late, type: 'delivered', terminal: true, detail })])
  await projector.caughtUp()
  assert.deepEqual(await counts(), [
    [20, 1],
    [15, 1],
    [0, 1],
  ])
})

onBothEngines('a question is given up after its time', async (_t, open) => {
  // No process starts, and no connection is made, in so short a time.
  await using world = await historyWorld(open, { limitMs: 1 })
  const scope = { accountId: world.domain.accountId }
  const first = eventWrite({
    ...{ type: 'accepted', at: Date.now(), accountId: scope.accountId, domainId: null, messageId: newId() },
    ...{ deliveryId: null, terminal: false },
    detail: { sender: 'a@one.example', recipients: ['x@y.example'] },
  })
  await world.store.commit([first])
  await world.projector.caughtUp()
  assert.deepEqual(await world.history.events({ scope, limit: 9 }), { kind: 'too-slow', limitMs: 1 })
})

onBothEngines('accounts do not see each other', async (_t, open) => {
  await using world = await historyWorld(open)
  const { store, history, projector, domain } = world
  const other = await makeDomain(store, { name: 'other.example' })
  const [messageId, at] = [newId(), Date.now()]
  for (const { accountId, id: domainId } of [domain, other]) {
    await store.commit([
      eventWrite({
        ...{ type: 'accepted', at, accountId, domainId, messageId, deliveryId: null, terminal: false },
        detail: { sender: 'a@one.example', recipients: ['x@y.example'], subject: domainId },
      }),
    ])
  }
  await projector.caughtUp()
  const mine = { accountId: domain.accountId }
  const foreign = { ...mine, zoneIds: [other.zoneId] }
  const subjects = async (scope: { accountId: string; zoneIds?: string[] }) => {
    const filter = { or: [{ field: 'to', is: 'eq', value: 'x@y.example' }, { or: [] }] } as const
    return rowsOf(await history.events({ scope, limit: 9, filter })).map(({ subject }) => subject)
  }
  assert.deepEqual(await subjects(mine), [domain.id])
  assert.deepEqual(await subjects(foreign), [])
  assert.deepEqual(rowsOf(await history.groups({ scope: foreign, by: ['to'], limit: 9 })), [])
  assert.equal(rowsOf(await history.groups({ scope: mine, by: ['status', 'to'], limit: 9 }))[0]?.count, 1)
  assert.equal((await history.timeline({ ...mine, messageId, limit: 9 })).length, 1)
})
