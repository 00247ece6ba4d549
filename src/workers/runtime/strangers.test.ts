import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { WorkerVersion } from '#model/worker.ts'
import { CLOSED_NETWORKS, isPublicAddress } from '#net/private-address.ts'
import { headerFields } from './header-fields.ts'
import { OctetBudget } from './octet-budget.ts'
import { readTraceReport } from './worker-trace.ts'
import { workerdConfig } from './workerd-config.ts'

test('whatever a header has in it, its fields are texts without line ends', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (octets) => {
      for (const [name, value] of headerFields(octets)) {
        assert.ok(name !== '' && !/[:\n]/.test(name) && !value.includes('\n'))
      }
    }),
  )
})

test('fields come back as they were written', () => {
  const name = fc.stringMatching(/^[!-9;-~]{1,20}$/)
  const value = fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll(/\p{Cc}/gu, '').trim())
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value)), fc.constantFrom('\n', '\r\n'), (fields, end) => {
      const header = fields.map(([name, value]) => `${name}: ${value}${end}`).join('')
      assert.deepEqual(headerFields(Buffer.from(header)), fields)
    }),
  )
})

test('whatever a tail says, what is read of it has the shape of a trace', () => {
  const anything = fc.oneof(
    fc.string(),
    fc.json(),
    fc
      .dictionary(
        fc.constantFrom('token', 'outcome', 'logs', 'exceptions', 'eventTimestamp', 'event'),
        fc.jsonValue(),
      )
      .map((value) => JSON.stringify(value)),
  )
  fc.assert(
    fc.property(anything, (text) => {
      const report = readTraceReport(text)
      if (!report) return
      const { outcome, logs, exceptions, eventTimestamp } = report.trace
      assert.ok([outcome, ...exceptions.map(({ name }) => name)].every((each) => typeof each === 'string'))
      assert.ok(Number.isFinite(eventTimestamp) || eventTimestamp === Infinity)
      assert.ok(logs.every(({ message }) => Array.isArray(message)))
    }),
  )
})

test("names and values of a customer's do not leave their quotes", () => {
  const version: WorkerVersion = {
    ...{ id: 'v', accountId: 'a', scriptName: 's', mainModule: 'index.js', modules: [] },
    ...{ bindings: [], compatibilityDate: '2026-10-01', compatibilityFlags: [] },
  }
  const quotes = (text: string) => text.replaceAll(/"[^"]*"/g, '""')
  const config = (given: Partial<WorkerVersion>) =>
    quotes(
      workerdConfig({ ...version, ...given }, { heapMb: 1, experimental: true, ownHosts: [] })
        .files.get('config.capnp')
        ?.toString() ?? '',
    )
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const given = (value: string) =>
        config({
          modules: [{ name: value, type: 'esm', content: Buffer.alloc(0) }],
          bindings: [{ type: 'plain_text', name: value, text: value }],
          ...{ compatibilityDate: value, compatibilityFlags: [value] },
        })
      assert.equal(given(text), given('x'))
    }),
  )
})

test('a secret is in the environment alone', () => {
  const { files, environment } = workerdConfig(
    {
      ...{ id: 'v', accountId: 'a', scriptName: 's', mainModule: 'index.js', modules: [] },
      bindings: [{ type: 'secret_text', name: 'S', text: 'very-secret' }],
      ...{ compatibilityDate: '2026-10-01', compatibilityFlags: [] },
    },
    { heapMb: 1, experimental: true, ownHosts: [] },
  )
  assert.deepEqual(Object.values(environment), ['very-secret'])
  assert.ok(![...files.values()].some((content) => content.includes('very-secret')))
})

test('what is closed to Workers is public in no part', () => {
  for (const network of CLOSED_NETWORKS) {
    const [first = ''] = network.split('/')
    assert.ok(!isPublicAddress(first), network)
  }
})

test('octets that are taken never exceed the budget, and all get their turn', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(150), { maxLength: 20 }), async (wishes) => {
      const budget = new OctetBudget(100)
      let taken = 0
      await Promise.all(
        wishes.map(async (octets) => {
          const giveBack = await budget.take(octets)
          taken += Math.min(octets, 100)
          assert.ok(taken <= 100)
          await new Promise(setImmediate)
          taken -= Math.min(octets, 100)
          giveBack()
        }),
      )
      assert.equal(taken, 0)
    }),
    { numRuns: 30 },
  )
})
