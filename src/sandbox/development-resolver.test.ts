import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { developmentResolver, type OwnAnswer, type OwnRecord } from './development-resolver.ts'

const HOST = 'sandbox.posthorn.test'
const SANDBOX_MX = { kind: 'found', records: [{ preference: 10, exchange: HOST }] }

/** What an authority for two zones answers. */
const ZONES: Record<string, OwnRecord[]> = {
  'yourdomain.com': [{ type: 'TXT', text: 'v=spf1 -all' }],
  'cf-bounce.yourdomain.com': [
    { type: 'MX', preference: 5, exchange: 'route1.mx.posthorn.test' },
    { type: 'MX', preference: 20, exchange: 'route2.mx.posthorn.test' },
  ],
  'alias.yourdomain.com': [{ type: 'CNAME', data: 'elsewhere.example' }],
  'loop.yourdomain.com': [{ type: 'CNAME', data: 'loop.yourdomain.com' }],
  'route1.mx.posthorn.test': [
    { type: 'A', data: '127.0.0.1' },
    { type: 'AAAA', data: '::1' },
  ],
}

function answers(name: string, type: string): Promise<OwnAnswer> {
  const asked = name.toLowerCase().replace(/\.$/, '')
  if (!/(?:^|\.)(?:yourdomain\.com|posthorn\.test)$/.test(asked)) return Promise.resolve({ kind: 'refused' })
  const here = ZONES[asked]
  if (here === undefined) return Promise.resolve({ kind: 'nxdomain' })
  const records = here.filter((record) => record.type === type || record.type === 'CNAME')
  return Promise.resolve(records.length > 0 ? { kind: 'answer', records } : { kind: 'nodata' })
}

const resolver = developmentResolver({ answers, sandbox: { host: HOST } })

test('every name outside of our zones has the sandbox as its MX', async () => {
  for (const name of ['gmail.com', 'GMAIL.com.', 'a.b.c.example', 'xn--bcher-kva.example'])
    assert.deepEqual(await resolver.mx(name), SANDBOX_MX, name)
})

test('the sandbox is at 127.0.0.1, and is its own MX', async () => {
  const loopback = { kind: 'found', records: [{ address: '127.0.0.1', family: 4 }] }
  assert.deepEqual(await resolver.addresses(HOST), loopback)
  assert.deepEqual(await resolver.addresses('Sandbox.Posthorn.Test.'), loopback)
  assert.deepEqual(await resolver.mx(HOST), SANDBOX_MX)
})

test('our zones answer for themselves', async () => {
  assert.deepEqual(await resolver.mx('cf-bounce.yourdomain.com'), {
    kind: 'found',
    records: ZONES['cf-bounce.yourdomain.com'],
  })
  assert.deepEqual(await resolver.txt('yourdomain.com'), { kind: 'found', records: ['v=spf1 -all'] })
  assert.deepEqual(await resolver.mx('yourdomain.com'), { kind: 'no-data' })
  assert.deepEqual(await resolver.mx('nothing.yourdomain.com'), { kind: 'no-such-name' })
  assert.deepEqual(await resolver.txt('_dmarc.yourdomain.com'), { kind: 'no-such-name' })
  assert.deepEqual(await resolver.addresses('route1.mx.posthorn.test'), {
    kind: 'found',
    records: [
      { address: '::1', family: 6 },
      { address: '127.0.0.1', family: 4 },
    ],
  })
})

test('an alias that leaves our zones leads to the sandbox, one that leads nowhere ends', async () => {
  assert.deepEqual(await resolver.mx('alias.yourdomain.com'), SANDBOX_MX)
  assert.deepEqual(await resolver.mx('loop.yourdomain.com'), { kind: 'no-data' })
})

test('other names have no addresses and no texts', async () => {
  assert.deepEqual(await resolver.addresses('example.com'), { kind: 'no-data' })
  assert.deepEqual(await resolver.txt('_dmarc.example.com'), { kind: 'no-data' })
})

test('names that could not be, and those under invalid (RFC 6761 §6.4), do not exist', async () => {
  const names = [
    '',
    '.',
    'localhost',
    'a..example',
    '-a.example',
    `${'a'.repeat(64)}.example`,
    'a b.example',
    'a\0.example',
  ]
  for (const name of [...names, '127.0.0.1', '[127.0.0.1]', 'nobody.invalid', 'invalid', 'A.Invalid.'])
    assert.deepEqual(await resolver.mx(name), { kind: 'no-such-name' }, name)
})

test('no name makes it fail or leads off this machine', async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.domain(), fc.string({ unit: 'binary' })), async (name) => {
      const mx = await resolver.mx(name)
      if (mx.kind !== 'found') return
      for (const { exchange } of mx.records) {
        const at = await resolver.addresses(exchange)
        assert.ok(
          at.kind === 'found' && at.records.every(({ address }) => ['127.0.0.1', '::1'].includes(address)),
        )
      }
    }),
  )
})
