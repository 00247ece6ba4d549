import assert from 'node:assert/strict'
import type { MailEvent } from '#model/event.ts'
import { statement } from '#store/store.ts'
import { onBothEngines } from '#test/stores.ts'
import { eventsOfMessage, eventWrite, timelinePage } from './events.ts'

const event = (more: Partial<MailEvent> = {}): MailEvent => ({
  type: 'deferred',
  at: 1000,
  accountId: 'account',
  domainId: null,
  messageId: 'message',
  deliveryId: 'delivery',
  terminal: false,
  detail: {},
  ...more,
})

const conflict = {
  statement: statement('test.conflict', `update account set name = name where id = 'nobody'`),
  params: [],
  rows: 1,
}

onBothEngines('the timeline of a message is its own account’s, oldest first', async (_t, { store }) => {
  const detail = { recipient: 'a@b.example', smtpReply: 'a "quoted"\n\u0000 reply 🙂', attempt: 2 }
  await store.commit([
    eventWrite(event({ type: 'accepted', deliveryId: null, at: 5000 })),
    eventWrite(event({ detail })),
    eventWrite(event({ accountId: 'other', type: 'dropped' })),
    eventWrite(event({ messageId: 'another' })),
  ])
  await store.commit([eventWrite(event({ type: 'delivered', terminal: true, at: 1 }))])
  const timeline = await eventsOfMessage(store, 'account', 'message')
  assert.deepEqual(
    timeline.map(({ type }) => type),
    ['accepted', 'deferred', 'delivered'],
  )
  assert.deepEqual(JSON.parse(timeline[1]?.detail ?? ''), detail)
  assert.deepEqual(await eventsOfMessage(store, 'nobody', 'message'), [])
})

onBothEngines('a timeline is read page by page, of one delivery too', async (_t, { store }) => {
  await store.commit([
    eventWrite(event({ type: 'accepted', deliveryId: null })),
    ...[1, 2, 3].map((attempt) => eventWrite(event({ detail: { attempt } }))),
    eventWrite(event({ deliveryId: 'other' })),
  ])
  const all = { accountId: 'account', messageId: 'message' }
  const first = await timelinePage(store, { ...all, limit: 2 })
  const rest = await timelinePage(store, { ...all, limit: 9, after: first[1]?.seq ?? 0 })
  assert.deepEqual([first.length, rest.length], [2, 3])
  const one = await timelinePage(store, { ...all, deliveryId: 'delivery', limit: 9 })
  assert.deepEqual(
    one.map(({ type }) => type),
    ['accepted', 'deferred', 'deferred', 'deferred'],
  )
  assert.deepEqual(await timelinePage(store, { ...all, accountId: 'nobody', limit: 9 }), [])
})

onBothEngines('an event exists only with what it tells of', async (_t, { store }) => {
  const result = await store.commit([eventWrite(event()), conflict])
  assert.equal(result.ok, false)
  assert.deepEqual(await eventsOfMessage(store, 'account', 'message'), [])
})

onBothEngines('promise 2: a delivery has one terminal event at most', async (_t, { store }) => {
  const terminal = event({ type: 'delivered', terminal: true })
  await store.commit([eventWrite(terminal), eventWrite(event())])
  await assert.rejects(store.commit([eventWrite({ ...terminal, type: 'bounced' })]))
  await store.commit([eventWrite({ ...terminal, deliveryId: 'another' })])
  // A request refused as a whole has no deliveries, and an event for each recipient.
  const rejected = event({ type: 'rejected', terminal: true, deliveryId: null })
  await store.commit([eventWrite(rejected), eventWrite(rejected)])
  const types = (await eventsOfMessage(store, 'account', 'message')).map(({ type }) => type)
  assert.deepEqual(types, ['delivered', 'deferred', 'delivered', 'rejected', 'rejected'])
})
