import assert from 'node:assert/strict'
import test from 'node:test'
import type { Lookup, Resolver } from './resolver.ts'
import { cacheLookups } from './resolver-cache.ts'

const NO_DATA = { kind: 'no-data' } as const

/** DNS that answers MX questions by a list, the last answer for ever, and keeps what it was asked. */
function scripted(...answers: Lookup<{ preference: number; exchange: string }>[]) {
  const asked: string[] = []
  const dns: Resolver = {
    async mx(name) {
      asked.push(name)
      return (answers.length > 1 ? answers.shift() : answers[0]) ?? NO_DATA
    },
    addresses: async () => NO_DATA,
    txt: async () => NO_DATA,
  }
  let now = 1_000_000
  return { asked, resolver: cacheLookups(dns, () => now), pass: (ms: number) => (now += ms) }
}

const found = (exchange: string) => ({ kind: 'found', records: [{ preference: 10, exchange }] }) as const

test('an answer is believed for a minute', async () => {
  const { asked, resolver, pass } = scripted(found('old.example'), found('new.example'))
  assert.deepEqual(await resolver.mx('example.com'), found('old.example'))
  pass(59_999)
  assert.deepEqual(await resolver.mx('EXAMPLE.com'), found('old.example'))
  assert.deepEqual(asked, ['example.com'])
  pass(2)
  assert.deepEqual(await resolver.mx('example.com'), found('new.example'))
})

test('an absence is believed for ten seconds', async () => {
  const { resolver, pass } = scripted({ kind: 'no-such-name' }, found('new.example'))
  assert.deepEqual(await resolver.mx('example.com'), { kind: 'no-such-name' })
  pass(9_999)
  assert.deepEqual(await resolver.mx('example.com'), { kind: 'no-such-name' })
  pass(2)
  assert.deepEqual(await resolver.mx('example.com'), found('new.example'))
})

test('a temporary failure is asked about again', async () => {
  const { resolver } = scripted({ kind: 'temporary-failure', detail: 'ETIMEOUT' }, found('a.example'))
  assert.equal((await resolver.mx('example.com')).kind, 'temporary-failure')
  assert.deepEqual(await resolver.mx('example.com'), found('a.example'))
})

test('many who ask at the same time share one question; other names are their own', async () => {
  const { asked, resolver } = scripted(found('a.example'))
  await Promise.all([...Array(20).keys()].map(() => resolver.mx('example.com')))
  await resolver.mx('example.org')
  assert.deepEqual(asked, ['example.com', 'example.org'])
})

test('a flood of large answers pushes the oldest out', async () => {
  const asked: string[] = []
  const dns: Resolver = {
    mx: async () => NO_DATA,
    addresses: async () => NO_DATA,
    async txt(name) {
      asked.push(name)
      return { kind: 'found', records: ['x'.repeat(64 * 1024)] }
    },
  }
  const resolver = cacheLookups(dns)
  for (let i = 0; i < 300; i++) await resolver.txt(`${i}.example`)
  await resolver.txt('299.example')
  await resolver.txt('0.example')
  assert.deepEqual(asked.slice(300), ['0.example'])
})
