import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LIMITS, openDeliveryWorld } from '#test/delivery-world.ts'
import { checkInvariants, deliveriesIn, delivery, eventsIn, lanesIn, orderOf, until } from '#test/outbound.ts'
import { type Script, type ScriptedAnswer, startScriptedPeer } from '#test/scripted-peer.ts'
import { startSmtpServer } from '#test/smtp-server.ts'
import { onBothEngines, openTestStore } from '#test/stores.ts'

const MINUTE_MS = 60_000

function scriptedAt(phase: string, answer: ScriptedAnswer): Script {
  return phase === 'greeting'
    ? { greeting: () => answer }
    : { answer: (command) => (command.split(' ')[0] === phase ? answer : undefined) }
}

for (const phase of ['greeting', 'EHLO', 'MAIL', 'RCPT', 'DATA', '.'] as const) {
  onBothEngines(
    `421 at ${phase}: the host asks to be left alone, and is; no storm of attempts`,
    async (t, open) => {
      const peer = await startScriptedPeer(t, scriptedAt(phase, '421 4.3.2 Busy'))
      await using world = await openDeliveryWorld(open, {
        peers: { 'one.example': peer.port },
        retryMs: [MINUTE_MS],
      })
      await world.send(Array.from({ length: 40 }, (_, i) => `u${i}@one.example`))
      await until('all wait', async () =>
        (await deliveriesIn(open.store)).every(({ state }) => state === 'waiting'),
      )
      const attempts = (await deliveriesIn(open.store)).reduce((sum, row) => sum + row.attempts, 0)
      assert.ok(attempts >= 1 && attempts <= 4, `${attempts} attempts over 4 connections`)
      assert.ok(peer.connections() <= 4)
      const [lane] = await lanesIn(open.store)
      assert.equal(lane?.failures, 1)
      assert.match((await eventsIn(open.store))[0]?.detail['smtpReply'] as string, /^421 4\.3\.2 Busy/)
      await checkInvariants(open.store)
    },
  )
}

for (const phase of ['greeting', 'EHLO', 'MAIL', 'RCPT', 'DATA', '.'] as const) {
  for (const answer of ['silence', 'close', 'reset'] as const) {
    test(`${answer} at ${phase} is an attempt that is made again`, async (t) => {
      await using open = await openTestStore('sqlite')
      let faults = 1
      const peer = await startScriptedPeer(t, {
        greeting: () => (phase === 'greeting' && faults-- > 0 ? answer : '220 mx.test ESMTP'),
        answer: (command) => (command.split(' ')[0] === phase && faults-- > 0 ? answer : undefined),
      })
      await using world = await openDeliveryWorld(open, { peers: { 'one.example': peer.port } })
      const [id = ''] = await world.send('a@one.example')
      const row = await world.settled(id)
      assert.deepEqual([row.state, row.attempts], ['delivered', 2])
      const [event] = await eventsIn(open.store)
      const beforeSession = phase === 'greeting' || phase === 'EHLO'
      assert.equal(event?.detail['cause'], beforeSession ? 'host-unreachable' : 'connection-lost')
      await until('the lane has recovered', async () => (await lanesIn(open.store)).length === 0)
      await checkInvariants(open.store)
    })
  }
}

test('a connection lost half-way through a content is the delivery’s own attempt, not the lane’s', async (t) => {
  await using open = await openTestStore('sqlite')
  let faults = 1
  const peer = await startScriptedPeer(t, { midContent: () => (faults-- > 0 ? 'reset' : undefined) })
  await using world = await openDeliveryWorld(open, {
    peers: { 'one.example': peer.port },
    retryMs: [MINUTE_MS],
  })
  const [id = ''] = await world.send('a@one.example', { content: Buffer.alloc(3_000_000, 'x\r\n') })
  assert.equal((await world.putOff(id)).last_cause, 'connection-lost')
  const [lane] = await lanesIn(open.store)
  assert.equal(lane?.failures, 0)
})

test('a kept connection that the peer has closed costs no attempt', async (t) => {
  await using open = await openTestStore('sqlite')
  // Says goodbye to the second transaction, as hosts do that count messages or have timed the session out.
  const used = new Set<number>()
  const peer = await startScriptedPeer(t, {
    answer(command, connection) {
      if (!command.startsWith('MAIL')) return undefined
      if (used.has(connection)) return '421 4.7.0 That was enough'
      used.add(connection)
      return undefined
    },
  })
  await using world = await openDeliveryWorld(open, {
    peers: { 'one.example': peer.port },
    limits: { ...LIMITS, connections: 1 },
  })
  for (let i = 0; i < 4; i++) {
    for (const id of await world.send(`u${i}@one.example`))
      assert.equal((await world.settled(id)).attempts, 1)
  }
  assert.ok((await eventsIn(open.store)).every(({ type }) => type === 'delivered'))
  assert.equal(peer.taken.length, 4)
})

test('a session that ends over its refusals, as those of Postfix do, slows down nothing', async (t) => {
  await using open = await openTestStore('sqlite')
  const refusals = new Map<number, number>()
  const peer = await startScriptedPeer(t, {
    answer(command, connection) {
      const refused = refusals.get(connection) ?? 0
      if (command.startsWith('MAIL') && refused >= 5) return '421 4.7.0 mx.test Error: too many errors'
      if (!command.startsWith('RCPT')) return undefined
      refusals.set(connection, refused + 1)
      return '550 5.1.1 User unknown'
    },
  })
  await using world = await openDeliveryWorld(open, { peers: { 'one.example': peer.port } })
  const ids = await world.send(Array.from({ length: 50 }, (_, i) => `u${i}@one.example`))
  for (const id of ids) assert.equal((await world.settled(id)).attempts, 1)
})

test('but a host that always says so to the same delivery is not asked for ever', async (t) => {
  await using open = await openTestStore('sqlite')
  const peer = await startScriptedPeer(t, {
    answer: (command) => (command.startsWith(`MAIL FROM:<${poison}@`) ? 'close' : undefined),
  })
  await using world = await openDeliveryWorld(open, {
    peers: { 'one.example': peer.port },
    retryMs: [MINUTE_MS],
    limits: { ...LIMITS, connections: 2 },
  })
  const order = orderOf(['poison@one.example'])
  const poison = order.recipients[0]?.deliveryId ?? ''
  const before = await world.send(Array.from({ length: 20 }, (_, i) => `a${i}@one.example`))
  await world.queue.promise(order)
  const after = await world.send(Array.from({ length: 20 }, (_, i) => `b${i}@one.example`))
  await world.putOff(poison)
  const asked = peer.commands.filter((command) => command.startsWith(`MAIL FROM:<${poison}@`)).length
  assert.ok(asked <= 2, `${asked} times`)
  const others = await Promise.all([...before, ...after].map((id) => delivery(open.store, id)))
  assert.ok(others.every(({ attempts }) => attempts <= 1))
})

onBothEngines(
  'an unreachable host is one attempt for its lane; all arrives when it is back, by way of one probe',
  async (t, open) => {
    let down = true
    const peer = await startScriptedPeer(t, { greeting: () => (down ? 'close' : '220 mx.test ESMTP') })
    await using world = await openDeliveryWorld(open, { peers: { 'one.example': peer.port }, retryMs: [50] })
    const ids = await world.send(Array.from({ length: 30 }, (_, i) => `u${i}@one.example`))
    await until('some failures', async () => ((await lanesIn(open.store))[0]?.failures ?? 0) >= 3)
    const { failures } = (await lanesIn(open.store))[0] ?? assert.fail()
    const attempts = (await deliveriesIn(open.store)).reduce((sum, row) => sum + row.attempts, 0)
    assert.ok(attempts <= failures + 2, `${attempts} attempts, ${failures} failures of the lane`)
    down = false
    for (const id of ids) assert.equal((await world.settled(id)).state, 'delivered')
    assert.equal(peer.taken.length, 30)
    await until('no lane is left', async () => (await lanesIn(open.store)).length === 0)
    await checkInvariants(open.store)
  },
)

onBothEngines(
  'a restarted process knows nothing of the failures, and its first success frees the lane all the same',
  async (t, open) => {
    let down = true
    const peer = await startScriptedPeer(t, { greeting: () => (down ? 'close' : '220 mx.test ESMTP') })
    const peers = { 'one.example': peer.port }
    const before = await openDeliveryWorld(open, { peers, retryMs: [300] })
    const ids = await before.send(Array.from({ length: 30 }, (_, i) => `u${i}@one.example`))
    // Once or more: a slow machine may see the second attempt first.
    await until('the lane rests', async () => ((await lanesIn(open.store))[0]?.failures ?? 0) >= 1)
    await before[Symbol.asyncDispose]()
    down = false
    await using after = await openDeliveryWorld(open, { peers, retryMs: [300] })
    for (const id of ids) await after.settled(id)
    assert.equal(peer.taken.length, 30)
  },
)

onBothEngines('promise 4: silent hosts slow only themselves', async (t, open) => {
  const silent = await startScriptedPeer(t, { greeting: () => 'silence' })
  const quick = await startSmtpServer(t)
  const names = Array.from({ length: 30 }, (_, i) => `silent${i}.example`)
  const peers = {
    ...Object.fromEntries(names.map((name) => [name, silent.port])),
    'quick.example': quick.port,
  }
  await using world = await openDeliveryWorld(open, { peers, timeouts: { greetingMs: 20_000 } })
  const stuck = await Promise.all(
    names.map((name) => world.send(Array.from({ length: 20 }, (_, i) => `u${i}@${name}`))),
  )
  const ids: string[] = []
  for (let i = 0; i < 50; i++) ids.push(...(await world.send(`u${i}@quick.example`)))
  for (const id of ids) assert.equal((await world.settled(id)).state, 'delivered')
  const first = await delivery(open.store, stuck[0]?.[0] ?? '')
  assert.deepEqual([first.state, first.attempts], ['claimed', 0], 'the silent are still being waited for')
  await world.stop(0)
  await checkInvariants(open.store)
})

onBothEngines(
  'opportunistic TLS: a handshake that fails is followed by a session in clear',
  async (t, open) => {
    const peer = await startScriptedPeer(t, {
      answer: (command, connection) => {
        if (command.startsWith('EHLO'))
          return connection === 0 ? '250-mx.test\r\n250 STARTTLS' : '250 mx.test'
        return command === 'STARTTLS' ? '220 2.0.0 Go on' : undefined
      },
    })
    await using world = await openDeliveryWorld(open, { peers: { 'one.example': peer.port } })
    const [id = ''] = await world.send('a@one.example')
    const row = await world.settled(id)
    assert.deepEqual([row.state, row.attempts], ['delivered', 1])
    assert.equal((await eventsIn(open.store))[0]?.detail['tls'], undefined)
    assert.equal(peer.connections(), 2)
  },
)

test('an address that is none of SMTP’s stumbles, and the connection serves the others', async (t) => {
  await using open = await openTestStore('sqlite')
  const peer = await startSmtpServer(t)
  await using world = await openDeliveryWorld(open, {
    peers: { 'one.example': peer.port },
    retryMs: [MINUTE_MS],
    returnPathTag: (id) => (id === bad ? 'a b>' : id),
  })
  const order = orderOf(['bad@one.example'])
  const bad = order.recipients[0]?.deliveryId ?? ''
  await world.queue.promise(order)
  const [good = ''] = await world.send('good@one.example')
  assert.equal((await world.settled(good)).state, 'delivered')
  assert.equal((await world.putOff(bad)).last_cause, 'other')
})
