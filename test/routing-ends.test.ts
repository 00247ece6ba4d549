import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openSqliteStore } from '#store/open-sqlite.ts'
import { StoreFull } from '#store/store.ts'
import { fillStore, unfillStore } from '#test/full-store.ts'
import { startGatedPeer } from '#test/gated-peer.ts'
import { onTheWire, openMxClient } from '#test/mx-client.ts'
import { ACCOUNT, checkInvariants, countRows, deliveriesIn, until } from '#test/outbound.ts'
import { LETTER, openRoutingWorld, type RoutingWorld } from '#test/routing-world.ts'
import { startScriptedPeer } from '#test/scripted-peer.ts'
import { onBothEngines, openTestStore } from '#test/stores.ts'

/** Each recipient of a stranger's mail has one end, which its sender, or its owner, or both can tell: 250 and delivered
 *  or queued, or a refusal that the sender heard, or a notice. */
const OK = '250 2.0.0 Ok'
const PATIENT = { finalDotMs: 20_000 }
const large = LETTER('large') + `${'0123456789abcdef'.repeat(4)}\n`.repeat(8000)

/** Nothing of what came in is kept beyond its end. */
async function checkEmpty(world: RoutingWorld): Promise<void> {
  assert.deepEqual(await world.spooled(), [])
  assert.equal(world.charged(), 0)
}

onBothEngines('several recipients, each with an end of its own', async (t, open) => {
  let patience = 0
  const good = await startScriptedPeer(t, {})
  const bad = await startScriptedPeer(t, {
    answer: (command) =>
      command.startsWith('RCPT')
        ? command.includes('busy')
          ? patience++ < 1
            ? '450 4.2.0 Greylisted'
            : undefined
          : '550-5.1.1 There is\r\n550 5.1.1 nobody here'
        : undefined,
  })
  const sender = await startScriptedPeer(t, {})
  await using world = await openRoutingWorld(open, {
    peers: { 'good.example': good.port, 'bad.example': bad.port, 'pass.example': sender.port },
  })
  await world.rule('good@routed.example', 'box@good.example')
  await world.rule('busy@routed.example', 'busy@bad.example')
  await world.rule('gone@routed.example', 'gone@bad.example')
  await world.rule('void@routed.example', 'drop')
  await world.rule('dead@routed.example', 'box@nowhere.example')
  const to = ['good', 'busy', 'gone', 'void', 'dead'].map((name) => `${name}@routed.example`)
  const { rcpt, reply } = await world.send({ to: [...to, 'nobody@routed.example'] })
  assert.match(rcpt.at(-1) ?? '', /^550 5\.1\.1 /)
  assert.equal(reply, OK)
  await until('delivered', async () => (await world.typesOf('busy@routed.example')).includes('delivered'))
  for (const [name, types] of Object.entries({
    good: ['delivered'],
    busy: ['accepted', 'deferred', 'delivered'],
    gone: ['bounced'],
    void: ['dropped'],
    dead: ['bounced'],
  }))
    assert.deepEqual(await world.typesOf(`${name}@routed.example`), types, name)
  await until('both notices', () => sender.taken.length === 2)
  const told = new Set(sender.taken.map((raw) => /^Final-Recipient: rfc822; (\S+)/m.exec(raw)?.[1]))
  assert.deepEqual(told, new Set(['dead@routed.example', 'gone@routed.example']))
  assert.match(sender.commands.find((command) => command.startsWith('MAIL')) ?? '', /^MAIL FROM:<>/)
  await checkInvariants(open.store)
  await checkEmpty(world)
})

onBothEngines('a notice says nothing of where the message was to go', async (t, open) => {
  const bad = await startScriptedPeer(t, {
    answer: (command) => (command.includes('box@') ? '550 5.1.1 Nobody' : undefined),
  })
  await using world = await openRoutingWorld(open, {
    peers: { 'bad.example': bad.port, 'good.example': bad.port, 'pass.example': bad.port },
  })
  await world.rule('bad@routed.example', 'box@bad.example')
  await world.rule('good@routed.example', 'fine@good.example')
  assert.equal((await world.send({ to: ['bad@routed.example', 'good@routed.example'] })).reply, OK)
  const notice = await until('a notice', () => bad.taken.find((raw) => raw.includes('delivery-status')))
  assert.match(notice, /^Final-Recipient: rfc822; bad@routed\.example/m)
  assert.doesNotMatch(notice, /box@bad\.example/)
})

onBothEngines('refused by all of them, it is refused, and nobody gets a notice', async (t, open) => {
  const bad = await startScriptedPeer(t, {
    answer: (command) => (command === '.' ? '554 5.7.1 Looks like \x1b[31mspam\x07' : undefined),
  })
  await using world = await openRoutingWorld(open, { peers: { 'bad.example': bad.port } })
  await world.rule('one@routed.example', 'one@bad.example')
  await world.rule('two@routed.example', 'two@bad.example')
  const { reply } = await world.send({ to: ['one@routed.example', 'two@routed.example'] })
  assert.match(reply, /^554 5\.7\.1 [ -~]*spam[ -~]* \(mx\.bad\.example\)$/)
  assert.equal(await countRows(open.store, 'message'), 0)
  const events = [
    ...(await world.eventsOf('one@routed.example')),
    ...(await world.eventsOf('two@routed.example')),
  ]
  assert.deepEqual(
    events.map(({ type, terminal }) => [type, terminal]),
    [
      ['bounced', 1],
      ['bounced', 1],
    ],
  )
  assert.equal(await countRows(open.store, 'suppression'), 0, 'a forward suppresses nobody')
})

for (const [what, fault, reply] of [
  ['is full', new StoreFull('full'), /^452 4\.3\.1 /],
  ['breaks', new Error('the store is broken'), /^451 4\.3\.\d /],
] as const) {
  onBothEngines(`where the store ${what} for one of several, none is told a lie`, async (t, open) => {
    const good = await startGatedPeer(t)
    const bad = await startScriptedPeer(t, {
      answer: (command) => (command.startsWith('RCPT') ? '550 5.1.1 Gone' : undefined),
    })
    const busy = await startScriptedPeer(t, {
      answer: (command) => (command.startsWith('RCPT') ? '450 4.2.0 Later' : undefined),
    })
    const peers = { 'good.example': good.port, 'bad.example': bad.port, 'busy.example': busy.port }
    let broken = true
    await using world = await openRoutingWorld(open, {
      peers,
      attemptMs: 10_000,
      timeouts: PATIENT,
      around: ({ queue }) => ({
        queue: {
          promise: (order) => (broken ? Promise.reject(fault) : queue.promise(order)),
        },
      }),
    })
    await world.rule('busy@routed.example', 'box@busy.example')
    await world.rule('good@routed.example', 'box@good.example')
    await world.rule('gone@routed.example', 'box@bad.example')
    const to = ['busy', 'good', 'gone'].map((name) => `${name}@routed.example`)
    const answering = world.send({ to, content: large })
    await until('the good one waits', () => good.waiting() === 1)
    good.open()
    assert.match((await answering).reply, reply)
    assert.deepEqual(await world.typesOf('good@routed.example'), ['delivered'])
    assert.deepEqual(await world.typesOf('gone@routed.example'), ['bounced'])
    assert.equal(await countRows(open.store, 'message'), 0, 'nothing was promised, and nobody gets a notice')
    assert.equal(good.taken.length, 1)
    assert.ok(good.taken[0]?.includes(large.replaceAll('\n', '\r\n')), 'whole')
    await checkEmpty(world)
    broken = false
    assert.equal((await world.send({ to, content: large })).reply, OK)
  })
}

onBothEngines('a destination that answers after the wait: 250, and one copy', async (t, open) => {
  for (const [name, content] of [
    ['small', LETTER('small')],
    ['large', large],
  ] as const) {
    await t.test(name, async (t) => {
      const slow = await startGatedPeer(t)
      await using world = await openRoutingWorld(open, {
        ...{ zoneName: `${name}.example`, peers: { 'slow.example': slow.port } },
        ...{ attemptMs: 50, timeouts: PATIENT },
      })
      await world.rule(`a@${name}.example`, 'box@slow.example')
      assert.equal((await world.send({ to: `a@${name}.example`, content })).reply, OK)
      await checkEmpty(world)
      assert.deepEqual(await world.typesOf(`a@${name}.example`), ['accepted'])
      slow.open()
      await until('delivered', async () => (await world.typesOf(`a@${name}.example`)).includes('delivered'))
      assert.deepEqual(await world.typesOf(`a@${name}.example`), ['accepted', 'delivered'])
      assert.equal(slow.taken.length, 1)
      assert.ok(slow.taken[0]?.includes(content.replaceAll('\n', '\r\n')), 'whole')
    })
  }
})

onBothEngines('what was delivered after the wait lets go of its content', async (t, open) => {
  const slow = await startGatedPeer(t)
  await using world = await openRoutingWorld(open, {
    ...{ peers: { 'slow.example': slow.port }, attemptMs: 50, timeouts: PATIENT },
  })
  await world.rule('a@routed.example', 'box@slow.example')
  assert.equal((await world.send({ to: 'a@routed.example' })).reply, OK)
  slow.open()
  await until('delivered', async () => (await world.typesOf('a@routed.example')).includes('delivered'))
  await checkInvariants(open.store)
})

onBothEngines('a destination that refuses after the wait: its sender gets a notice', async (t, open) => {
  const slow = await startGatedPeer(t)
  const sender = await startScriptedPeer(t, {})
  await using world = await openRoutingWorld(open, {
    ...{ peers: { 'slow.example': slow.port, 'pass.example': sender.port } },
    ...{ attemptMs: 50, timeouts: PATIENT },
  })
  await world.rule('a@routed.example', 'box@slow.example')
  assert.equal((await world.send({ to: 'a@routed.example' })).reply, OK)
  slow.open({ code: 550, enhanced: '5.7.1', text: 'No' })
  await until('a notice', () => sender.taken.length === 1)
  assert.deepEqual(await world.typesOf('a@routed.example'), ['accepted', 'bounced'])
})

onBothEngines(
  'more than the engine takes at once is promised, and a large one outlives its spool file',
  async (t, open) => {
    const slow = await startGatedPeer(t)
    await using world = await openRoutingWorld(open, {
      ...{ peers: { 'slow.example': slow.port }, attemptMs: 100, timeouts: PATIENT, retryMs: [20] },
      limits: { connections: 1, messagesPerConnection: 1000, messagesPerSecond: Number.POSITIVE_INFINITY },
    })
    await world.rule('a@routed.example', 'box@slow.example')
    const all = Array.from({ length: 4 }, (_, index) =>
      world.send({
        to: 'a@routed.example',
        content: large.replace('Subject: large', `Subject: large ${index}`),
      }),
    )
    for (const { reply } of await Promise.all(all)) assert.equal(reply, OK)
    await checkEmpty(world)
    slow.open()
    await until('all are delivered', async () => {
      const rows = await deliveriesIn(open.store)
      return rows.every(({ state }) => state === 'delivered')
    })
    const subjects = slow.taken.map((raw) => /^Subject: (.*)\r$/m.exec(raw.toString('latin1'))?.[1])
    assert.equal(subjects.length, 4)
    assert.deepEqual(new Set(subjects), new Set(['large 0', 'large 1', 'large 2', 'large 3']))
  },
)

onBothEngines(
  'no host, no DNS, no room: taken, queued, and delivered when they are back',
  async (t, open) => {
    const later = await startScriptedPeer(t, {})
    let room = false
    await using world = await openRoutingWorld(open, {
      retryMs: [100],
      around: ({ attempt }) => ({
        attempt: (delivery, withinMs) =>
          room || delivery.recipientDomain !== 'room.example' ? attempt(delivery, withinMs) : undefined,
      }),
    })
    // Port 9 of this machine: nobody is there.
    world.peers.set('down.example', 9)
    await world.rule('down@routed.example', 'box@down.example')
    await world.rule('room@routed.example', 'box@room.example')
    await world.rule('dns@routed.example', 'box@broken.example')
    for (const name of ['down', 'room', 'dns'])
      assert.equal((await world.send({ to: `${name}@routed.example` })).reply, OK, name)
    await until('put off', async () => (await world.typesOf('dns@routed.example')).includes('deferred'))
    world.peers.set('down.example', later.port)
    world.peers.set('room.example', later.port)
    room = true
    for (const name of ['down', 'room'])
      await until(name, async () => (await world.typesOf(`${name}@routed.example`)).includes('delivered'))
    assert.equal(later.taken.length, 2)
    const [row] = (await deliveriesIn(open.store)).filter(
      ({ recipient }) => recipient === 'box@broken.example',
    )
    assert.equal(row?.account_id, ACCOUNT)
    assert.ok(row?.settled_at === null)
  },
)

test('a disk that is full: refused for now by every way, and nothing left behind', async (t) => {
  await using open = await openTestStore('sqlite')
  await open.close()
  const store = await openSqliteStore({ directory: open.directory, maxPages: 400 })
  const busy = await startScriptedPeer(t, {
    answer: (command) => (command.startsWith('RCPT') ? '450 4.2.0 Later' : undefined),
  })
  {
    await using world = await openRoutingWorld({ ...open, store }, { peers: { 'busy.example': busy.port } })
    await world.rule('busy@routed.example', 'box@busy.example')
    await world.rule('void@routed.example', 'drop')
    await fillStore(store)
    for (const content of [LETTER(), large])
      assert.match((await world.send({ to: 'busy@routed.example', content })).reply, /^452 4\.3\.1 /)
    assert.match((await world.send({ to: 'void@routed.example' })).reply, /^45[12] 4\.3\.\d /)
    await checkEmpty(world)
    await unfillStore(store)
    assert.equal((await world.send({ to: 'void@routed.example' })).reply, OK)
    assert.equal((await world.send({ to: 'busy@routed.example' })).reply, OK)
  }
  await store.close()
})

onBothEngines(
  'a sender that leaves after its final dot: one copy, one event, nothing left',
  async (t, open) => {
    const slow = await startGatedPeer(t)
    await using world = await openRoutingWorld(open, {
      ...{ peers: { 'slow.example': slow.port }, attemptMs: 10_000, timeouts: PATIENT },
    })
    await world.rule('a@routed.example', 'box@slow.example')
    {
      using client = await openMxClient(world.port)
      await client.ask('MAIL FROM:<someone@pass.example>')
      await client.ask('RCPT TO:<a@routed.example>')
      await client.ask('DATA')
      client.write(onTheWire(large))
      await until('it is on its way', () => slow.waiting() === 1)
    }
    slow.open()
    await until('delivered', async () => (await world.typesOf('a@routed.example')).length > 0)
    assert.deepEqual(await world.typesOf('a@routed.example'), ['delivered'])
    assert.equal(slow.taken.length, 1)
    await until('the spool is empty', async () => (await world.spooled()).length === 0)
    await checkEmpty(world)
  },
)

onBothEngines('a sender that leaves before its final dot leaves nothing', async (t, open) => {
  const dest = await startScriptedPeer(t, {})
  await using world = await openRoutingWorld(open, { peers: { 'dest.example': dest.port } })
  await world.rule('a@routed.example', 'box@dest.example')
  for (const length of [100, 100_000, large.length - 10]) {
    using client = await openMxClient(world.port)
    await client.ask('MAIL FROM:<someone@pass.example>')
    await client.ask('RCPT TO:<a@routed.example>')
    await client.ask('DATA')
    client.write(onTheWire(large).subarray(0, length))
    await until('some of it has come', () => world.charged() > 0)
  }
  // Gone before it could hear that its content is wanted.
  for (let round = 0; round < 20; round++) {
    using client = await openMxClient(world.port)
    const two = 'RCPT TO:<a@routed.example>\r\nRCPT TO:<A+b@routed.example>\r\n'
    client.write(`MAIL FROM:<someone@pass.example>\r\n${two}DATA\r\nx`)
    if (round % 2 === 0) await client.reply()
  }
  await until('nothing is left', async () => world.charged() === 0 && (await world.spooled()).length === 0)
  assert.equal(dest.connections(), 0)
  assert.deepEqual(await world.typesOf('a@routed.example'), [])
})

onBothEngines(
  'a shutdown in the middle: whoever was told 250 finds it delivered or queued',
  async (t, open) => {
    const slow = await startGatedPeer(t)
    const replies: string[] = []
    {
      await using world = await openRoutingWorld(open, {
        ...{ peers: { 'slow.example': slow.port }, attemptMs: 30_000, timeouts: PATIENT },
      })
      await world.rule('a@routed.example', 'box@slow.example')
      const sending = Array.from({ length: 12 }, (_, index) =>
        world
          .send({ to: 'a@routed.example', content: index % 2 === 0 ? LETTER(`s${index}`) : large })
          .then(({ reply }) => void replies.push(reply))
          .catch(() => void replies.push('cut off')),
      )
      await until('some are on their way', () => slow.waiting() === 4)
      // As main.ts closes: the engine, then the door.
      await world.outbound.stop(100)
      await world.closeDoor(1000)
      await Promise.all(sending)
    }
    const taken = replies.filter((reply) => reply === OK).length
    assert.ok(taken > 0, replies.join())
    assert.ok(
      replies.every((reply) => /^(250|4\d\d|cut off)/.test(reply)),
      replies.join(),
    )
    const rows = await deliveriesIn(open.store)
    assert.ok(rows.length >= taken, `${rows.length} rows for ${taken} promises`)
    await open.reopen()
    slow.open()
    await using again = await openRoutingWorld(open, {
      ...{ zoneName: 'other.example', peers: { 'slow.example': slow.port }, timeouts: PATIENT },
    })
    await until('all are delivered', async () =>
      (await deliveriesIn(open.store)).every(({ state }) => state === 'delivered'),
    )
    await checkEmpty(again)
  },
)

onBothEngines('a peer that never answers, and hundreds of senders who wait for it', async (t, open) => {
  const slow = await startGatedPeer(t)
  const fast = await startScriptedPeer(t, {})
  await using world = await openRoutingWorld(open, {
    ...{ peers: { 'slow.example': slow.port, 'fast.example': fast.port } },
    ...{ attemptMs: 300, timeouts: PATIENT, retryMs: [20] },
    doorLimits: { connections: 1000, connectionsPerAddress: 1000 },
  })
  await world.rule('slow@routed.example', 'box@slow.example')
  await world.rule('fast@routed.example', 'box@fast.example')
  const waiting = Array.from({ length: 120 }, () => world.send({ to: 'slow@routed.example' }))
  const quick = Array.from({ length: 10 }, () => world.send({ to: 'fast@routed.example' }))
  for (const { reply } of await Promise.all([...waiting, ...quick])) assert.equal(reply, OK)
  assert.equal(fast.taken.length, 10)
  await checkEmpty(world)
  assert.equal((await deliveriesIn(open.store)).length, 120)
  slow.open()
  await until('all are delivered', async () =>
    (await deliveriesIn(open.store)).every(({ state }) => state === 'delivered'),
  )
  assert.equal(slow.taken.length, 120)
  const lane = { accountId: ACCOUNT, recipientDomain: 'slow.example' }
  await until('its room is free again', () => world.outbound.delivery.room(lane) >= 50)
})
