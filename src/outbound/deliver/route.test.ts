import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { HostAddress, Lookup, MxRecord, Resolver } from '#net/resolver.ts'
import {
  addressesOf,
  classifyNoRoute,
  findRoute,
  type Route,
  type RouteFailure,
  tryingOrder,
} from './route.ts'

type Zone = Record<string, { mx?: Lookup<MxRecord>; addresses?: Lookup<HostAddress> }>

function resolverOf(zone: Zone): Resolver {
  const absent = { kind: 'no-such-name' } as const
  return {
    mx: async (name) => zone[name]?.mx ?? (zone[name] ? { kind: 'no-data' } : absent),
    addresses: async (name) => zone[name]?.addresses ?? (zone[name] ? { kind: 'no-data' } : absent),
    txt: async () => absent,
  }
}

const mx = (...records: [preference: number, exchange: string][]): Lookup<MxRecord> => ({
  kind: 'found',
  records: records.map(([preference, exchange]) => ({ preference, exchange })),
})
const at = (...addresses: string[]): Lookup<HostAddress> => ({
  kind: 'found',
  records: addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
})
const servfail = { kind: 'temporary-failure', detail: 'SERVFAIL' } as const

function find(domain: string, zone: Zone) {
  return findRoute(domain, {
    resolver: resolverOf(zone),
    endpoints: () => undefined,
    direct: () => undefined,
  })
}

const found = (route: Route | RouteFailure): Route => ('tiers' in route ? route : assert.fail(route.kind))
const names = (route: Route | RouteFailure) => found(route).tiers.map((tier) => tier.map(({ name }) => name))
const kind = (route: Route | RouteFailure) => ('kind' in route ? route.kind : 'found')

test('RFC 5321 §5.1: lower preference first, equals together', async () => {
  const zone = {
    'x.example': { mx: mx([20, 'c.example'], [10, 'B.example'], [5, 'a.example'], [10, 'd.example']) },
  }
  assert.deepEqual(names(await find('x.example', zone)), [
    ['a.example'],
    ['b.example', 'd.example'],
    ['c.example'],
  ])
})

test('RFC 5321 §5.1: hosts of equal preference are tried in random order, and never before better ones', async () => {
  const route = found(
    await find('x.example', { 'x.example': { mx: mx([1, 'a'], [2, 'b'], [2, 'c'], [2, 'd'], [3, 'e']) } }),
  )
  const chance = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 5, maxLength: 5 })
  const firsts = new Set<string>()
  fc.assert(
    fc.property(chance, (chances) => {
      const left = [...chances]
      const order = tryingOrder(route, () => left.shift() ?? 0).map(({ name }) => name)
      assert.equal(order[0], 'a')
      assert.equal(order[4], 'e')
      assert.deepEqual(order.toSorted(), ['a', 'b', 'c', 'd', 'e'])
      firsts.add(order[1] ?? '')
    }),
  )
  assert.deepEqual([...firsts].toSorted(), ['b', 'c', 'd'])
})

test('the same MX set is the same destination, whatever the resolver’s order and the numbers', async () => {
  const keys = await Promise.all(
    [
      mx([10, 'a.example'], [20, 'b.example'], [20, 'c.example']),
      mx([20, 'c.example'], [20, 'B.example'], [10, 'A.example']),
      mx([1, 'a.example'], [5, 'c.example'], [5, 'b.example']),
    ].map(async (records) => found(await find('x.example', { 'x.example': { mx: records } })).key),
  )
  assert.equal(new Set(keys).size, 1)
  const other = mx([10, 'b.example'], [20, 'a.example'], [20, 'c.example'])
  assert.ok(!keys.includes(found(await find('x.example', { 'x.example': { mx: other } })).key))
})

test('RFC 5321 §5.1: without MX the domain’s own address is the host', async () => {
  assert.deepEqual(names(await find('x.example', { 'x.example': { addresses: at('192.0.2.1') } })), [
    ['x.example'],
  ])
  assert.equal(kind(await find('x.example', { 'x.example': {} })), 'no-such-domain', 'neither MX nor address')
})

test('RFC 7505: a null MX takes no mail; beside others it means nothing', async () => {
  assert.equal(kind(await find('x.example', { 'x.example': { mx: mx([0, '']) } })), 'null-mx')
  assert.deepEqual(names(await find('x.example', { 'x.example': { mx: mx([0, ''], [10, 'a.example']) } })), [
    ['a.example'],
  ])
})

test('NXDOMAIN is final, SERVFAIL is not, at either question', async () => {
  assert.equal(kind(await find('x.example', {})), 'no-such-domain')
  assert.equal(kind(await find('x.example', { 'x.example': { mx: servfail } })), 'temporary')
  assert.equal(kind(await find('x.example', { 'x.example': { addresses: servfail } })), 'temporary')
})

test('what is final says so with RFC 7505’s and RFC 3463’s codes, and suppresses', async () => {
  const nowhere = { kind: 'no-such-domain', detail: 'x.example does not exist in DNS' } as const
  assert.equal(classifyNoRoute(nowhere).report.enhancedStatus, '5.1.2')
  const nullMx = classifyNoRoute({ kind: 'null-mx', detail: '' })
  assert.equal(nullMx.report.enhancedStatus, '5.1.10')
  assert.deepEqual(
    [nullMx.classified.permanent, nullMx.classified.cause, nullMx.classified.suppression?.reason],
    [true, 'recipient-domain-closed', 'hard_bounce'],
  )
})

test('1,000 MX records: the best are kept, the key stays short', async () => {
  const records = Array.from({ length: 1000 }, (_, i): [number, string] => [1000 - i, `mx${i}.example`])
  const route = found(await find('x.example', { 'x.example': { mx: mx(...records) } }))
  assert.equal(route.tiers.length, 16)
  assert.equal(route.tiers[0]?.[0]?.name, 'mx999.example')
  assert.ok(route.key.length < 500)
})

test('names of our own go to their doors, on their ports; everybody else’s is port 25', async () => {
  const zone = { 'x.example': { mx: mx([10, 'ours.example'], [20, 'theirs.example']) } }
  const ours = { port: 2525, addresses: ['127.0.0.1'] }
  const endpoints = (name: string) => (name === 'ours.example' ? ours : undefined)
  const route = await findRoute('x.example', {
    resolver: resolverOf(zone),
    endpoints,
    direct: () => undefined,
  })
  assert.deepEqual(found(route).tiers.flat(), [
    { name: 'ours.example', ...ours },
    { name: 'theirs.example', port: 25 },
  ])
})

test('private, loopback and reserved addresses of a stranger’s host are never dialled', async () => {
  const addresses = at(
    '127.0.0.1',
    '::1',
    '0.0.0.0',
    '10.1.2.3',
    '192.168.0.1',
    '169.254.169.254',
    '::ffff:127.0.0.1',
    'fe80::1',
    '8.8.8.8',
    '2600::1',
  )
  const resolver = resolverOf({ 'mx.example': { addresses } })
  assert.deepEqual(await addressesOf({ name: 'mx.example', port: 25 }, { resolver }), ['8.8.8.8', '2600::1'])
  const own = { name: 'mx.example', port: 2525, addresses: ['127.0.0.1'] }
  assert.deepEqual(await addressesOf(own, { resolver }), ['127.0.0.1'])
  assert.deepEqual(await addressesOf({ name: 'nowhere.example', port: 25 }, { resolver }), [])
})

test('an installation whose recipients live in a private network may say so', async () => {
  const address = { address: '10.1.2.3', family: 4 } as const
  const resolver = { addresses: async () => ({ kind: 'found', records: [address] }) as const }
  const inside = { name: 'mx.example', port: 25 }
  const asked = { resolver: { ...resolver, mx: nothing, txt: nothing } }
  assert.deepEqual(await addressesOf(inside, asked), [])
  assert.deepEqual(await addressesOf(inside, { ...asked, privateDestinations: true }), ['10.1.2.3'])
})

async function nothing() {
  return { kind: 'no-data' } as const
}
