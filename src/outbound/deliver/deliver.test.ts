import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { statement } from '#store/store.ts'
import { LIMITS, openDeliveryWorld } from '#test/delivery-world.ts'
import { checkInvariants, deliveriesIn, delivery, eventsIn, lanesIn, until } from '#test/outbound.ts'
import { startScriptedPeer } from '#test/scripted-peer.ts'
import { startSmtpServer } from '#test/smtp-server.ts'
import { onBothEngines } from '#test/stores.ts'

onBothEngines(
  'a message arrives byte for byte, one transaction and one return path a recipient',
  async (t, open) => {
    const peer = await startSmtpServer(t)
    await using world = await openDeliveryWorld(open, { peers: { 'one.example': peer.port } })
    const content = Buffer.from('Subject: x\r\n\r\n.\r\n..\r\nbinary \xff\r\n', 'latin1')
    const ids = await world.send(['a@one.example', 'B@one.example'], { content })
    for (const id of ids) assert.equal((await world.settled(id)).state, 'delivered')
    assert.deepEqual(
      new Set(peer.messages.map(({ to }) => to.join())),
      new Set(['B@one.example', 'a@one.example']),
    )
    assert.deepEqual(new Set(peer.senders), new Set(ids.map((id) => `${id}@cf-bounce.yourdomain.com`)))
    for (const message of peer.messages) assert.deepEqual(message.content, content)
    await checkInvariants(open.store)
    const [event] = await eventsIn(open.store)
    assert.equal(event?.detail['host'], 'mx.one.example')
    assert.equal(event.detail['smtpReply'], '250 2.0.0 Kept')
  },
)

onBothEngines('what waits in the store is read back, large contents too', async (t, open) => {
  const peer = await startSmtpServer(t)
  await using world = await openDeliveryWorld(open, { peers: { 'one.example': peer.port } })
  await world.stop(0)
  const content = Buffer.from(`Subject: x\r\n\r\n${randomBytes(200_000).toString('base64')}\r\n`)
  const [id = ''] = await world.send('a@one.example', { content })
  await using again = await openDeliveryWorld(open, { peers: { 'one.example': peer.port } })
  assert.equal((await again.settled(id)).state, 'delivered')
  assert.deepEqual(peer.messages[0]?.content, content)
})

onBothEngines(
  'connections are kept and used again, and not more of them than a destination may have',
  async (t, open) => {
    let most = 0
    const peer = await startSmtpServer(t, {
      handler: {
        connect: () => {
          most = Math.max(most, peer.server.connections)
          return undefined
        },
      },
    })
    const peers = { 'one.example': peer.port, 'two.example': peer.port }
    await using world = await openDeliveryWorld(open, {
      peers,
      limits: { ...LIMITS, connections: 3 },
      idleMs: 2000,
    })
    const ids: string[] = []
    for (let i = 0; i < 40; i++) ids.push(...(await world.send(`u${i}@one.example`)))
    for (const id of ids) await world.settled(id)
    assert.equal(peer.messages.length, 40)
    assert.ok(most <= 3, `${most} connections`)
    for (let i = 0; i < 5; i++)
      for (const id of await world.send('again@one.example')) await world.settled(id)
    assert.ok(peer.server.connections <= 3)
  },
)

onBothEngines('a connection carries so many messages and no more', async (t, open) => {
  const peer = await startScriptedPeer(t, {})
  await using world = await openDeliveryWorld(open, {
    peers: { 'one.example': peer.port },
    limits: { ...LIMITS, connections: 1, messagesPerConnection: 3 },
  })
  const ids: string[] = []
  for (let i = 0; i < 9; i++) ids.push(...(await world.send(`u${i}@one.example`)))
  for (const id of ids) await world.settled(id)
  assert.equal(peer.connections(), 3)
  await until('three goodbyes', () => peer.commands.filter((command) => command === 'QUIT').length === 3)
})

onBothEngines('refusals are told apart by their reply, each recipient by itself', async (t, open) => {
  const peer = await startScriptedPeer(t, {
    answer: (command) => {
      if (command.startsWith('RCPT TO:<gone@')) return '550 5.1.1 No such user'
      if (command.startsWith('RCPT TO:<later@')) return '451 4.7.1 Greylisted'
      return undefined
    },
  })
  await using world = await openDeliveryWorld(open, {
    peers: { 'one.example': peer.port },
    retryMs: [60_000],
  })
  const [gone = '', later = '', ok = ''] = await world.send([
    'gone@one.example',
    'later@one.example',
    'ok@one.example',
  ])
  assert.equal((await world.settled(gone)).state, 'bounced')
  assert.equal((await world.settled(ok)).state, 'delivered')
  assert.equal((await world.putOff(later)).last_cause, 'greylisted')
  await checkInvariants(open.store)
})

onBothEngines('a temporary refusal is tried again, and arrives', async (t, open) => {
  let refusals = 2
  const peer = await startScriptedPeer(t, {
    answer: (command) => (command.startsWith('RCPT') && refusals-- > 0 ? '451 4.3.2 Not now' : undefined),
  })
  await using world = await openDeliveryWorld(open, { peers: { 'one.example': peer.port } })
  const [id = ''] = await world.send('a@one.example')
  const row = await world.settled(id)
  assert.deepEqual([row.state, row.attempts], ['delivered', 3])
  assert.deepEqual(
    (await eventsIn(open.store)).map(({ type }) => type),
    ['deferred', 'deferred', 'delivered'],
  )
})

onBothEngines('MX hosts are tried in their order until one answers', async (t, open) => {
  const peer = await startSmtpServer(t)
  const dead = await startScriptedPeer(t, { greeting: () => '554 5.3.2 Not here' })
  const absent = { kind: 'no-such-name' } as const
  const exchanges: [number, string][] = [
    [30, 'good.example'],
    [10, 'dead.example'],
    [20, 'nowhere.example'],
  ]
  await using world = await openDeliveryWorld(open, {
    resolver: {
      mx: async () => ({
        kind: 'found',
        records: exchanges.map(([preference, exchange]) => ({ preference, exchange })),
      }),
      addresses: async () => absent,
      txt: async () => absent,
    },
    endpoints: (host) => {
      if (host === 'good.example') return { port: peer.port, addresses: ['127.0.0.1'] }
      return host === 'dead.example' ? { port: dead.port, addresses: ['127.0.0.1'] } : undefined
    },
  })
  const [id = ''] = await world.send('a@x.example')
  const row = await world.settled(id)
  assert.deepEqual([row.state, row.attempts], ['delivered', 1])
  assert.equal(dead.connections(), 1)
})

onBothEngines(
  'DNS: NXDOMAIN and null MX bounce with their codes, SERVFAIL waits, a private address is not dialled',
  async (t, open) => {
    const victim = await startScriptedPeer(t, {})
    const found = <T>(...records: T[]) => ({ kind: 'found', records }) as const
    const absent = { kind: 'no-such-name' } as const
    await using world = await openDeliveryWorld(open, {
      retryMs: [60_000],
      resolver: {
        mx: async (name) => {
          if (name === 'null.example') return found({ preference: 0, exchange: '' })
          if (name === 'private.example') return found({ preference: 0, exchange: 'inside.example' })
          return name === 'fails.example' ? { kind: 'temporary-failure', detail: 'SERVFAIL' } : absent
        },
        addresses: async (name) =>
          name === 'inside.example' ? found({ address: '127.0.0.1', family: 4 }) : absent,
        txt: async () => absent,
      },
      endpoints: () => undefined,
    })
    const names = ['absent', 'null', 'fails', 'private']
    const ids = await world.send(names.map((name) => `a@${name}.example`))
    const [nowhere = '', none = '', fails = '', inside = ''] = ids
    assert.match((await world.settled(nowhere)).last_reply ?? '', /^5\.1\.2 /)
    assert.match((await world.settled(none)).last_reply ?? '', /^5\.1\.10 /)
    assert.deepEqual(
      [(await delivery(open.store, none)).state, (await delivery(open.store, none)).last_cause],
      ['bounced', 'recipient-domain-closed'],
    )
    assert.equal((await world.putOff(fails)).last_cause, 'dns')
    assert.equal((await world.putOff(inside)).last_cause, 'dns')
    assert.equal(victim.connections(), 0)
    assert.deepEqual(
      (await lanesIn(open.store)).map(({ failures }) => failures),
      [1, 1],
    )
    await checkInvariants(open.store)
  },
)

onBothEngines(
  'promise 4: one failed lookup is one attempt for all that waits for the domain',
  async (_t, open) => {
    let answer = () => {}
    const absent = { kind: 'no-such-name' } as const
    await using world = await openDeliveryWorld(open, {
      retryMs: [60_000],
      resolver: {
        mx: () =>
          new Promise((resolve) => {
            answer = () => resolve({ kind: 'temporary-failure', detail: 'SERVFAIL' })
          }),
        addresses: async () => absent,
        txt: async () => absent,
      },
    })
    for (let i = 0; i < 10; i++) await world.send(`u${i}@one.example`)
    answer()
    await until('all wait', async () =>
      (await deliveriesIn(open.store)).every(({ state }) => state === 'waiting'),
    )
    const attempts = (await deliveriesIn(open.store)).reduce((sum, row) => sum + row.attempts, 0)
    assert.equal(attempts, 1)
    assert.equal((await eventsIn(open.store)).length, 1)
    await checkInvariants(open.store)
  },
)

onBothEngines('a resolver that throws is no end of anything', async (_t, open) => {
  let broken = true
  const peer = await startSmtpServer(_t)
  const absent = { kind: 'no-such-name' } as const
  await using world = await openDeliveryWorld(open, {
    peers: { 'one.example': peer.port },
    resolver: {
      mx: async (name) => {
        if (broken) throw new Error('a bug')
        return { kind: 'found', records: [{ preference: 1, exchange: `mx.${name}` }] }
      },
      addresses: async () => absent,
      txt: async () => absent,
    },
  })
  const [id = ''] = await world.send('a@one.example')
  await world.putOff(id)
  broken = false
  assert.equal((await world.settled(id)).state, 'delivered')
})

onBothEngines(
  'a missing body fails slowly, holds up nobody, and is no fault of the recipient’s',
  async (t, open) => {
    const peer = await startSmtpServer(t)
    await using world = await openDeliveryWorld(open, {
      peers: { 'one.example': peer.port },
      retryMs: [60_000],
    })
    await world.stop(0)
    const [lost = ''] = await world.send('lost@one.example')
    await world.send('kept@one.example')
    await open.store.commit([{ statement: loseBody, params: [lost] }])
    await using again = await openDeliveryWorld(open, {
      peers: { 'one.example': peer.port },
      retryMs: [60_000],
      limits: { ...LIMITS, connections: 1 },
    })
    await until('the other arrived', () => peer.messages.length === 1)
    const row = await again.putOff(lost)
    assert.deepEqual([row.attempts, row.last_cause, row.last_reply], [1, 'other', null])
    assert.ok(row.due_at > Date.now() + 30_000, 'not at once')
  },
)

const loseBody = statement(
  'test.lose-body',
  `delete from body where id = (select m.body_id from message m join delivery d on d.message_id = m.id where d.id = $1)`,
)

onBothEngines('what a paused domain had in our hands goes back without an attempt', async (t, open) => {
  const peer = await startSmtpServer(t)
  let paused = true
  await using world = await openDeliveryWorld(open, {
    peers: { 'one.example': peer.port },
    isDomainPaused: () => paused,
  })
  const [id = ''] = await world.send('a@one.example')
  await until('it waits again', async () => (await delivery(open.store, id)).state === 'waiting')
  assert.deepEqual([(await delivery(open.store, id)).attempts, peer.messages.length], [0, 0])
  paused = false
})
