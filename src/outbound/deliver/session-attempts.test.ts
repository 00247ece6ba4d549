import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Outcome } from '#outbound/outcome/outcome.ts'
import type { ClaimedDelivery } from '#outbound/queue/claimed-delivery.ts'
import { openSessionAttempts } from './session-attempts.ts'

const delivery = (id: string): ClaimedDelivery => ({
  id,
  message: {
    ...{
      id: `m${id}`,
      accountId: 'a',
      domainId: null,
      headerMessageId: '',
      sender: '',
      returnPathDomain: '',
    },
    ...{ subject: '', bodyId: '', size: 0, previewEnabled: false, tls: 'policy', createdAt: 0 },
  },
  ...{ recipientDomain: 'b.example', attempts: 0, expiresAt: 1, createdAt: 0, claimToken: 't', probe: false },
  recipient: 'x@b.example' as ClaimedDelivery['recipient'],
})

function open() {
  const recorded: string[] = []
  const note = async (...words: readonly unknown[]) => void recorded.push(words.join(' '))
  const outcome: Outcome = {
    delivered: ({ id }) => note('delivered', id),
    refused: ({ id }, _, { permanent }) => note('refused', id, permanent),
    unreachable: async (deliveries) => {
      await note('unreachable', ...deliveries.map(({ id }) => id))
      return 7
    },
    recovered: () => note('recovered'),
    stumbled: ({ id }) => note('stumbled', id),
    putBack: (deliveries) => note('put back', ...deliveries.map(({ id }) => id)),
  }
  return { recorded, ...openSessionAttempts(outcome) }
}

test('what nobody waits for in a session is recorded as ever', async () => {
  const { outcome, recorded, standing } = open()
  await outcome.delivered(delivery('1'), {})
  assert.equal(await outcome.unreachable([delivery('1'), delivery('2')], {}, 'dns'), 7)
  assert.deepEqual([recorded, standing('1')], [['delivered 1', 'unreachable 1 2'], undefined])
})

test('a verdict is told, and recorded only where it was promised', async () => {
  const { outcome, recorded, begin, standing } = open()
  const told = begin('1', 60_000)
  const concluded = outcome.delivered(delivery('1'), { host: 'mx' })
  assert.deepEqual(await told.verdict, { kind: 'delivered', report: { host: 'mx' } })
  assert.equal(standing('1'), 'waits')
  told.conclude(false)
  await concluded
  assert.deepEqual([recorded, standing('1')], [[], undefined])

  const postponed = begin('2', 60_000)
  const refused = outcome.refused(delivery('2'), {}, { permanent: false, cause: 'greylisted' })
  assert.equal((await postponed.verdict).kind, 'postponed')
  assert.deepEqual(recorded, [], 'not before the promise')
  postponed.conclude(true)
  await refused
  assert.deepEqual(recorded, ['refused 2 false'])
})

test('a refusal for good is told as such', async () => {
  const { outcome, begin } = open()
  const told = begin('1', 60_000)
  void outcome.refused(delivery('1'), {}, { permanent: true, cause: 'policy' })
  assert.equal((await told.verdict).kind, 'refused')
  told.conclude(false)
})

test('no answer in time is postponed; what comes after the promise is recorded', async () => {
  const { outcome, recorded, begin } = open()
  const told = begin('1', 1)
  assert.equal((await told.verdict).kind, 'postponed')
  const late = outcome.delivered(delivery('1'), {})
  told.conclude(true)
  await late
  assert.deepEqual(recorded, ['delivered 1'])
})

test('what could not be recorded is recorded again for the same ones', async () => {
  const { recorded, ...opened } = open()
  let full = true
  const { outcome, begin, standing } = openSessionAttempts({
    ...opened.outcome,
    async unreachable(deliveries) {
      if (full) throw new Error('full')
      recorded.push(deliveries.map(({ id }) => id).join())
      return 7
    },
  })
  const [kept, gone] = [begin('1', 60_000), begin('2', 60_000)]
  kept.conclude(true)
  gone.conclude(false)
  const again = () => outcome.unreachable([delivery('1'), delivery('2')], {}, 'dns')
  await assert.rejects(again())
  assert.deepEqual([standing('1'), standing('2')], [undefined, 'abandoned'])
  full = false
  await again()
  assert.deepEqual([recorded, standing('1'), standing('2')], [['1'], undefined, undefined])
})

test('of a lane that cannot be reached only what was promised waits', async () => {
  const { outcome, recorded, begin } = open()
  const [kept, gone] = [begin('1', 60_000), begin('2', 60_000)]
  const rested = outcome.unreachable([delivery('0'), delivery('1'), delivery('2')], {}, 'host-unreachable')
  assert.equal((await kept.verdict).kind, 'postponed')
  kept.conclude(true)
  gone.conclude(false)
  assert.equal(await rested, 7)
  assert.deepEqual(recorded, ['unreachable 0 1'])
  const alone = begin('3', 60_000)
  const nothing = outcome.unreachable([delivery('3')], {}, 'dns')
  await alone.verdict
  alone.conclude(false)
  assert.equal(await nothing, 0)
})
