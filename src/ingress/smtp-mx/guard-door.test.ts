import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openLog } from '#observe/log.ts'
import type { SmtpHandler, SmtpSession } from '#smtp/handler.ts'
import { type GuardOptions, guardDoor } from './guard-door.ts'
import { windowCounts } from './window-counts.ts'

/** The dialogues with the MX door have what a client sees of the guard; here is what takes many addresses, or time. */
const inner: SmtpHandler = {
  rcpt: (_, to) =>
    to.startsWith('unknown') ? { code: 550, enhanced: '5.1.1', text: 'No such address' } : undefined,
  data: () => ({ code: 451, enhanced: '4.3.0', text: 'Not here' }),
}

function openGuard(options: Partial<GuardOptions>) {
  const clock = { now: 0 }
  const door = guardDoor(inner, { log: openLog('silent'), now: () => clock.now, ...options })
  return {
    clock,
    connect: async (address: string) => (await door.connect?.(from(address)))?.code,
    mail: async (address: string) => (await door.mail?.(from(address), '', new Map()))?.code,
    rcpt: async (session: SmtpSession, to: string) => (await door.rcpt?.(session, to, new Map()))?.code,
  }
}

function from(remoteAddress: string): SmtpSession {
  return {
    ...{ id: 'a', remoteAddress, remotePort: 1, helo: 'client.example', esmtp: true, tls: undefined },
    envelope: { from: '', to: [], utf8: false },
    state: undefined,
    destroy: () => {},
  }
}

test('connections are counted by IPv4 address and by /64, for a minute', async () => {
  const { connect, clock } = openGuard({ connectionsPerMinute: 2 })
  assert.equal(await connect('192.0.2.1'), undefined)
  assert.equal(await connect('192.0.2.1'), undefined)
  assert.equal(await connect('192.0.2.1'), 421)
  assert.equal(await connect('192.0.2.2'), undefined)
  assert.equal(await connect('2001:db8::1'), undefined)
  assert.equal(await connect('2001:db8::2'), undefined)
  assert.equal(await connect('2001:db8::3'), 421)
  assert.equal(await connect('2001:db8:0:1::1'), undefined)
  clock.now = 60_000
  assert.equal(await connect('192.0.2.1'), undefined)
})

test('this machine is not counted', async () => {
  const { connect, mail } = openGuard({ connectionsPerMinute: 1, messagesPerMinute: 1 })
  for (let times = 0; times < 3; times++) {
    for (const address of ['127.0.0.1', '::1']) {
      assert.equal(await connect(address), undefined)
      assert.equal(await mail(address), undefined)
    }
  }
})

test('where many guesses came from, a new connection has no free ones', async () => {
  const { rcpt, clock } = openGuard({ tarpitMs: 600_000 })
  const waits = async (session: SmtpSession) =>
    Promise.race([rcpt(session, 'unknown@yourdomain.com'), sleep(20, 'waiting', { ref: false })])
  for (let connections = 0; connections < 20; connections++) {
    const session = from('192.0.2.1')
    for (let guesses = 0; guesses < 5; guesses++) assert.equal(await waits(session), 550)
  }
  assert.equal(await waits(from('192.0.2.1')), 'waiting')
  assert.equal(await rcpt(from('192.0.2.1'), 'info@yourdomain.com'), undefined, 'who exists is not held up')
  assert.equal(await waits(from('192.0.2.2')), 550)
  clock.now = 3_600_000
  assert.equal(await waits(from('192.0.2.1')), 550)
})

test('however many networks there are, the counts have a bound', () => {
  const counts = windowCounts({ windowMs: 60_000, now: () => 0 })
  counts.add('first')
  for (let network = 0; network < 50_000; network++) counts.add(String(network))
  assert.equal(counts.add('first'), 1, 'forgotten')
  assert.equal(counts.add('49999'), 2)
})
