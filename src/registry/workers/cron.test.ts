import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isCron, parseCron } from './cron.ts'

function due(cron: string, time: string): boolean {
  const parsed = parseCron(cron)
  assert.ok(isCron(parsed), cron)
  return parsed.matches(Date.parse(time))
}

const DUE: readonly [cron: string, time: string][] = [
  ['* * * * *', '2026-11-21T00:00:59.999Z'],
  ['*/5 * * * *', '2026-11-21T03:55:00Z'],
  ['5/20 * * * *', '2026-11-21T03:45:00Z'],
  ['0 17 * * SUN', '2026-11-22T17:00:00Z'],
  ['0 17 * * 1', '2026-11-22T17:00:00Z'],
  ['0 17 * * mon-fri', '2026-11-20T17:00:00Z'],
  ['10 7 * * 2-6', '2026-11-20T07:10:00Z'],
  ['0 15 1 * *', '2026-11-01T15:00:00Z'],
  ['59 23 L * *', '2028-02-29T23:59:00Z'],
  ['59 23 LW * *', '2026-10-30T23:59:00Z'],
  ['0 9 15W * *', '2026-11-16T09:00:00Z'],
  ['0 18 * * 6L', '2026-11-27T18:00:00Z'],
  ['0 18 * * FRI#2', '2026-11-13T18:00:00Z'],
  ['0 0 1,15 JAN,nov *', '2026-11-15T00:00:00Z'],
  ['0 0 13 * FRI', '2026-11-20T00:00:00Z'],
]

const NOT_DUE: readonly [cron: string, time: string][] = [
  ['*/5 * * * *', '2026-11-21T03:56:00Z'],
  ['5/20 * * * *', '2026-11-21T03:40:00Z'],
  ['0 17 * * SUN', '2026-11-21T17:00:00Z'],
  ['59 23 L * *', '2026-11-29T23:59:00Z'],
  ['59 23 LW * *', '2026-10-31T23:59:00Z'],
  ['0 18 * * 6L', '2026-11-20T18:00:00Z'],
  ['0 18 * * FRI#2', '2026-11-06T18:00:00Z'],
  ['0 0 1,15 JAN,NOV *', '2026-12-15T00:00:00Z'],
  ['0 0 13 * FRI', '2026-11-21T00:00:00Z'],
]

test('when crons are due, in UTC', () => {
  for (const [cron, time] of DUE) assert.ok(due(cron, time), `${cron} at ${time}`)
  for (const [cron, time] of NOT_DUE) assert.ok(!due(cron, time), `${cron} not at ${time}`)
})

test('what is no cron', () => {
  const wrong = [
    ...['', '* * * *', '* * * * * *', '60 * * * *', '* 24 * * *', '* * 0 * *', '* * * 13 *', '* * * * 0'],
    ...['* * * * 8', '5-1 * * * *', '*/0 * * * *', '*-3 * * * *', 'x * * * *', '* * W * *', '-1 * * * *'],
    ...['1, * * * *', '1.5 * * * *', `${'1,'.repeat(60)}1 * * * *`, '* * * * L', '* * * * 2#6'],
    ...['@daily', '@daily * * * *', '? * * * *', '* * * * ?', '0 0 * * +1', '*/61 * * * *', '* * * * 1-8'],
  ]
  for (const cron of wrong) assert.ok(!isCron(parseCron(cron)), cron)
})

test('any text is a cron or none', () => {
  const part = fc.oneof(fc.constantFrom('*', '1', 'L', '2#3', '1-5/2', 'MON'), fc.string({ maxLength: 6 }))
  fc.assert(
    fc.property(fc.array(part, { maxLength: 7 }), fc.nat(2e12), (parts, time) => {
      const parsed = parseCron(parts.join(' '))
      if (isCron(parsed)) assert.equal(typeof parsed.matches(time), 'boolean')
      else assert.ok(parsed.detail.length > 10)
    }),
  )
})
