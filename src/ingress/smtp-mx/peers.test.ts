import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HostAddress, Lookup } from '#net/resolver.ts'
import { openLog } from '#observe/log.ts'
import { openMxPeers, type PeerDns } from './peers.ts'

const log = openLog('silent')
const FAILED = { kind: 'temporary-failure', detail: 'ESERVFAIL' } as const

function dnsOf(
  names: Readonly<Record<string, readonly string[] | 'failed'>>,
  hosts: Readonly<Record<string, readonly string[] | 'failed'>>,
): PeerDns {
  const answer = <T>(records: readonly T[] | 'failed' | undefined): Lookup<T> =>
    records === 'failed' ? FAILED : records ? { kind: 'found', records } : { kind: 'no-such-name' }
  return {
    ptr: async (name) => answer(names[name]),
    addresses: async (name) => {
      const known = hosts[name]
      if (known === 'failed' || known === undefined) return answer<HostAddress>(known)
      return answer(known.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })))
    },
  }
}

async function nameOf(remoteAddress: string, dns: PeerDns) {
  return (await openMxPeers({ dns, log, lookupMs: 50 }).factsOf({ remoteAddress })).name
}

test('a name that leads back to the address is the peer’s', async () => {
  const dns = dnsOf(
    {
      '1.2.0.192.in-addr.arpa': ['Mail.Example.COM'],
      [`1${'.0'.repeat(23)}.8.b.d.0.1.0.0.2.ip6.arpa`]: ['six.example'],
    },
    { 'mail.example.com': ['192.0.2.7', '192.0.2.1'], 'six.example': ['2001:0DB8:0::1'] },
  )
  assert.deepEqual(await nameOf('192.0.2.1', dns), { kind: 'confirmed', name: 'mail.example.com' })
  assert.deepEqual(await nameOf('2001:db8::1', dns), { kind: 'confirmed', name: 'six.example' })
})

test('anybody may write any name into the own reverse zone: it does not count, and reaches no header', async () => {
  const dns = dnsOf(
    {
      '1.2.0.192.in-addr.arpa': ['mail.google.com'],
      '2.2.0.192.in-addr.arpa': ['x)\r\nbcc: a', 'a b', '192.0.2.2', '', `${'x'.repeat(300)}.example`],
      '3.2.0.192.in-addr.arpa': ['slow.example'],
      '4.2.0.192.in-addr.arpa': 'failed',
      '5.2.0.192.in-addr.arpa': Array.from({ length: 6 }, (_, n) =>
        n < 5 ? `n${n}.example` : 'right.example',
      ),
    },
    {
      'mail.google.com': ['198.51.100.1'],
      'slow.example': 'failed',
      '192.0.2.2': ['192.0.2.2'],
      'right.example': ['192.0.2.5'],
    },
  )
  assert.deepEqual(await nameOf('192.0.2.1', dns), { kind: 'unconfirmed' })
  assert.deepEqual(await nameOf('192.0.2.2', dns), { kind: 'unconfirmed' })
  assert.deepEqual(await nameOf('192.0.2.3', dns), { kind: 'temporary-failure' })
  assert.deepEqual(await nameOf('192.0.2.4', dns), { kind: 'temporary-failure' })
  assert.deepEqual(await nameOf('192.0.2.5', dns), { kind: 'unconfirmed' }, 'the sixth is not looked at')
  assert.deepEqual(await nameOf('192.0.2.6', dns), { kind: 'none' })
})

test('DNS that is silent or broken costs some time, and no more', async () => {
  const silent = { ptr: () => new Promise<never>(() => {}), addresses: () => new Promise<never>(() => {}) }
  assert.deepEqual(await nameOf('192.0.2.1', silent), { kind: 'temporary-failure' })
  const broken = {
    ptr: () => Promise.reject(new Error('broken')),
    addresses: () => Promise.reject(new Error('b')),
  }
  const peers = openMxPeers({
    dns: broken,
    log,
    blockLists: [{ label: 'one', zone: 'one.example' }],
    lookupMs: 50,
  })
  const facts = await peers.factsOf({ remoteAddress: '192.0.2.1' })
  assert.deepEqual(facts, { name: { kind: 'temporary-failure' }, listedOn: [] })
})

test('many connections of one host ask once; a failure is asked again', async () => {
  let asked = 0
  let fails = true
  const dns: PeerDns = {
    ptr: async () => {
      asked += 1
      return fails ? FAILED : { kind: 'no-data' }
    },
    addresses: async () => FAILED,
  }
  const peers = openMxPeers({ dns, log })
  const ask = () =>
    Promise.all(Array.from({ length: 5 }, () => peers.factsOf({ remoteAddress: '192.0.2.1' })))
  await ask()
  assert.equal(asked, 1)
  fails = false
  await ask()
  const [facts] = await ask()
  assert.equal(asked, 2)
  assert.deepEqual(facts?.name, { kind: 'none' })
})
