import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Address } from '#model/address.ts'
import { type DoneByWorker, type HandlerOutcome, workerEnd } from './worker-end.ts'

const NOTHING: DoneByWorker = { forwards: [], refusals: [] }
const FORWARDED: DoneByWorker = {
  forwards: [{ destination: 'team@dest.example' as Address, messageId: 'a'.repeat(32) }],
  refusals: [],
}

function told(outcome: HandlerOutcome, done = NOTHING): string {
  const { type, acted } = workerEnd('worker', outcome, done)
  return `${type} ${acted.kind === 'taken' ? 250 : `${acted.answer.code} ${acted.answer.enhanced}`}`
}

test('each end has its answer', () => {
  assert.equal(told({ kind: 'handled' }), 'handled 250')
  assert.equal(told({ kind: 'handled' }, FORWARDED), 'handled 250')
  assert.equal(told({ kind: 'rejected', reason: 'no' }), 'rejected 550 5.7.1')
  assert.equal(told({ kind: 'rejected', reason: 'no' }, FORWARDED), 'rejected 550 5.7.1')
  assert.equal(told('no-worker'), 'failed 451 4.3.0')
  for (const kind of ['unavailable', 'crashed', 'timeout', 'exceeded-cpu', 'exceeded-memory'] as const) {
    assert.equal(told({ kind, message: 'x' }), 'failed 451 4.3.0', kind)
    assert.equal(told({ kind, message: 'x' }, FORWARDED), 'failed 250', kind)
  }
  assert.equal(told({ kind: 'exception', name: 'TypeError', message: 'x' }), 'failed 451 4.3.0')
  assert.equal(told({ kind: 'exception', name: 'TypeError', message: 'x' }, FORWARDED), 'failed 250')
})

test('a refusal of the destination that nobody caught is the answer', () => {
  const message = 'forward(): team@dest.example was refused: 550 5.1.1 Nobody'
  const answer = { code: 550, enhanced: '5.1.1', text: 'Nobody' }
  const done = { ...NOTHING, refusals: [{ message, answer }] }
  assert.equal(told({ kind: 'exception', name: 'Error', message }, done), 'failed 550 5.1.1')
  assert.equal(told({ kind: 'exception', name: 'Error', message: 'another' }, done), 'failed 451 4.3.0')
  assert.equal(
    told(
      { kind: 'exception', name: 'Error', message },
      { ...FORWARDED, ...done, forwards: FORWARDED.forwards },
    ),
    'failed 250',
  )
})

test('the log has what was thrown, and what was done before, bounded', () => {
  const thrown = { name: 'TypeError', message: 'm'.repeat(9000), stack: 's'.repeat(90_000) }
  const { run, reason } = workerEnd('worker', { kind: 'exception', ...thrown }, FORWARDED)
  assert.equal(run.outcome, 'exception')
  assert.deepEqual(run.forwards, FORWARDED.forwards)
  assert.deepEqual([run.error?.message.length, run.error?.stack?.length], [1000, 4000])
  assert.match(reason ?? '', /^TypeError: m+ \(it was forwarded before that/)
  const limit = workerEnd('worker', { kind: 'exceeded-cpu', message: 'too long' }, NOTHING)
  assert.deepEqual(limit.run.error, { name: 'EXCEEDED_CPU', message: 'too long' })
})

test('a reason stays one line of bounded length', () => {
  const said = (reason: string) => {
    const { acted } = workerEnd('worker', { kind: 'rejected', reason }, NOTHING)
    return acted.kind === 'refused' ? acted.answer.text : ''
  }
  assert.equal(said(' No\r\n250 2.0.0 Ok\0\u2028x '), 'No 250 2.0.0 Ok x')
  assert.equal(said('\r\n'), 'Rejected')
  assert.equal(said('x'.repeat(5000)).length, 400)
})
