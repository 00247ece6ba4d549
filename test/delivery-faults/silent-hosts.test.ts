import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type FaultScript, startFaultPeer } from '#test/fault-peer.ts'
import { checkSteps, laneFailuresAmong, manyAt, openFaultRun } from '#test/fault-run.ts'
import { lanesIn, until } from '#test/outbound.ts'
import { onBothEngines, openTestStore } from '#test/stores.ts'

/** Hosts that say nothing, too little or too slowly: DURABILITY's blackhole and slow MX. */

onBothEngines(
  'blackhole: a host that accepts and is silent costs its lanes time, and no mail',
  async (t, open) => {
    let down = true
    const hole = await startFaultPeer(t, (moment) => (down && moment === 'greeting' ? 'silence' : undefined))
    const live = await startFaultPeer(t)
    const names = ['hole1.example', 'hole2.example', 'hole3.example']
    await using run = await openFaultRun(open, {
      peers: { ...Object.fromEntries(names.map((name) => [name, hole.port])), 'live.example': live.port },
      timeouts: { greetingMs: 150 },
      retryMs: [200, 400, 800],
    })
    await run.promise([...names.flatMap((name) => manyAt(name, 200)), ...manyAt('live.example')])
    await until('all went to the live one', () => live.ledger.length === 500)
    await until('failures', async () => {
      const lanes = await lanesIn(open.store)
      return lanes.length === names.length && lanes.every(({ failures }) => failures >= 2)
    })
    // Twenty at once, which is the first attempt of each lane; later a single one.
    const probed = hole.connections.total - 20 * names.length
    assert.ok(probed <= 3 * names.length, `${probed} connections after the first attempts`)
    down = false
    await run.drained()
    const tally = await run.judge([hole, live])
    assert.deepEqual([tally.delivered, tally.duplicates], [1100, 0])
    for (const name of names) {
      const failures = laneFailuresAmong(tally.attempts, name)
      assert.ok(failures.length >= 2, `${failures.length} failures of ${name}`)
      checkSteps(failures)
    }
  },
)

test('steady mail to a dead host: one attempt in each backoff step, whatever is promised meanwhile', async (t) => {
  await using open = await openTestStore('sqlite')
  let down = true
  const host = await startFaultPeer(t, (moment) => (down && moment === 'greeting' ? 'close' : undefined))
  await using run = await openFaultRun(open, { peers: { 'dead.example': host.port }, retryMs: [300] })
  for (let i = 0; i < 170; i++) {
    await run.promise(manyAt('dead.example', 3))
    await sleep(20)
  }
  down = false
  await run.drained()
  const tally = await run.judge([host])
  assert.equal(tally.delivered, 510)
  const failures = laneFailuresAmong(tally.attempts, 'dead.example')
  assert.ok(failures.length >= 2, `${failures.length} failures`)
  checkSteps(failures)
})

test('refused: nothing listens, one attempt for all, and all arrives when something does', async (t) => {
  await using open = await openTestStore('sqlite')
  const before = await listenerThatTakesNothing()
  await before.end()
  await using run = await openFaultRun(open, { peers: { 'down.example': before.port } })
  await run.promise(manyAt('down.example'))
  await until('failures', async () => ((await lanesIn(open.store))[0]?.failures ?? 0) >= 3)
  const host = await startFaultPeer(t, undefined, { port: before.port })
  await run.drained()
  const tally = await run.judge([host])
  assert.deepEqual([tally.delivered, tally.duplicates], [500, 0])
  const failures = laneFailuresAmong(tally.attempts, 'down.example')
  assert.ok(tally.attempts.length <= 500 + failures.length)
  checkSteps(failures)
})

test('dropped: an address that takes no more connections costs its time, and the next MX gets the mail', {
  skip: process.platform === 'linux' ? false : 'it takes the backlog of Linux to drop a SYN',
}, async (t) => {
  await using open = await openTestStore('sqlite')
  const full = await listenerThatTakesNothing()
  t.after(() => full.end())
  const host = await startFaultPeer(t)
  const ports: Record<string, number> = { 'mx1.drop.example': full.port, 'mx2.drop.example': host.port }
  const mx = [1, 2].map((n) => ({ preference: 10 * n, exchange: `mx${n}.drop.example` }))
  const absent = { kind: 'no-such-name' } as const
  await using run = await openFaultRun(open, {
    resolver: {
      mx: async () => ({ kind: 'found', records: mx }),
      addresses: async () => absent,
      txt: async () => absent,
    },
    endpoints: (name) => ({ port: ports[name] ?? 0, addresses: ['127.0.0.1'] }),
    timeouts: { connectMs: 500, greetingMs: 500 },
  })
  await run.promise(manyAt('drop.example'))
  await run.drained()
  const tally = await run.judge([host])
  assert.deepEqual([tally.delivered, tally.attempts.length], [500, 500])
})

const SLOW: readonly [what: string, script: FaultScript, connections: number][] = [
  ['a banner an octet at a time', dribbleAt('greeting', '220 mx.test ESMTP'), 20],
  ['a reply to MAIL an octet at a time', dribbleAt('MAIL', '250 2.1.0 Ok'), 20],
  ['an endless reply to EHLO', (moment) => (moment === 'EHLO' ? 'endless' : undefined), 20],
  ['an endless reply to MAIL', (moment) => (moment === 'MAIL' ? 'endless' : undefined), 20],
]

function dribbleAt(at: string, dribble: string): FaultScript {
  return (moment) => (moment === at ? { dribble, everyMs: 100 } : undefined)
}

for (const [what, script, connections] of SLOW) {
  test(`slow: ${what} holds up the lane alone, on so many connections, for so long`, async (t) => {
    await using open = await openTestStore('sqlite')
    const slow = await startFaultPeer(t, script)
    const live = await startFaultPeer(t)
    await using run = await openFaultRun(open, {
      peers: { 'slow.example': slow.port, 'live.example': live.port },
      timeouts: { greetingMs: 300, mailMs: 300, helloMs: 300 },
      retryMs: [400],
    })
    await run.promise([...manyAt('slow.example'), ...manyAt('live.example')])
    await until('all went to the live one', () => live.ledger.length === 500)
    await until('failures', async () => ((await lanesIn(open.store))[0]?.failures ?? 0) >= 2)
    assert.ok(slow.connections.most <= connections, `${slow.connections.most} at once`)
    slow.script = () => undefined
    await run.drained()
    const tally = await run.judge([slow, live])
    assert.deepEqual([tally.delivered, tally.duplicates], [1000, 0])
    for (const { detail } of tally.attempts) assert.ok(JSON.stringify(detail).length < 40_000)
  })
}

test('slow: a host that answers everything an octet at a time gets its mail, and others are not slower for it', async (t) => {
  await using open = await openTestStore('sqlite')
  const slow = await startFaultPeer(t, (moment) => {
    if (moment === 'EHLO' || moment === 'half') return undefined
    return { dribble: moment === 'DATA' ? '354 Go on' : '250 2.0.0 Ok', everyMs: 1 }
  })
  slow.script = withGreeting(slow.script)
  const live = await startFaultPeer(t)
  await using run = await openFaultRun(open, {
    peers: { 'slow.example': slow.port, 'live.example': live.port },
    timeouts: { finalDotMs: 3000, mailMs: 3000, rcptMs: 3000, dataMs: 3000 },
  })
  await run.promise([...manyAt('slow.example'), ...manyAt('live.example')])
  await until('all went to the live one', () => live.ledger.length === 500)
  assert.ok(slow.ledger.length < 500)
  await run.drained()
  const tally = await run.judge([slow, live])
  assert.deepEqual([tally.delivered, tally.duplicates], [1000, 0])
})

function withGreeting(script: FaultScript): FaultScript {
  return (moment, session) => (moment === 'greeting' ? undefined : script(moment, session))
}

/** A process that listens, has stopped, and whose backlog is full: the system drops what else wants to connect. */
async function listenerThatTakesNothing(): Promise<{ readonly port: number; end(): Promise<void> }> {
  const program = `const server = require('net').createServer()
    server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => console.log(server.address().port))`
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [port] = await once(createInterface(child.stdout), 'line')
  child.kill('SIGSTOP')
  return {
    port: Number(port),
    async end() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    },
  }
}
