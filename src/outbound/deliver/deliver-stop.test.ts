import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openSqliteStore } from '#store/open-sqlite.ts'
import { StoreFull, statement } from '#store/store.ts'
import { LIMITS, openDeliveryWorld } from '#test/delivery-world.ts'
import { fillStore, unfillStore } from '#test/full-store.ts'
import { checkInvariants, deliveriesIn, delivery, eventsIn, orderOf, until } from '#test/outbound.ts'
import { startScriptedPeer } from '#test/scripted-peer.ts'
import { startSmtpServer } from '#test/smtp-server.ts'
import { onBothEngines, openTestStore } from '#test/stores.ts'

onBothEngines(
  'SIGTERM under load: what is in flight finishes, the rest goes back, and nothing is sent twice',
  async (t, open) => {
    const peer = await startSmtpServer(t, {
      handler: {
        rcpt: async () => {
          await sleep(5)
          return undefined
        },
      },
    })
    const peers = { 'one.example': peer.port, 'two.example': peer.port, 'three.example': peer.port }
    const domains = Object.keys(peers)
    const ids: string[] = []
    let { store } = open
    for (let run = 0; run < 3; run++) {
      const world = await openDeliveryWorld({ store, directory: open.directory }, { peers })
      for (let i = 0; i < 60; i++) ids.push(...(await world.send(`u${run}-${i}@${domains[i % 3]}`)))
      await world[Symbol.asyncDispose]()
      const states = new Set((await deliveriesIn(store)).map(({ state }) => state))
      assert.ok(!states.has('claimed'), 'nothing is stuck')
      await checkInvariants(store)
      store = await open.reopen()
    }
    await using last = await openDeliveryWorld({ store, directory: open.directory }, { peers })
    for (const id of ids) assert.equal((await last.settled(id)).state, 'delivered')
    const senders = peer.messages.map(({ from }) => from)
    assert.equal(new Set(senders).size, ids.length)
    assert.equal(senders.length, ids.length, 'DUP = 0')
    assert.ok((await eventsIn(store)).every(({ type }) => type === 'delivered'))
  },
)

onBothEngines(
  'a shutdown does not wait for hosts that are silent, and blames nobody for it',
  async (t, open) => {
    const mute = await startScriptedPeer(t, { greeting: () => 'silence' })
    const stuck = await startScriptedPeer(t, {
      answer: (command) => (command.startsWith('MAIL') ? 'silence' : undefined),
    })
    const peers = { 'mute.example': mute.port, 'stuck.example': stuck.port }
    const world = await openDeliveryWorld(open, {
      peers,
      timeouts: { greetingMs: 600_000, mailMs: 600_000 },
      limits: { ...LIMITS, connections: 2 },
    })
    const recipients = Array.from({ length: 10 }, (_, i) => [
      `u${i}@mute.example`,
      `u${i}@stuck.example`,
    ]).flat()
    await world.send(recipients)
    await until('both are at work', () => mute.connections() === 2 && stuck.commands.length === 4)
    await world.stop(100)
    await world[Symbol.asyncDispose]()
    for (const row of await deliveriesIn(open.store))
      assert.deepEqual([row.state, row.attempts], ['waiting', 0])
    assert.deepEqual(await eventsIn(open.store), [])
    await checkInvariants(open.store)
  },
)

onBothEngines(
  'a shutdown while a name is looked up gives back what waits for the answer',
  async (_t, open) => {
    const world = await openDeliveryWorld(open, {
      resolver: {
        mx: () => new Promise(() => {}),
        addresses: () => new Promise(() => {}),
        txt: () => new Promise(() => {}),
      },
    })
    const [id = ''] = await world.send('a@one.example')
    await world.stop(5000)
    assert.equal((await delivery(open.store, id)).state, 'waiting')
    await world[Symbol.asyncDispose]()
  },
)

onBothEngines('what is promised while the engine stops is not lost', async (t, open) => {
  const peer = await startSmtpServer(t)
  const world = await openDeliveryWorld(open, { peers: { 'one.example': peer.port } })
  const sending = Array.from({ length: 50 }, (_, i) => world.send(`u${i}@one.example`))
  const stopping = world.stop(2000)
  const ids = (await Promise.all(sending)).flat()
  await stopping
  await world[Symbol.asyncDispose]()
  assert.ok((await deliveriesIn(open.store)).every(({ state }) => state !== 'claimed'))
  await using again = await openDeliveryWorld(open, { peers: { 'one.example': peer.port } })
  for (const id of ids) await again.settled(id)
  assert.equal(peer.messages.length, 50)
})

onBothEngines(
  'what was held for long is looked at again: it may be ours no more, and is not sent',
  async (t, open) => {
    let now = Date.now()
    let goOn = () => {}
    const held = new Promise<undefined>((resolve) => {
      goOn = () => resolve(undefined)
    })
    const peer = await startSmtpServer(t, { handler: { rcpt: () => held } })
    await using world = await openDeliveryWorld(open, {
      peers: { 'one.example': peer.port },
      timeouts: { rcptMs: 60_000 },
      limits: { ...LIMITS, connections: 1 },
      now: () => now,
    })
    const ids: string[] = []
    for (const local of ['a', 'b', 'c']) ids.push(...(await world.send(`${local}@one.example`)))
    const [a = '', b = '', c = ''] = ids
    await until('a is under way', () => peer.senders.length === 1)
    // The process stood still for a minute, and another took its claims.
    now += 60_000
    await open.store.commit([
      { statement: addNode, params: [] },
      { statement: takeAway, params: [b] },
    ])
    goOn()
    await world.settled(a)
    await world.settled(c)
    assert.equal((await delivery(open.store, b)).claim_token, 'theirs')
    assert.deepEqual(
      peer.messages.map(({ to }) => to),
      [['a@one.example'], ['c@one.example']],
    )
  },
)

const addNode = statement(
  'test.add-node',
  `insert into node (id, started_at, heartbeat_at) values ('other', {now}, {now})`,
)
const takeAway = statement(
  'test.take-away',
  `update delivery set claim_node = 'other', claim_token = 'theirs' where id = $1`,
)

test('a full disk: a 250 is recorded once there is room, and the message is not sent again', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'posthorn-test-'))
  const store = await openSqliteStore({ directory, maxPages: 400 })
  t.after(async () => {
    await store.close()
    await rm(directory, { recursive: true, force: true })
  })
  let answer = () => {}
  const peer = await startSmtpServer(t, {
    handler: {
      rcpt: () =>
        new Promise((resolve) => {
          answer = () => resolve(undefined)
        }),
    },
  })
  await using world = await openDeliveryWorld(
    { store, directory },
    { peers: { 'one.example': peer.port }, timeouts: { rcptMs: 60_000 } },
  )
  const [id = ''] = await world.send('a@one.example')
  await until('the recipient is named', () => peer.senders.length === 1)
  await fillStore(store)
  await assert.rejects(
    world.queue.promise(orderOf(['b@one.example'], { content: Buffer.alloc(50_000) })),
    StoreFull,
  )
  answer()
  await until('it is taken', () => peer.messages.length === 1)
  await sleep(250)
  assert.equal((await delivery(store, id)).state, 'claimed')
  await unfillStore(store)
  assert.equal((await world.settled(id)).state, 'delivered')
  assert.equal(peer.messages.length, 1)
  await checkInvariants(store)
})

test('a full disk while a host is down: the lane rests once that can be written, and goes on', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'posthorn-test-'))
  const store = await openSqliteStore({ directory, maxPages: 400 })
  t.after(async () => {
    await store.close()
    await rm(directory, { recursive: true, force: true })
  })
  let greet = () => {}
  let down = true
  const peer = await startSmtpServer(t, {
    handler: {
      connect: () =>
        down
          ? new Promise((resolve) => {
              greet = () => resolve({ code: 421, text: 'Down' })
            })
          : undefined,
    },
  })
  await using world = await openDeliveryWorld(
    { store, directory },
    {
      peers: { 'one.example': peer.port },
      timeouts: { greetingMs: 60_000 },
      limits: { ...LIMITS, connections: 1 },
    },
  )
  const [id = ''] = await world.send('a@one.example')
  await until('it is being asked', () => peer.server.connections === 1)
  await fillStore(store)
  greet()
  down = false
  await sleep(250)
  assert.equal((await delivery(store, id)).state, 'claimed')
  await unfillStore(store)
  const row = await world.settled(id)
  assert.deepEqual([row.state, row.attempts], ['delivered', 2])
  await checkInvariants(store)
})

test('a claim whose rows could not be read comes back by itself', async (t) => {
  await using open = await openTestStore('sqlite')
  const peer = await startSmtpServer(t)
  let now = Date.now()
  await using world = await openDeliveryWorld(open, { peers: { 'one.example': peer.port }, now: () => now })
  const [id = ''] = await world.send('a@one.example')
  await world.settled(id)
  await open.store.commit([
    { statement: forgetEvents, params: [] },
    { statement: recount, params: [] },
    { statement: unheld, params: [id, world.node] },
  ])
  now += 20_000
  await sleep(1100)
  now += 20_000
  world.queue.wake()
  await until('it was sent again', () => peer.messages.length === 2)
  assert.equal((await world.settled(id)).state, 'delivered')
})

const unheld = statement(
  'test.unheld',
  `update delivery set state = 'claimed', settled_at = null, claim_token = 'lost', claim_node = $2 where id = $1`,
)
const forgetEvents = statement('test.forget-events', 'delete from event')
const recount = statement('test.recount', 'update message set unsettled = 1')
